"""Requests in parts: inlined as the published versions write them, and with variables as a later one may."""

from __future__ import annotations

import json
from typing import Any

import pytest

from emulator.harness.upgrade.request_parts import read_request

RECORDS = [{"userId": "u1", "email": "ada@example.com", "first_name": "Ada \U0001f600"}]
COLUMN = {"incomingKey": "plan", "destinationKey": "plan", "label": "Plan", "type": "STRING", "isPii": False}
WITH_VARIABLES = """mutation ($input: UpsertProfilesInput!, $columns: [Column!]) {
  upsertProfiles(input: $input) { userErrors { message } }
  upsertProfileMapping(input: {mappingSchemaV2: $columns, isOptedIn: true}) { userErrors { message } }
}"""


def body(query: str, **variables: Any) -> str:
    return json.dumps({"query": query, **({"variables": variables} if variables else {})})


def inlined(profiles: str) -> str:
    """A document as the destination writes it: each argument on a line of its own."""
    return f'mutation {{\n upsertProfiles(\n  input: {{\n   syncId: "s",\n   profiles: {profiles}\n  }}\n ) {{ a }}\n}}'


def test_variables_are_read_as_what_is_inlined() -> None:
    parts = read_request(
        body(
            WITH_VARIABLES,
            input={"advertiserId": 1001, "syncId": "s", "profiles": json.dumps(RECORDS)},
            columns=[COLUMN],
        )
    )
    assert parts.fields == ("upsertProfiles", "upsertProfileMapping")
    assert parts.records == RECORDS
    assert [*parts.columns] == ["upsertProfileMapping column plan"]
    assert parts.values == {
        "upsertProfiles.input.advertiserId": 1001,
        "upsertProfileMapping.input.mappingSchemaV2": "columns as objects",
        "upsertProfileMapping.input.isOptedIn": True,
    }


def test_inlined_profiles_are_read_once_and_their_hash_is_left_out() -> None:
    escaped = json.dumps(json.dumps(RECORDS, ensure_ascii=False), ensure_ascii=False)
    parts = read_request(body(inlined(escaped)))
    assert (parts.problem, parts.records, parts.values) == (None, RECORDS, {})


def test_columns_of_2024_and_later_have_one_notation() -> None:
    old = {"incoming_key": "plan", "destination_key": "plan", "label": "Plan", "data_type": "string", "is_pii": False}
    query = f"mutation {{ upsertProfileMapping(input: {{mappingSchema: {json.dumps(json.dumps([old]))}}}) {{ a }} }}"
    [(name, column)] = read_request(body(query)).columns.items()
    assert name == "upsertProfileMapping column plan"
    assert column == {name: value for name, value in COLUMN.items() if name != "incomingKey"}


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", "null", body("mutation {"), body(inlined(r'"[{\"first_name\":\"A \\"q\\" B\"}]"'))],
    ids=["empty", "a list", "no query", "null", "syntax", "a quote that is not escaped"],
)
def test_what_cannot_be_read_is_a_problem(text: str) -> None:
    parts = read_request(text)
    assert parts.problem
    assert parts.document is None
