"""`@path`, `@arrayPath`, `@if`, `@literal`, `@excludeWhenNull`."""

from __future__ import annotations

import pytest

from emulator.mapping.mapping_error import MappingError
from emulator.mapping.resolve import compile_mapping

MISSING = "missing from the payload"


def resolved(value: object, event: object) -> object:
    payload = compile_mapping({"k": value})(event)
    assert isinstance(payload, dict)
    return payload.get("k", MISSING)


def failure(value: object, event: object) -> str:
    with pytest.raises(MappingError) as caught:
        resolved(value, event)
    return caught.value.message


def test_path_takes_a_value_from_the_event() -> None:
    assert resolved({"@path": "$.traits.plan"}, {"traits": {"plan": "gold"}}) == "gold"


def test_path_to_nothing_leaves_the_field_out_and_null_stays() -> None:
    assert resolved({"@path": "$.a"}, {}) == MISSING
    assert resolved({"@path": "$.a"}, {"a": None}) is None


def test_path_may_itself_come_from_the_event() -> None:
    event = {"which": "$.b", "b": 2}
    assert resolved({"@path": {"@path": "$.which"}}, event) == 2
    assert failure({"@path": {"@path": "$.b"}}, event) == "@path: expected string, got number"


def test_array_path_shapes_every_element_with_the_element_as_event() -> None:
    event = {"arr": [{"x": 1}, {"x": 2}, "s", None, 5]}
    shaped = resolved({"@arrayPath": ["$.arr", {"X": {"@path": "$.x"}}]}, event)
    assert shaped == [{"X": 1}, {"X": 2}, {}, {"X": None}, {}]


def test_array_path_takes_one_object_as_a_list_of_one() -> None:
    assert resolved({"@arrayPath": ["$.o", {"X": {"@path": "$.x"}}]}, {"o": {"x": 1}}) == [{"X": 1}]


@pytest.mark.parametrize("shape", [None, {}, [], "x"])
def test_array_path_without_a_shape_gives_the_root_as_it_is(shape: object) -> None:
    assert resolved({"@arrayPath": ["$.o", shape]}, {"o": {"x": 1}}) == {"x": 1}


def test_array_path_leaves_scalars_alone() -> None:
    mapping = {"@arrayPath": ["$.v", {"X": 1}]}
    assert resolved(mapping, {"v": "s"}) == "s"
    assert resolved(mapping, {"v": None}) is None
    assert resolved(mapping, {}) == MISSING


def test_array_path_takes_its_root_from_a_directive() -> None:
    mapping = {"@arrayPath": [{"@json": {"mode": "decode", "value": {"@path": "$.j"}}}, {"X": {"@path": "$.x"}}]}
    assert resolved(mapping, {"j": '[{"x":1}]'}) == [{"X": 1}]


@pytest.mark.parametrize(("value", "branch"), [("", 1), (0, 1), (False, 1), ([], 1), ({}, 1), (None, 2)])
def test_if_exists_asks_only_whether_there_is_a_value(value: object, branch: int) -> None:
    mapping = {"@if": {"exists": {"@path": "$.v"}, "then": 1, "else": 2}}
    assert resolved(mapping, {"v": value}) == branch
    assert resolved(mapping, {}) == 2


@pytest.mark.parametrize("value", ["", 0, False, [], [""], [None], None])
def test_if_blank_falls_to_else_for_what_equals_the_empty_text_loosely(value: object) -> None:
    assert resolved({"@if": {"blank": {"@path": "$.v"}, "then": 1, "else": 2}}, {"v": value}) == 2


@pytest.mark.parametrize("value", [" ", "0", [0], {}, True])
def test_if_blank_takes_then_for_everything_else(value: object) -> None:
    assert resolved({"@if": {"blank": {"@path": "$.v"}, "then": 1, "else": 2}}, {"v": value}) == 1


def test_if_blank_fails_on_an_object_that_hides_its_text() -> None:
    assert failure({"@if": {"blank": {"@path": "$.v"}, "then": 1}}, {"v": {"toString": 1}}) == (
        "Cannot convert object to primitive value"
    )


def test_if_without_a_fitting_branch_gives_nothing() -> None:
    assert resolved({"@if": {"exists": {"@path": "$.v"}, "else": 2}}, {"v": 1}) == MISSING
    assert resolved({"@if": {"exists": {"@path": "$.v"}, "then": 1}}, {}) == MISSING


@pytest.mark.parametrize(("otherwise", "given"), [("", MISSING), (0, MISSING), (False, MISSING), ([], []), ("0", "0")])
def test_if_ignores_an_else_that_is_falsy_as_written(otherwise: object, given: object) -> None:
    assert resolved({"@if": {"exists": {"@path": "$.v"}, "then": 1, "else": otherwise}}, {}) == given


def test_if_may_give_null_and_false_by_then() -> None:
    assert resolved({"@if": {"exists": "x", "then": None}}, {}) is None
    assert resolved({"@if": {"exists": "x", "then": False}}, {}) is False


def test_if_prefers_exists_over_blank_even_when_it_is_null() -> None:
    assert resolved({"@if": {"exists": None, "blank": "x", "then": 1, "else": 2}}, {}) == 2


def test_if_the_commonest_form_gives_the_path_it_tests() -> None:
    mapping = {"@if": {"exists": {"@path": "$.v"}, "then": {"@path": "$.v"}, "else": {"@path": "$.w"}}}
    assert resolved(mapping, {"v": 0, "w": 1}) == 0
    assert resolved(mapping, {"w": 1}) == 1


def test_if_needs_a_condition() -> None:
    assert failure({"@if": {"then": 1}}, {}) == '@if requires an "exists" key or a "blank" key'


def test_an_unused_branch_may_be_one_that_would_fail() -> None:
    failing = {"@case": {"value": "x"}}
    assert resolved({"@if": {"exists": "x", "then": 1, "else": failing}}, {}) == 1


def test_literal_resolves_directives_inside_it() -> None:
    assert resolved({"@literal": {"k": {"@path": "$.a"}}}, {"a": 1}) == {"k": 1}
    assert resolved({"@literal": ""}, {}) == ""


def test_exclude_when_null_goes_through_objects_but_not_into_lists() -> None:
    event = {"v": {"a": None, "b": {"c": None, "d": ""}, "l": [None, {"e": None}]}}
    assert resolved({"@excludeWhenNull": {"@path": "$.v"}}, event) == {"b": {"d": ""}, "l": [None, {"e": None}]}
    assert resolved({"@excludeWhenNull": {"@path": "$.n"}}, {"n": None}) == MISSING
