"""`@merge`, `@flatten`, `@transform`: objects from objects."""

from __future__ import annotations

import pytest

from emulator.mapping.engine_errors import MappingError
from emulator.mapping.javascript.values import stringify
from emulator.mapping.resolve import compile_mapping


def encoded(value: object, event: object) -> object:
    """As JSON, which shows the key order."""
    payload = compile_mapping({"k": value})(event)
    assert isinstance(payload, dict)
    return stringify(payload["k"]) if "k" in payload else None


def failure(value: object, event: object) -> str:
    with pytest.raises(MappingError) as caught:
        encoded(value, event)
    return caught.value.message


@pytest.mark.parametrize(
    ("direction", "text"),
    [("left", '{"c":3,"a":1,"b":2}'), ("right", '{"a":9,"b":2,"c":3}'), ("LEFT", '{"a":9,"b":2,"c":3}')],
)
def test_merge_prefers_one_side_and_keeps_the_order_of_first_appearance(direction: str, text: str) -> None:
    assert encoded({"@merge": {"direction": direction, "objects": [{"a": 1, "b": 2}, {"c": 3, "a": 9}]}}, {}) == text


def test_merge_spreads_strings_and_arrays_by_index_and_skips_other_scalars() -> None:
    event = {"s": "a😀", "l": [7], "n": None, "i": 5}
    objects = [{"z": 1}, *({"@path": f"$.{key}"} for key in ("s", "l", "n", "i", "missing"))]
    assert encoded({"@merge": {"direction": "right", "objects": objects}}, event) == (
        '{"0":7,"1":"\\ud83d","2":"\\ude00","z":1}'
    )


def test_merge_overrides_a_value_with_a_missing_one() -> None:
    objects = [{"a": 1}, {"a": {"@path": "$.missing"}}]
    assert encoded({"@merge": {"direction": "right", "objects": objects}}, {}) == "{}"


def test_merge_needs_a_direction() -> None:
    assert failure({"@merge": {"objects": []}}, {}) == '@merge requires a "direction" key'


def test_flatten_joins_keys_and_numbers_items() -> None:
    event = {"v": {"a": {"b": 1}, "l": [{"x": 2}, 3], "e": {}, "n": [], "2": 0}}
    flatten = {"separator": "_", "value": {"@path": "$.v"}}
    assert encoded({"@flatten": flatten}, event) == '{"2":0,"a_b":1,"l_0_x":2,"l_1":3}'
    assert encoded({"@flatten": {**flatten, "omitArrays": True}}, event) == '{"2":0,"a_b":1,"l":[{"x":2},3],"n":[]}'


@pytest.mark.parametrize(
    ("event", "text"),
    [
        ({"v": "s"}, '{"":"s"}'),
        ({"v": None}, '{"":null}'),
        ({}, "{}"),
        ({"v": {"": {"b": 1}, "c": {"": 2}}}, '{"b":1,"c.":2}'),
    ],
)
def test_flatten_of_scalars_and_empty_values(event: object, text: str) -> None:
    assert encoded({"@flatten": {"separator": ".", "value": {"@path": "$.v"}}}, event) == text


@pytest.mark.parametrize("separator", ["", None])
def test_flatten_needs_a_separator(separator: str | None) -> None:
    options = {"value": {"@path": "$.v"}} | ({} if separator is None else {"separator": separator})
    assert failure({"@flatten": options}, {}) == '@flatten requires a "separator" key'


def test_transform_resolves_one_mapping_against_the_result_of_another() -> None:
    transform = {"apply": {"inner": {"@path": "$.a"}}, "mapping": {"x": {"@path": "$.inner"}, "y": {"@path": "$.a"}}}
    assert encoded({"@transform": transform}, {"a": 1}) == '{"x":1}'


def test_transform_continues_without_an_object_from_apply() -> None:
    transform = {"apply": {"@path": "$.missing"}, "mapping": {"x": {"@path": "$.a"}, "t": {"@template": "{{.}}"}}}
    assert encoded({"@transform": transform}, {"a": 1}) == '{"t":"[object Object]"}'


def test_transform_inside_an_array_accepts_objects_only() -> None:
    shape = {"@transform": {"apply": {"x": 1}, "mapping": {"y": {"@path": "$.x"}}}}
    mapping = {"@arrayPath": ["$.l", {"@literal": shape}]}
    assert encoded(mapping, {"l": [{}]}) == '[{"y":1}]'
    assert failure(mapping, {"l": ["s"]}) == "data must be an object, got string"
