"""`contracts/openapi.yaml` describes exactly what the server does."""

from __future__ import annotations

import re
from typing import Any

import jsonschema
import pytest
import yaml
from schemathesis.specs.openapi.definitions import OPENAPI_31_VALIDATOR

from emulator import Emulator
from emulator.artefacts import contract
from emulator.events import KINDS
from emulator.faults import registry
from emulator.harness.funnel import codes
from emulator.segment.delivery.response import DISCARDED, FAILED, REJECTED, RETRYING, SENT
from emulator.stackadapt.rules.outcomes import OUTCOMES, REASONS
from emulator.stackadapt.rules.segment_rules import OPERATORS

# StackAdapt's API is described by its GraphQL schema.
DESCRIBED_ELSEWHERE = ("/graphql", "/uploads/", "/console/")
METHODS = {"get", "put", "post", "patch", "delete"}


@pytest.fixture(scope="module")
def document() -> Any:
    return yaml.safe_load(contract("openapi.yaml").read_text(encoding="utf-8"))


def shape(path: str) -> str:
    """A path without the names of its parameters, which Flask and OpenAPI write differently."""
    return re.sub(r"<[^>]+>|\{[^}]+\}", "{}", path)


def in_document(document: Any) -> set[tuple[str, str]]:
    return {
        (shape(path), method.upper()) for path, item in document["paths"].items() for method in item.keys() & METHODS
    }


def in_server(emulator: Emulator) -> set[tuple[str, str]]:
    return {
        (shape(rule.rule), method)
        for rule in emulator.app.url_map.iter_rules()
        if not rule.rule.startswith(DESCRIBED_ELSEWHERE)
        for method in rule.methods or ()
        if method.lower() in METHODS
    }


def test_the_document_is_valid_openapi_3_1(document: Any) -> None:
    assert document["openapi"].startswith("3.1")
    assert [str(error) for error in OPENAPI_31_VALIDATOR.iter_errors(document)] == []


def test_every_schema_is_a_valid_json_schema(document: Any) -> None:
    for schema in document["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)


def test_document_and_server_have_the_same_routes(document: Any, emulator: Emulator) -> None:
    assert in_document(document) == in_server(emulator)


def test_the_server_serves_the_document(document: Any, emulator: Emulator) -> None:
    answer = emulator.client.get("/_emulator/openapi.json")
    assert answer.mimetype == "application/json"
    assert answer.json == document


def test_every_operation_has_a_unique_name_and_a_summary(document: Any) -> None:
    operations = [item[method] for item in document["paths"].values() for method in item.keys() & METHODS]
    names = [operation["operationId"] for operation in operations]
    assert len(set(names)) == len(names)
    assert all(operation["summary"].endswith(".") for operation in operations)


def arguments_of(document: Any) -> list[Any]:
    """Every operation with a query string, as (path, method, names of its arguments)."""
    found = []
    for path, item in document["paths"].items():
        for method in item.keys() & METHODS:
            given = [
                document["components"]["parameters"][each["$ref"].rpartition("/")[2]] if "$ref" in each else each
                for each in item[method].get("parameters", ())
            ]
            if names := {each["name"] for each in given if each["in"] == "query"}:
                found.append((path, method, names))
    return found


def test_the_server_accepts_the_documented_arguments_only(document: Any, emulator: Emulator) -> None:
    operations = arguments_of(document)
    assert len(operations) >= 12
    for path, method, names in operations:
        address = f"{path.replace('{segmentId}', '1').replace('{part}', 'audiences')}?emial=x"
        answer = getattr(emulator.client, method)(address)
        assert answer.status_code == 400, address
        assert answer.json["where"] == "emial"
        assert set(answer.json["allowed"].split(", ")) == names, address


def examples_of(document: Any) -> list[Any]:
    """Every JSON body with examples, as (name, schema, example)."""
    found = []
    bodies = [
        (f"{method} {path}", place)
        for path, item in document["paths"].items()
        for method in sorted(item.keys() & METHODS)
        for place in (item[method].get("requestBody", {}), *item[method]["responses"].values())
    ]
    bodies += list(document["components"]["responses"].items())
    for name, body in bodies:
        media = body.get("content", {}).get("application/json", {})
        examples = [case["value"] for case in media.get("examples", {}).values()]
        examples += [media["example"]] if "example" in media else []
        found += [(name, media["schema"], example) for example in examples]
    return found


def test_every_example_fits_its_schema(document: Any) -> None:
    found = examples_of(document)
    assert len(found) > 20
    for name, schema, example in found:
        whole = {**schema, "components": document["components"]}
        errors = [error.message for error in jsonschema.Draft202012Validator(whole).iter_errors(example)]
        assert not errors, name


@pytest.mark.parametrize(
    ("schema", "names"), [("ReasonCode", REASONS), ("RecordOutcome", OUTCOMES)], ids=["reasons", "outcomes"]
)
def test_the_document_lists_the_server_s_codes(document: Any, schema: str, names: Any) -> None:
    assert document["components"]["schemas"][schema]["enum"] == list(names)


def test_the_document_lists_the_server_s_operators(document: Any) -> None:
    operators = document["components"]["schemas"]["SegmentTest"]["properties"]["operator"]["enum"]
    assert set(operators) == set(OPERATORS)


def test_the_document_lists_the_kinds_of_events(document: Any) -> None:
    assert document["components"]["schemas"]["EventKind"]["enum"] == list(KINDS)


@pytest.mark.parametrize(("part", "names"), [("steps", codes().steps), ("stackadapt", codes().ends)])
def test_the_document_lists_the_parts_of_the_funnel(document: Any, part: str, names: Any) -> None:
    found = document["components"]["schemas"]["Funnel"]["properties"][part]
    assert list(found["properties"]) == found["required"] == list(names)


def test_the_document_lists_the_server_s_faults(document: Any) -> None:
    assert set(document["components"]["schemas"]["FaultRule"]["properties"]["fault"]["enum"]) == set(registry())


def test_a_batch_may_have_every_outcome_that_delivery_gives(document: Any) -> None:
    named = document["components"]["schemas"]["DeliveredBatch"]["properties"]["outcome"]["enum"]
    assert set(named) == {SENT, DISCARDED, REJECTED, RETRYING, FAILED}


def test_every_refusal_of_a_control_request_is_described(document: Any) -> None:
    """Those of a page of another origin, and of a request without the control token."""
    undescribed = []
    with Emulator(control_token="secret-of-the-test") as emulator:
        for path, item in document["paths"].items():
            for method in item.keys() & METHODS:
                if not path.startswith("/_emulator"):
                    continue
                for headers in ({}, {"Origin": "https://example.com"}):
                    status = emulator.client.open(path, method=method.upper(), headers=headers).status_code
                    expected = 403 if headers and method != "get" else 401
                    assert status == (200 if path == "/_emulator/health" else expected), (path, method)
                    if str(status) not in item[method]["responses"]:
                        undescribed.append((path, method, status))
    assert undescribed == []
