"""Definitions of the destination's generations."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from emulator import artefacts
from emulator.errors import EmulatorDefect, UserMistake
from emulator.mapping import generations, load_definition, newest
from emulator.mapping.actions import ACTIONS
from emulator.mapping.definition import parse_definition


def test_generations_are_ordered_oldest_first() -> None:
    assert generations() == ("3.361.0", "3.387.0", "3.497.0", "3.517.0")
    assert newest() == "3.517.0"


def test_identical_generations_share_one_definition() -> None:
    old, same = load_definition("3.361.0"), load_definition("3.387.0")
    assert same.generation == "3.387.0"
    assert same.actions == old.actions
    assert same.settings == old.settings


@pytest.mark.parametrize(
    ("unknown", "hint"),
    [
        ("3.400.0", "nearest earlier one is '3.387.0'"),
        ("3.1.0", "Did you mean '3.517.0'"),
        ("9.0.0", "'3.517.0'"),
        ("3.517", "Did you mean '3.517.0'"),
    ],
)
def test_an_unknown_generation_names_the_nearest(unknown: str, hint: str) -> None:
    with pytest.raises(UserMistake) as raised:
        load_definition(unknown)
    assert hint in str(raised.value)
    assert "3.361.0, 3.387.0, 3.497.0, 3.517.0" in str(raised.value)


@pytest.mark.parametrize("generation", generations())
def test_every_declared_action_can_be_carried_out(generation: str) -> None:
    definition = load_definition(generation)
    assert {(definition.advertiser_from, slug) for slug in definition.actions} <= ACTIONS.keys()


@pytest.mark.parametrize("generation", generations())
def test_required_fields_without_default_are_the_ones_a_customer_must_map(generation: str) -> None:
    action = load_definition(generation).actions["forwardAudienceEvent"]
    missing = {known.key for known in action.fields if known.required} - action.default_mapping().keys()
    assert missing == ({"advertiser_id"} if generation < "3.4" else {"marketing_status"})


@pytest.fixture
def content() -> dict[str, Any]:
    path: Path = artefacts.contract("segment/destinations/3.497.0.json")
    read = json.loads(path.read_text(encoding="utf-8"))
    assert isinstance(read, dict)
    return read


def test_a_misspelt_name_in_a_definition_is_a_defect_with_the_nearest_name(content: dict[str, Any]) -> None:
    content["settings"]["apiKey"]["lable"] = content["settings"]["apiKey"].pop("label")
    with pytest.raises(EmulatorDefect, match="Did you mean 'label'") as raised:
        parse_definition(content, "here.json")
    assert raised.value.where == "here.json#/settings/apiKey"


@pytest.mark.parametrize(("part", "value"), [("type", "integer"), ("format", "uri")])
def test_a_field_of_an_unknown_type_or_format_is_a_defect(content: dict[str, Any], part: str, value: str) -> None:
    content["settings"]["apiKey"][part] = value
    with pytest.raises(EmulatorDefect, match="Unknown value"):
        parse_definition(content, "here.json")


def test_an_unknown_source_of_the_advertiser_is_a_defect(content: dict[str, Any]) -> None:
    content["advertiser_from"] = "sky"
    with pytest.raises(EmulatorDefect, match="mapping, settings"):
        parse_definition(content, "here.json")
