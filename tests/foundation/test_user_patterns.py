"""Regular expressions of users end in time, wherever they are used."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from emulator import Emulator
from emulator.rule_schemas import compiled
from emulator.user_patterns import check, found
from emulator.workspace import parse_workspace
from emulator.workspace_document import document_of

ENDLESS = "(a|a)+$"
TEXT = "a" * 40 + "!"


def test_a_pattern_is_found_as_the_standard_library_finds_it() -> None:
    assert found("^[0-]*$", "000-0")
    assert not found("^[0-]*$", "u1")
    assert check("[") is not None
    assert check(ENDLESS) is None


def test_a_search_without_end_is_given_up_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert not found(ENDLESS, TEXT)
    assert f"{ENDLESS} takes too long" in caplog.text


@pytest.mark.parametrize(
    ("schema", "value", "valid"),
    [
        ({"properties": {"q": {"pattern": ENDLESS}}}, {"q": TEXT}, False),
        ({"patternProperties": {ENDLESS: {"type": "string"}}}, {TEXT: 1}, True),
        ({"patternProperties": {ENDLESS: {}}, "additionalProperties": False}, {TEXT: 1}, False),
        ({"patternProperties": {ENDLESS: {}}, "additionalProperties": {"type": "string"}}, {TEXT: 1}, False),
        ({"propertyNames": {"pattern": ENDLESS}}, {TEXT: 1}, False),
    ],
)
def test_a_schema_ends_in_time(schema: dict[str, Any], value: dict[str, Any], valid: bool) -> None:
    assert compiled(schema).is_valid(value) is valid


@pytest.mark.parametrize(
    ("pattern", "names", "wrong"),
    [
        ("^x_", {"x_a": 1, "b": 1}, ["b"]),
        ("^x_", {"x_a": 1}, []),
        ("a$", {"a": 1, "ba": 1, "ab": 1}, ["ab"]),
    ],
)
def test_names_of_properties_are_matched_as_by_the_library(
    pattern: str, names: dict[str, int], wrong: list[str]
) -> None:
    schema = {"patternProperties": {pattern: {"type": "integer"}}, "additionalProperties": False}
    messages = [error.message for error in compiled(schema).iter_errors(names)]
    assert messages == [f"Additional properties are not allowed: {name!r}" for name in wrong]


def test_an_identifier_that_no_pattern_decides_on_in_time_is_not_blocked() -> None:
    with Emulator() as emulator:
        document = document_of(emulator.sandbox.workspace)
    blocked = [{"pattern": ENDLESS}]
    document["space"]["identifiers"] = [{"type": "user_id", "blockedValues": blocked}, {"type": "email"}]
    with Emulator(parse_workspace(document)) as emulator:
        emulator.segment.ingest("identify", {"userId": TEXT, "traits": {"email": "ada@example.com"}})
        assert [each["userId"] for each in emulator.segment.profiles()] == [TEXT]
