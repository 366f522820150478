"""`@template`, `@case`, `@replace`, `@json`."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.mapping.directives.text import replaced
from emulator.mapping.engine_errors import MappingError
from emulator.mapping.javascript.values import parse_json
from emulator.mapping.resolve import compile_mapping

MISSING = "missing from the payload"
EVENT = {
    "a": 1,
    "s": "str",
    "n": None,
    "f": False,
    "z": 0,
    "o": {"x": 1},
    "arr": [1, [2, 3], None],
    "nest": "{{s}}",
    "code": "$& $1 $$",
    "x y": "spaced",
    "big": 1e21,
}


def resolved(value: object, event: object = EVENT) -> object:
    payload = compile_mapping({"k": value})(event)
    assert isinstance(payload, dict)
    return payload.get("k", MISSING)


def failure(value: object, event: object = EVENT) -> str:
    with pytest.raises(MappingError) as caught:
        resolved(value, event)
    return caught.value.message


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{a}}", "1"),
        ("{{ a }}-{{{a}}}-{{a\n}}", "1-1-1"),
        ("{{missing}}{{n}}", ""),
        ("{{f}} {{z}}", "false 0"),
        ("{{o}} {{arr}}", "[object Object] 1,2,3,"),
        ("{{ }}", "[object Object]"),
        ("{{.}}", "[object Object]"),
        ("{{}} {{a} {a}", "{{}} {{a} {a}"),
        ("{{a}}}", "1}"),
        ("{{{a}}", ""),
        ("{{{{a}}}}", "}"),
        ("{{$.a}}", ""),
        ("{{['x y']}} {{x y}}", "spaced spaced"),
        ("\\{{a}}", "\\1"),
        ("{{ a | upcase }}", ""),
        ("{{code}}", "$& $1 $$"),
        ("{{big}}", "1e+21"),
        ("{{constructor.name}}", "Object"),
        ("", ""),
    ],
)
def test_template_renders(template: str, text: str) -> None:
    assert resolved({"@template": template}) == text


def test_values_in_triple_braces_are_templates_themselves() -> None:
    assert resolved({"@template": "{{{nest}}}"}) == "str"
    assert resolved({"@template": "{{nest}}"}) == "{{s}}"


def test_template_may_come_from_the_event() -> None:
    assert resolved({"@template": {"@path": "$.nest"}}) == "str"
    assert failure({"@template": {"@path": "$.a"}}) == "@template: expected string, got number"


def test_a_plain_string_is_not_a_template() -> None:
    assert resolved("{{a}}") == "{{a}}"


@pytest.mark.parametrize(
    ("operator", "value", "text"),
    [("upper", "straße", "STRASSE"), ("lower", "İ", "i\u0307"), ("upper", "x", "X"), ("lower", "ΑΣ", "ας")],
)
def test_case_changes_strings(operator: str, value: str, text: str) -> None:
    assert resolved({"@case": {"operator": operator, "value": value}}) == text


def test_case_keeps_other_values_for_any_operator() -> None:
    assert resolved({"@case": {"operator": "title", "value": {"@path": "$.a"}}}) == 1


def test_case_rejects_an_unknown_operator_only_for_strings() -> None:
    assert failure({"@case": {"operator": "title", "value": "x"}}) == (
        'operator key should have a value of "lower" or "upper"'
    )
    assert failure({"@case": {"value": "x"}}) == '@case requires a "operator" key'


def test_case_of_an_empty_value_has_no_value() -> None:
    assert resolved({"@case": {"operator": "lower", "value": ""}}) == MISSING
    assert resolved({"@case": {"operator": "lower"}}) == MISSING


@pytest.mark.parametrize(
    ("replacement", "text"),
    [
        ("$&$&", "abbc"),
        ("[$`|$']", "a[a|c]c"),
        ("$$", "a$c"),
        ("$1", "a$1c"),
        ("$<x>", "a$<x>c"),
        ("$", "a$c"),
        ("", "ac"),
    ],
)
def test_replace_gives_the_replacement_its_javascript_meaning(replacement: str, text: str) -> None:
    assert resolved({"@replace": {"pattern": "b", "replacement": replacement, "value": "abc"}}) == text


def test_the_pattern_of_replace_is_literal() -> None:
    assert resolved({"@replace": {"pattern": ".", "replacement": "_", "value": "a.b.c"}}) == "a_b_c"
    assert resolved({"@replace": {"pattern": "(a|", "value": "x(a|y"}}) == "xy"


def test_replace_replaces_all_matches_by_default() -> None:
    assert resolved({"@replace": {"pattern": "a", "replacement": "b", "value": "aaa", "global": False}}) == "baa"


@pytest.mark.parametrize(
    ("pattern", "value", "text"),
    [("É", "é", "_"), ("k", "K\u212a", "_\u212a"), ("ß", "ẞ", "ẞ"), ("ſ", "s", "s"), ("İ", "i", "i")],
)
def test_replace_ignores_case_within_ascii_and_outside(pattern: str, value: str, text: str) -> None:
    directive = {"pattern": pattern, "replacement": "_", "value": value, "ignorecase": True}
    assert resolved({"@replace": directive}) == text


def test_replace_works_on_utf16_units() -> None:
    assert resolved({"@replace": {"pattern": "\ud83d", "replacement": "x", "value": "😀"}}) == "x\ude00"


@pytest.mark.parametrize(
    ("path", "text"), [("$.f", "fXlse"), ("$.z", "0"), ("$.n", ""), ("$.o", ""), ("$.missing", "")]
)
def test_replace_converts_scalars_to_strings_and_other_values_to_an_empty_one(path: str, text: str) -> None:
    assert resolved({"@replace": {"pattern": "a", "replacement": "X", "value": {"@path": path}}}) == text


def test_replace_applies_a_second_pattern_to_the_result() -> None:
    directive = {"pattern": "a", "replacement": "b", "value": "ab", "pattern2": "b", "replacement2": "c"}
    assert resolved({"@replace": directive}) == "cc"
    assert resolved({"@replace": {**directive, "pattern2": 5}}) == "bb"


def test_replace_rejects_a_long_second_pattern_only_on_an_event() -> None:
    directive = {"pattern": "a", "value": "a", "pattern2": "x" * 11}
    assert failure({"@replace": directive}) == '@replace requires a "pattern" less than 10 characters'
    directive = {"pattern": "a", "value": "a", "pattern2": "x", "replacement2": "y" * 11}
    assert failure({"@replace": directive}) == '@replace requires a "replacement" less than 10 characters'


def test_replace_of_an_empty_value_has_no_value() -> None:
    assert resolved({"@replace": {"pattern": "a", "value": ""}}) == MISSING


def test_replace_does_not_change_the_mapping() -> None:
    mapping = {"k": {"@replace": {"pattern": "a", "value": "a"}}}
    compile_mapping(mapping)({})
    assert mapping == {"k": {"@replace": {"pattern": "a", "value": "a"}}}


@given(st.text(), st.text(min_size=1, max_size=3), st.text(alphabet="xyz", max_size=3))
def test_replacing_without_special_codes_is_plain_replacement(text: str, pattern: str, replacement: str) -> None:
    assert replaced(text, pattern, replacement, ignore_case=False, everywhere=True) == text.replace(
        pattern, replacement
    )


def test_json_encode_equals_json_stringify() -> None:
    encode = {"@json": {"mode": "encode", "value": {"@path": "$.v"}}}
    assert resolved(encode, parse_json('{"v":{"b":1.0,"1":[1e21,-0.0,"\\ud800"]}}')) == (
        '{"1":[1e+21,0,"\\ud800"],"b":1}'
    )
    assert resolved(encode, {"v": "text"}) == '"text"'
    assert resolved(encode, {}) == MISSING


@pytest.mark.parametrize(("text", "value"), [('{"a":1}', {"a": 1}), ("nope", "nope"), ("null", None), ("", "")])
def test_json_decode_parses_a_string_or_keeps_it(text: str, value: object) -> None:
    assert resolved({"@json": {"mode": "decode", "value": {"@path": "$.v"}}}, {"v": text}) == value


def test_json_decode_keeps_other_values() -> None:
    assert resolved({"@json": {"mode": "decode", "value": {"@path": "$.v"}}}, {"v": [1]}) == [1]


def test_json_with_an_upper_case_mode_is_valid_and_has_no_value() -> None:
    assert resolved({"@json": {"mode": "ENCODE", "value": "x"}}) == MISSING


def test_json_rejects_a_falsy_value() -> None:
    assert failure({"@json": {"mode": "encode", "value": 0}}) == '@json requires a "value" key'
