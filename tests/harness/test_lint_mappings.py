"""`lint` finds what the mapping engine rejects, in any part of a mapping, and is never stopped by one."""

from __future__ import annotations

import copy
from random import Random
from typing import Any

import pytest
import yaml

from emulator.artefacts import fixture
from emulator.harness.checks import lint
from emulator.mapping import MappingError, compile_mapping, mapping_mistakes
from emulator.workspace import parse_workspace
from tests.conformance.mapping_cases import mapping, payload

DEFAULT = yaml.safe_load(fixture("workspace.yaml").read_text())
AT = "destinations[0].subscriptions[0].mapping"
EXISTS = {"@path": "$.traits.x"}
PATH = {"@path": "$.traits.email"}
# Events with text where a mapping may take a path or template from.
TEXTUAL: list[dict[str, Any]] = [
    dict.fromkeys(
        ("a", "b", "s", "n", "z", "e", "f", "arr", "o", "traits", "properties", "j", "nest", "event"), "text"
    ),
    {
        "s": ["text"],
        "arr": ["text"],
        "o": dict.fromkeys(("d.e", "a[b]", "a]b", "", "b", "d", "a"), "text"),
        "traits": {**dict.fromkeys(("plan", "vip", "email", "with space", "0"), "text"), "a": {"b": "text"}},
        "properties": {"products": [{"name": "text", "price": "text"}] * 2, "é": "text"},
    },
]


def rejected(**fields: Any) -> list[tuple[str, str]]:
    """Place and message of each M002 finding about the default workspace with these fields mapped."""
    document = copy.deepcopy(DEFAULT)
    document["destinations"][0]["subscriptions"][0]["mapping"].update(fields)
    return [(found.place, found.message) for found in lint(parse_workspace(document)) if found.code == "M002"]


@pytest.mark.parametrize(
    ("value", "below", "words"),
    [
        ({"@liquid": "{{ userId"}, "@liquid", 'output "{{ userId" not closed, line:1, col:1'),
        ({"@liquid": "{{ traits.x | reverse }}"}, "@liquid", 'filter "reverse" is disabled'),
        ({"@case": {"operator": "title", "value": PATH}}, "@case", '"lower" or "upper"'),
        ({"@flatten": {"separator": "", "value": PATH}}, "@flatten", '@flatten requires a "separator" key'),
        ({"@if": {"exists": EXISTS, "then": {"@liquid": "{% x %}"}}}, "@if.then.@liquid", 'tag "x" not found'),
        ([{"@replace": {"value": PATH}}], "[0].@replace", '@replace requires a "pattern" key'),
        ({"@pth": "$.x"}, "", "invalid directive: @pth"),
        ({"@if": {"exists": EXISTS, "then": {"@case": {"value": 5}}}}, "@if.then.@case.value", "it is a number"),
    ],
)
def test_a_mistake_is_found_with_its_place(value: Any, below: str, words: str) -> None:
    separator = "" if below[:1] in ("", "[") else "."
    [(place, message)] = rejected(email=value)
    assert place == f"{AT}.email{separator}{below}"
    assert words in message


def test_the_default_mapping_has_no_mistake() -> None:
    assert rejected() == []


def fails(mapping: Any, event: object) -> bool:
    try:
        compile_mapping(mapping)(event)
    except MappingError:
        return True
    return False


@pytest.mark.parametrize("seed", range(300))
def test_a_mapping_that_fails_for_every_event_has_a_mistake(seed: int) -> None:
    rng = Random(f"mistakes/{seed}")
    drawn = mapping(rng)
    events = [{}, *TEXTUAL, *(payload(rng) for _ in range(12))]
    if all(fails(drawn, event) for event in events):
        assert mapping_mistakes(drawn) != []


@pytest.mark.parametrize("seed", range(40))
def test_no_mapping_stops_lint(seed: int) -> None:
    document = copy.deepcopy(DEFAULT)
    document["destinations"][0]["subscriptions"][0]["mapping"] = mapping(Random(f"lint/{seed}"))
    lint(parse_workspace(document))
