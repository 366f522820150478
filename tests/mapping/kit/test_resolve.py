"""Complete mappings: removed and kept members, and the root mapping key."""

from __future__ import annotations

from typing import Any

import pytest

from emulator.mapping.engine_errors import MappingError
from emulator.mapping.javascript.values import UNDEFINED, stringify
from emulator.mapping.resolve import compile_mapping, single_event

ROOT = "__segment_internal_directive"


def test_scalars_arrays_and_objects_are_resolved_by_member() -> None:
    mapping = {"n": None, "l": [1, {"@path": "$.a"}], "o": {"deep": {"x": {"@path": "$.a"}}}, "s": "x"}
    assert compile_mapping(mapping)({"a": 1}) == {"n": None, "l": [1, 1], "o": {"deep": {"x": 1}}, "s": "x"}


def test_undefined_members_are_removed_and_empty_objects_stay() -> None:
    missing = {"@path": "$.zz"}
    assert compile_mapping({"a": missing, "o": {"x": missing}, "l": [missing]})({}) == {"o": {}, "l": [UNDEFINED]}


def test_a_payload_has_javascripts_key_order() -> None:
    payload = compile_mapping({"b": 1, "10": 2, "2": {"y": 1, "0": 2}})({})
    assert stringify(payload) == '{"2":{"0":2,"y":1},"10":2,"b":1}'


def test_a_payload_shares_nothing_with_event_or_mapping() -> None:
    event = {"o": {"x": [1]}}
    mapping = {"o": {"@path": "$.o"}, "fixed": {"y": [2]}}
    payload: Any = compile_mapping(mapping)(event)
    payload["o"]["x"].append(9)
    payload["fixed"]["y"].append(9)
    assert event == {"o": {"x": [1]}}
    assert mapping["fixed"] == {"y": [2]}


def test_the_whole_mapping_may_be_a_directive() -> None:
    assert compile_mapping({"@path": "$.o"})({"o": {"a": 1}}) == {"a": 1}
    assert compile_mapping({"@path": "$.missing"})({}) is UNDEFINED


def test_a_root_directive_gets_the_other_fields_as_its_mapping() -> None:
    mapping = {ROOT: {"@transform": {"apply": {"q": {"@path": "$.a"}}}}, "k": {"@path": "$.q"}}
    assert compile_mapping(mapping)({"a": 1}) == {"k": 1}
    assert mapping == {ROOT: {"@transform": {"apply": {"q": {"@path": "$.a"}}}}, "k": {"@path": "$.q"}}


@pytest.mark.parametrize(
    ("root", "name", "message"),
    [
        ({"@merge": {}, "@path": "x"}, "Error", "The root mapping must only have a single directive object"),
        ({"@transform": None}, "Error", "The root directive must be an object"),
        ({"@path": "$.a"}, "Error", "The root directive must be an object"),
        ({}, "Error", "The root directive must be an object"),
        (None, "TypeError", "Cannot convert undefined or null to object"),
    ],
)
def test_a_root_key_without_a_valid_directive_is_an_error(root: object, name: str, message: str) -> None:
    with pytest.raises(MappingError) as caught:
        compile_mapping({ROOT: root, "k": 1})
    assert (caught.value.name, caught.value.message) == (name, message)


def test_a_root_directive_that_has_no_mapping_keeps_or_ignores_it() -> None:
    assert compile_mapping({ROOT: {"@literal": {"b": 1}}, "k": 2})({}) == {"b": 1, "mapping": {"k": 2}}
    assert compile_mapping({ROOT: {"@arrayPath": ["$.a"]}, "k": 2})({"a": 3}) == 3


@pytest.mark.parametrize(
    ("event", "kind"), [(None, "null"), ([], "array"), ("x", "string"), (5, "number"), (True, "boolean")]
)
def test_a_single_event_must_be_an_object(event: object, kind: str) -> None:
    with pytest.raises(MappingError, match=f"data must be an object, got {kind}"):
        single_event(event)


def test_an_undefined_single_event_is_an_empty_object() -> None:
    assert single_event(UNDEFINED) == {}


@pytest.mark.parametrize(("event", "payload"), [(None, {"k": None}), (5, {}), ("str", {})])
def test_events_of_a_batch_are_resolved_whatever_their_type(event: object, payload: object) -> None:
    assert compile_mapping({"k": {"@path": "$.a.b"}})(event) == payload


def test_a_member_named_proto_is_resolved_and_dropped() -> None:
    assert compile_mapping({"__proto__": {"@path": "$.a"}, "k": 1})({"a": 2}) == {"k": 1}
    with pytest.raises(MappingError, match="@case requires"):
        compile_mapping({"__proto__": {"@case": {}}})({})


def test_an_event_nested_too_deeply_fails_as_in_javascript() -> None:
    event: object = 1
    for _ in range(100_000):
        event = {"a": event}
    with pytest.raises(MappingError) as caught:
        compile_mapping({"k": {"@path": "$.a"}})(event)
    assert caught.value.name == "RangeError"
