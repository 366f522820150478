"""`POST /_emulator/upgrade-check`: the workspace of a sandbox, with generated people or those whom it knows."""

from __future__ import annotations

from typing import Any

import pytest
from jsonschema import Draft202012Validator

from emulator import Emulator
from emulator.artefacts import contract_json
from tests.harness.upgrade.workspaces import of_2025

ADA = {"type": "identify", "userId": "u1", "traits": {"email": "ada@example.com", "total_spent": 900}}


def posted(emulator: Emulator, body: dict[str, Any], query: str = "") -> Any:
    return emulator.client.post(f"/_emulator/upgrade-check{query}", json=body)


def test_a_check_of_the_known_people_fits_the_schema_and_changes_nothing() -> None:
    with Emulator(of_2025()) as emulator:
        emulator.segment.ingest("batch", {"batch": [ADA]})
        before = emulator.segment.counts()
        check = posted(emulator, {"to": "3.517.0", "known": True, "mappings": "new"}).get_json()
        Draft202012Validator(contract_json("upgrade-check.schema.json")).validate(check)
        assert check["people"]["text"] == "1 person of sandbox 'default'"
        assert check["upgrades"][0]["level"] == "loses-data"
        assert emulator.segment.counts() == before


def test_markdown_for_generated_people() -> None:
    with Emulator() as emulator:
        response = posted(emulator, {"from": "3.497.0", "to": "3.517.0", "people": 5}, "?format=markdown")
    assert response.content_type == "text/markdown; charset=utf-8"
    assert response.text.startswith("### Upgrade check: 3.497.0 → 3.517.0\n")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "to"),
        ({"to": "3.5"}, "unknown generation '3.5'"),
        ({"to": "3.517.0", "from": "3.5"}, "unknown generation '3.5'"),
        ({"to": "3.517.0", "mappings": "old"}, "mappings"),
        ({"to": "3.517.0", "people": 2001}, "people"),
        ({"to": "3.517.0", "known": True}, "the sandbox knows no people"),
    ],
)
def test_bad_input_is_refused_with_its_place(body: dict[str, Any], message: str) -> None:
    with Emulator() as emulator:
        response = posted(emulator, body)
    assert response.status_code == 400
    assert message in response.text
