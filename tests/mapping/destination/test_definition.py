"""Definitions of the destination's generations, and what derives from the list of them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from emulator import artefacts
from emulator.errors import EmulatorDefect, UserMistake
from emulator.harness.checks import lint
from emulator.harness.drift.usage import usage_of
from emulator.harness.preview import preview
from emulator.harness.subscription_context import contexts_of
from emulator.mapping import field_rows, generations, load_definition, newest
from emulator.mapping.actions import BUILDERS
from emulator.mapping.definition import parse_definition
from emulator.stackadapt.graphql.schema import LATEST, executable_schema
from emulator.workspace import load_workspace

TOY = "9.0.0"


def test_generations_are_ordered_oldest_first() -> None:
    assert len(generations()) >= 4
    assert list(generations()) == sorted(generations(), key=lambda name: [int(part) for part in name.split(".")])
    assert newest() == generations()[-1]


def test_identical_generations_share_one_definition() -> None:
    old, same = load_definition("3.361.0"), load_definition("3.387.0")
    assert same.generation == "3.387.0"
    assert same.actions == old.actions
    assert same.settings == old.settings


@pytest.mark.parametrize(
    ("unknown", "hint"),
    [
        ("3.400.0", "nearest earlier one is '3.387.0'"),
        ("3.1.0", "Did you mean"),
        ("9.0.0", f"nearest earlier one is '{newest()}'"),
        ("3.517", "Did you mean '3.517.0'"),
    ],
)
def test_an_unknown_generation_has_the_nearest_one_as_a_hint(unknown: str, hint: str) -> None:
    with pytest.raises(UserMistake) as raised:
        load_definition(unknown)
    assert hint in str(raised.value)
    assert f"Known: {', '.join(generations())}." in str(raised.value)


@pytest.mark.parametrize("generation", generations())
def test_every_action_has_a_builder(generation: str) -> None:
    actions = load_definition(generation).actions.values()
    assert actions
    assert {action.builder for action in actions} <= BUILDERS.keys()


@pytest.mark.parametrize("generation", generations())
def test_required_fields_without_default_are_the_ones_a_customer_must_map(generation: str) -> None:
    definition = load_definition(generation)
    action = definition.actions["forwardAudienceEvent"]
    missing = {known.key for known in action.fields if known.required} - action.default_mapping().keys()
    assert missing == ({"advertiser_id"} if definition.advertiser_from == "mapping" else {"marketing_status"})


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A generation that behaves as the newest one: one definition file in a copy of the contracts."""
    copy = tmp_path / "contracts"
    shutil.copytree(artefacts.contracts_dir(), copy)
    content = {"generation": TOY, "source": "a test", "same_as": newest()}
    (copy / f"segment/destinations/{TOY}.json").write_text(json.dumps(content), encoding="utf-8")
    cached = (generations, load_definition, artefacts.contract_json)
    monkeypatch.setattr("emulator.artefacts.contracts_dir", lambda: copy)
    monkeypatch.setattr("emulator.mapping.definition.contracts_dir", lambda: copy)
    for each in cached:
        each.cache_clear()
    yield TOY
    monkeypatch.undo()
    for each in cached:
        each.cache_clear()


def test_a_new_generation_needs_one_file(toy: str) -> None:
    assert newest() == toy
    default = load_workspace()
    workspace = replace(default, destinations=(replace(default.destinations[0], generation=toy),))
    (context,) = contexts_of(workspace, None)
    assert context.definition.generation == toy
    event = {"type": "track", "event": "Audience Entered", "userId": "u1"}
    assert [each["status"] for shown in preview([event], [context], batch=False) for each in shown.events] == [
        "invalid"
    ]
    assert lint(workspace) == lint(default)
    assert {row.generation for row in field_rows()} == {*generations()}
    writers = {each.writer.split()[0] for each in usage_of(executable_schema(LATEST)).written}
    assert toy in writers


def test_field_rows_list_every_field_with_its_members() -> None:
    rows = {(row.generation, row.action, row.field): row for row in field_rows()}
    assert {generation for generation, _, _ in rows} == {*generations()}
    status = rows["3.517.0", "forwardAudienceEvent", "marketing_status"]
    assert (status.title, status.label, status.type, status.required) == (
        "Sync Audience",
        "Marketing Status",
        "string",
        True,
    )
    assert (status.choices, status.default) == (("Opted-in", "Indeterminate"), "")
    assert rows["3.517.0", "forwardAudienceEvent", "standard_traits.first_name"].type == "string"
    assert rows["3.517.0", "forwardAudienceEvent", "custom_user_properties"].type == "array of object"
    assert rows["3.361.0", "forwardProfile", "user_id"].default.startswith('{"@if":{"exists":{"@path":"$.userId"}')


@pytest.fixture
def content() -> dict[str, Any]:
    path: Path = artefacts.contract("segment/destinations/3.497.0.json")
    read = json.loads(path.read_text(encoding="utf-8"))
    assert isinstance(read, dict)
    return read


def test_a_misspelt_name_in_a_definition_is_a_defect(content: dict[str, Any]) -> None:
    content["settings"]["apiKey"]["lable"] = content["settings"]["apiKey"].pop("label")
    with pytest.raises(EmulatorDefect, match="Did you mean 'label'") as raised:
        parse_definition(content, "here.json")
    assert raised.value.where == "here.json#/settings/apiKey"


@pytest.mark.parametrize(("part", "value"), [("type", "integer"), ("format", "uri")])
def test_a_field_of_an_unknown_type_or_format_is_a_defect(content: dict[str, Any], part: str, value: str) -> None:
    content["settings"]["apiKey"][part] = value
    with pytest.raises(EmulatorDefect, match="unknown value"):
        parse_definition(content, "here.json")


def test_an_unknown_source_of_the_advertiser_is_a_defect(content: dict[str, Any]) -> None:
    content["advertiser_from"] = "sky"
    with pytest.raises(EmulatorDefect, match="mapping, settings"):
        parse_definition(content, "here.json")
