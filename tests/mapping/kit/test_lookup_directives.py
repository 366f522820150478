"""`@path`, `@arrayPath`, `@if`, `@literal`, `@excludeWhenNull`."""

from __future__ import annotations

import pytest

from emulator.mapping.engine_errors import MappingError
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


def test_path_reads_a_value_of_the_event() -> None:
    assert resolved({"@path": "$.traits.plan"}, {"traits": {"plan": "gold"}}) == "gold"


def test_path_omits_a_missing_field_and_keeps_null() -> None:
    assert resolved({"@path": "$.a"}, {}) == MISSING
    assert resolved({"@path": "$.a"}, {"a": None}) is None


def test_path_may_come_from_the_event() -> None:
    event = {"which": "$.b", "b": 2}
    assert resolved({"@path": {"@path": "$.which"}}, event) == 2
    assert failure({"@path": {"@path": "$.b"}}, event) == "@path: expected string, got number"


def test_array_path_shapes_every_element_with_the_element_as_event() -> None:
    event = {"arr": [{"x": 1}, {"x": 2}, "s", None, 5]}
    shaped = resolved({"@arrayPath": ["$.arr", {"X": {"@path": "$.x"}}]}, event)
    assert shaped == [{"X": 1}, {"X": 2}, {}, {"X": None}, {}]


def test_array_path_treats_an_object_as_an_array_of_one() -> None:
    assert resolved({"@arrayPath": ["$.o", {"X": {"@path": "$.x"}}]}, {"o": {"x": 1}}) == [{"X": 1}]


@pytest.mark.parametrize("shape", [None, {}, [], "x"])
def test_array_path_without_a_shape_returns_the_root(shape: object) -> None:
    assert resolved({"@arrayPath": ["$.o", shape]}, {"o": {"x": 1}}) == {"x": 1}


def test_array_path_keeps_scalars() -> None:
    mapping = {"@arrayPath": ["$.v", {"X": 1}]}
    assert resolved(mapping, {"v": "s"}) == "s"
    assert resolved(mapping, {"v": None}) is None
    assert resolved(mapping, {}) == MISSING


def test_the_root_of_array_path_may_be_a_directive() -> None:
    mapping = {"@arrayPath": [{"@json": {"mode": "decode", "value": {"@path": "$.j"}}}, {"X": {"@path": "$.x"}}]}
    assert resolved(mapping, {"j": '[{"x":1}]'}) == [{"X": 1}]


@pytest.mark.parametrize(("value", "branch"), [("", 1), (0, 1), (False, 1), ([], 1), ({}, 1), (None, 2)])
def test_if_exists_tests_for_null_and_undefined(value: object, branch: int) -> None:
    mapping = {"@if": {"exists": {"@path": "$.v"}, "then": 1, "else": 2}}
    assert resolved(mapping, {"v": value}) == branch
    assert resolved(mapping, {}) == 2


@pytest.mark.parametrize("value", ["", 0, False, [], [""], [None], None])
def test_if_blank_takes_else_for_values_loosely_equal_to_an_empty_string(value: object) -> None:
    assert resolved({"@if": {"blank": {"@path": "$.v"}, "then": 1, "else": 2}}, {"v": value}) == 2


@pytest.mark.parametrize("value", [" ", "0", [0], {}, True])
def test_if_blank_takes_then_for_all_other_values(value: object) -> None:
    assert resolved({"@if": {"blank": {"@path": "$.v"}, "then": 1, "else": 2}}, {"v": value}) == 1


def test_if_blank_fails_on_an_object_with_its_own_to_string() -> None:
    assert failure({"@if": {"blank": {"@path": "$.v"}, "then": 1}}, {"v": {"toString": 1}}) == (
        "Cannot convert object to primitive value"
    )


def test_if_without_a_matching_branch_has_no_value() -> None:
    assert resolved({"@if": {"exists": {"@path": "$.v"}, "else": 2}}, {"v": 1}) == MISSING
    assert resolved({"@if": {"exists": {"@path": "$.v"}, "then": 1}}, {}) == MISSING


@pytest.mark.parametrize(("otherwise", "given"), [("", MISSING), (0, MISSING), (False, MISSING), ([], []), ("0", "0")])
def test_if_ignores_a_falsy_else(otherwise: object, given: object) -> None:
    assert resolved({"@if": {"exists": {"@path": "$.v"}, "then": 1, "else": otherwise}}, {}) == given


def test_then_may_be_null_or_false() -> None:
    assert resolved({"@if": {"exists": "x", "then": None}}, {}) is None
    assert resolved({"@if": {"exists": "x", "then": False}}, {}) is False


def test_if_prefers_exists_over_blank_even_when_it_is_null() -> None:
    assert resolved({"@if": {"exists": None, "blank": "x", "then": 1, "else": 2}}, {}) == 2


def test_the_most_common_if_returns_the_path_it_tests() -> None:
    mapping = {"@if": {"exists": {"@path": "$.v"}, "then": {"@path": "$.v"}, "else": {"@path": "$.w"}}}
    assert resolved(mapping, {"v": 0, "w": 1}) == 0
    assert resolved(mapping, {"w": 1}) == 1


def test_if_needs_a_condition() -> None:
    assert failure({"@if": {"then": 1}}, {}) == '@if requires an "exists" key or a "blank" key'


def test_an_unused_branch_may_be_invalid() -> None:
    failing = {"@case": {"value": "x"}}
    assert resolved({"@if": {"exists": "x", "then": 1, "else": failing}}, {}) == 1


def test_literal_resolves_directives_inside_it() -> None:
    assert resolved({"@literal": {"k": {"@path": "$.a"}}}, {"a": 1}) == {"k": 1}
    assert resolved({"@literal": ""}, {}) == ""


def test_exclude_when_null_cleans_objects_but_not_arrays() -> None:
    event = {"v": {"a": None, "b": {"c": None, "d": ""}, "l": [None, {"e": None}]}}
    assert resolved({"@excludeWhenNull": {"@path": "$.v"}}, event) == {"b": {"d": ""}, "l": [None, {"e": None}]}
    assert resolved({"@excludeWhenNull": {"@path": "$.n"}}, {"n": None}) == MISSING
