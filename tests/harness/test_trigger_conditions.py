"""A trigger as conditions of a form and back: nothing of it is lost, and what cannot be shown or written is said."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from emulator.errors import InputError
from emulator.harness.trigger_conditions import NESTED_FIELDS, OPERATORS, PLAIN_FIELDS, conditions_of, trigger_of
from emulator.mapping import compile_trigger

OF_2024 = '(type = "track" or type = "identify") and (event = "Audience Entered" or event = "Audience Exited")'
ENTERED = {"type": "track", "event": "Audience Entered", "properties": {"total": 7, "vip": True, "plan": "gold"}}


def group(operator: str, *conditions: dict[str, Any]) -> dict[str, Any]:
    return {"operator": operator, "conditions": list(conditions)}


def one(field: str, operator: str, value: Any = None, name: str | None = None) -> dict[str, Any]:
    parts = {"field": field, "operator": operator, "name": name, "value": value}
    return {key: part for key, part in parts.items() if part is not None}


@pytest.mark.parametrize(
    ("tree", "text"),
    [
        (group("or", one("type", "=", "track"), one("type", "=", "identify")), 'type = "track" or type = "identify"'),
        (
            group(
                "and",
                group("or", one("type", "=", "track"), one("type", "=", "identify")),
                group("or", one("event", "=", "Audience Entered"), one("event", "=", "Audience Exited")),
            ),
            OF_2024,
        ),
        (group("and", one("properties", ">=", 5, "total")), "properties.total >= 5"),
        (group("and", one("properties", "=", 0.5, "a.b")), "properties.a.b = 0.5"),
        (group("and", one("traits", "exists", name="email")), "traits.email != null"),
        (group("and", one("context", "is_true", name="x")), "context.x = true"),
        (group("and", one("event", "contains", "Aud")), 'contains(event, "Aud")'),
        (group("and", one("event", "not_starts_with", "Aud")), '!match(event, "Aud*")'),
        (group("and", one("type", "ends_with", "k")), 'type ends_with "k"'),
        (group("and", one("properties", "=", "true", "x")), 'properties.x = "true"'),
        (group("and"), ""),
    ],
)
def test_conditions_are_written_as_usual_and_read_back(tree: dict[str, Any], text: str) -> None:
    assert trigger_of(tree) == text
    if text:
        found = conditions_of(compile_trigger(text))
        assert (found.tree, found.obstacle) == (tree, None)


_NAMES = st.text(st.characters(codec="ascii", exclude_characters="\0"), min_size=1, max_size=12)
_VALUES = st.one_of(
    st.text(st.characters(codec="utf-8"), max_size=12),
    st.integers(-(10**20), 10**20),
    st.floats(-1e6, 1e6),
    st.booleans(),
)
_CONDITIONS = st.builds(
    one, st.sampled_from((*PLAIN_FIELDS, *NESTED_FIELDS)), st.sampled_from(OPERATORS), _VALUES, _NAMES
)


def _groups(items: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.builds(
        lambda operator, listed: group(operator, *listed), st.sampled_from(["and", "or"]), st.lists(items, max_size=4)
    )


_TREES = _groups(st.one_of(_CONDITIONS, _groups(_CONDITIONS)))


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
@given(_TREES)
def test_what_a_form_writes_it_can_show_again(tree: dict[str, Any]) -> None:
    text = None
    with suppress(InputError):
        text = trigger_of(tree)
    assume(text)
    trigger = compile_trigger(text)
    found = conditions_of(trigger)
    assert found.obstacle is None
    assert found.tree is not None
    assert compile_trigger(trigger_of(found.tree)).tree == trigger.tree


@pytest.mark.parametrize("value", [10**16, 1e16, 1e-7, -2.5, 10**20, 0.1 + 0.2])
def test_numbers_are_written_without_an_exponent(value: float) -> None:
    text = trigger_of(group("and", one("properties", "=", value, "n"), one("type", "=", "track")))
    found = conditions_of(compile_trigger(text))
    assert found.obstacle is None
    assert found.tree is not None
    assert found.tree["conditions"][0]["value"] == value


def test_each_condition_has_its_result_and_what_it_found() -> None:
    found = conditions_of(compile_trigger(OF_2024), {"type": "identify", "traits": {}}).tree
    assert found is not None
    types, names = found["conditions"]
    assert [each["passed"] for each in types["conditions"]] == [False, True]
    assert [each["found"] for each in types["conditions"]] == ["identify", "identify"]
    assert [each["passed"] for each in names["conditions"]] == [False, False]
    assert all("found" not in each for each in names["conditions"])
    assert (types["passed"], names["passed"], found["passed"]) == (True, False, False)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('type = "track" and event = "A" or event = "B"', "both `and` and `or`"),
        ('event is "A"', "no operator `is`"),
        ('type == "track"', "engine"),
        ('type = "track', "cannot be parsed"),
        ("", "cannot be parsed"),
        ('(type = "track" or (event = "A" and event = "B"))', "engine"),
        ("nothing at all", "engine"),
    ],
)
def test_a_trigger_that_a_form_would_change_says_why(text: str, why: str) -> None:
    obstacle = conditions_of(compile_trigger(text), ENTERED).obstacle
    assert obstacle is not None
    assert why in obstacle or "cannot be parsed" in obstacle


@pytest.mark.parametrize(
    ("item", "place", "message"),
    [
        (one("kind", "=", "x"), "conditions[0].field", "unknown field"),
        (one("type", "is", "x"), "conditions[0].operator", "unknown operator"),
        (one("traits", "=", "x"), "conditions[0].name", "the name within traits is missing"),
        (one("type", "="), "conditions[0].value", "the value is missing"),
        (one("traits", "=", "x", "a..b"), "conditions[0]", "FQL cannot express this condition"),
        (group("and"), "conditions[0]", "this group has no condition"),
        (group("xor", one("type", "=", "x"), one("type", "=", "y")), "conditions[0]", "unknown operator of a group"),
        (group("or", one("name", "=", "x"), group("or")), "conditions[0].conditions[1]", "inside of another group"),
        ({"conditions": 5}, "conditions[0].conditions", "not a list"),
        ({}, "conditions[0].field", "unknown field"),
    ],
)
def test_what_fql_cannot_say_is_refused_with_its_place(item: dict[str, Any], place: str, message: str) -> None:
    with pytest.raises(InputError) as refused:
        trigger_of(group("and", item, one("type", "=", "track")))
    assert refused.value.where == place
    assert message in refused.value.message
