"""Mistakes in mappings, with the engine's messages."""

from __future__ import annotations

import pytest

from emulator.mapping.engine_errors import MappingError
from emulator.mapping.javascript.values import UNDEFINED
from emulator.mapping.resolve import compile_mapping


def mistake(mapping: dict[str, object]) -> MappingError:
    with pytest.raises(MappingError) as caught:
        compile_mapping(mapping)
    return caught.value


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"@foo": 1}, "/v has an invalid directive: @foo."),
        ({"@": 1}, "/v has an invalid directive: @."),
        ({"@path": "a", "@case": {}}, "/v should only have one @-prefixed key but it has 2 keys."),
        ({"@path": "a", "x": 1}, "/v should only have one @-prefixed key but it has 2 keys."),
        ({"@path": 5}, "/v/@path should be a string or a mapping directive but it is a number."),
        ({"@path": None}, "/v/@path should be a string or a mapping directive but it is a null."),
        ({"@path": ["a"]}, "/v/@path should be a string or a mapping directive but it is an array."),
        ({"@template": {}}, "/v/@template should be a string or a mapping directive but it is an object."),
        ({"@if": "x"}, "/v/@if should be an object but it is a string."),
        ({"@if": {"@path": "a"}}, "/v/@if should be an object but it is a directive."),
        ({"@case": {"operator": 1}}, "/v/@case/operator should be a string but it is a number."),
        ({"@replace": {"value": "a"}}, '/v/@replace should have field "pattern" but it doesn\'t.'),
        ({"@replace": {"pattern": "a"}}, '/v/@replace should have field "value" but it doesn\'t.'),
        (
            {"@replace": {"pattern": "", "value": "a"}},
            "/v/@replace/pattern should be a string of length 1 or greater.",
        ),
        (
            {"@replace": {"pattern": "😀" * 6, "value": "a"}},
            "/v/@replace/pattern should be a string of length 10 or less.",
        ),
        (
            {"@replace": {"pattern": "a", "value": "a", "replacement": "x" * 11}},
            "/v/@replace/replacement should be a string of length 10 or less.",
        ),
        (
            {"@replace": {"pattern": "a", "value": "a", "ignorecase": "yes"}},
            "/v/@replace/ignorecase should be a boolean but it is a string.",
        ),
        (
            {"@replace": {"pattern": "a", "value": "a", "global": None}},
            "/v/@replace/global should be a boolean but it is a null.",
        ),
        ({"@arrayPath": "x"}, "/v/@arrayPath should be an array but it is a string."),
        ({"@arrayPath": []}, "/v/@arrayPath should be a string or a mapping directive but it is an undefined."),
        ({"@json": {"mode": "encode"}}, '/v/@json should have field "value" but it doesn\'t.'),
        ({"@json": {"mode": "x", "value": 1}}, '/v/@json/mode should be one of encode, decode but it is "x".'),
        ({"@flatten": {"separator": "."}}, '/v/@flatten should have field "value" but it doesn\'t.'),
        (
            {"@merge": {"direction": "up", "objects": []}},
            '/v/@merge/direction should be one of left, right but it is "up".',
        ),
        ({"@merge": {"objects": "x"}}, "/v/@merge/objects should be an array but it is a string."),
        (
            {"@merge": {"objects": ["x"]}},
            "/ should be a object or a mapping directive but it is a string.",
        ),
        ({"@merge": {"objects": [{"a": {"@nope": 1}}]}}, "/a has an invalid directive: @nope."),
        (
            {"@transform": {"apply": "x", "mapping": {}}},
            "/v/@transform/apply should be a object or a mapping directive but it is a string.",
        ),
        ({"@liquid": 5}, "/v/@liquid should be a string but it is a number."),
        ({"@literal": UNDEFINED}, "/v/@literal should be a mapping directive or a JSON value but it is an undefined."),
        ({"@if": {"exists": "x", "then": {"@nope": 1}}}, "/v/@if/then has an invalid directive: @nope."),
        ({"nested": {"@nope": 1}}, "/v/nested has an invalid directive: @nope."),
    ],
)
def test_a_mistake_in_a_mapping_has_its_path(value: object, message: str) -> None:
    error = mistake({"v": value})
    assert error.name == "AggregateError"
    assert error.message == f"ValidationError: {message}"
    assert error.problems == (message,)
    assert error.status is None


def test_all_mistakes_of_an_object_are_collected_in_key_order() -> None:
    error = mistake({"b": {"@foo": 1}, "1": {"@path": 1}, "c": {"@replace": {}}})
    assert error.problems == (
        "/1/@path should be a string or a mapping directive but it is a number.",
        "/b has an invalid directive: @foo.",
        '/c/@replace should have field "pattern" but it doesn\'t.',
        '/c/@replace should have field "value" but it doesn\'t.',
    )
    assert error.message.splitlines() == [f"ValidationError: {problem}" for problem in error.problems]


def test_a_mistake_of_a_root_directive_is_a_single_error_with_status_400() -> None:
    error = mistake({"@nope": 1})
    assert (error.name, error.message, error.status) == ("ValidationError", "/ has an invalid directive: @nope.", 400)


def test_metadata_is_allowed_next_to_a_directive() -> None:
    assert compile_mapping({"v": {"@path": "$.a", "_metadata": {"label": "A"}}})({"a": 1}) == {"v": 1}


def test_array_items_are_not_validated_before_an_event() -> None:
    resolve = compile_mapping({"v": [{"@foo": 1}]})
    with pytest.raises(MappingError) as caught:
        resolve({})
    assert (caught.value.name, caught.value.status) == ("Error", None)
    assert caught.value.message == "@foo is not a valid directive, got undefined"


def test_an_object_with_another_key_than_the_directive_is_plain_inside_an_array() -> None:
    value = {"@path": "$.a", "x": 1}
    assert compile_mapping({"v": [value]})({"a": 1}) == {"v": [value]}


@pytest.mark.parametrize(
    ("directive", "message"),
    [
        ({"@if": 1}, '@if requires an object with an "exists" key'),
        ({"@case": 1}, '@case requires an object with a "operator" key'),
        ({"@replace": 1}, '@replace requires an object with a "pattern" key'),
        ({"@replace": {"value": "a"}}, '@replace requires a "pattern" key'),
        ({"@arrayPath": "x"}, "@arrayPath expected array, got string"),
        ({"@path": 5}, "@path: expected string, got number"),
        ({"@flatten": 1}, '@flatten requires an object with a "separator" key'),
        ({"@flatten": {"separator": 5, "value": 1}}, "@flatten requires a string separator"),
        ({"@json": 1}, '@json requires an object with a "value" key'),
        ({"@json": {"value": 1}}, '@json requires a "mode" key'),
        ({"@merge": 1}, '@merge requires an object with an "objects" key and a "direction" key'),
        ({"@merge": {"direction": "left", "objects": "x"}}, "@merge: expected opts.array, got string"),
        ({"@transform": 1}, '@transform requires an object with an "apply" key and a "mapping" key'),
        ({"@transform": {"apply": {}}}, '@transform requires a "mapping" key'),
        ({"@transform": {"apply": "x", "mapping": {}}}, '@transform "apply" key should be an object'),
        ({"@liquid": 5}, "liquid template value must be a string"),
    ],
)
def test_directives_in_arrays_fail_on_events(directive: object, message: str) -> None:
    with pytest.raises(MappingError) as caught:
        compile_mapping({"v": [directive]})({})
    assert caught.value.message == message
