"""JavaScript's conversions; the expected strings are those of Node 20."""

from __future__ import annotations

import json
import math
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.mapping.javascript.values import (
    UNDEFINED,
    ConversionError,
    NativeFunction,
    double,
    is_array_index,
    is_number,
    joined_units,
    number_to_string,
    ordered,
    ordered_items,
    parse_json,
    real_type_of,
    strictly_equal,
    stringify,
    to_number,
    to_string,
    trim,
    truthy,
    type_of,
    utf16_length,
    utf16_units,
    without_undefined,
)
from tests.conformance import edge_values

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)


def test_undefined_is_falsy_and_prints_as_undefined() -> None:
    assert not UNDEFINED
    assert repr(UNDEFINED) == "undefined"


@pytest.mark.parametrize("value", [False, 0, -0.0, math.nan, "", None, UNDEFINED])
def test_seven_values_are_falsy(value: object) -> None:
    assert not truthy(value)


@pytest.mark.parametrize("value", [True, 1, -1.5, "0", "false", " ", [], {}, math.inf])
def test_all_other_values_are_truthy_including_empty_arrays_and_objects(value: object) -> None:
    assert truthy(value)


@pytest.mark.parametrize(
    ("value", "name", "real_name"),
    [
        (UNDEFINED, "undefined", "undefined"),
        (None, "object", "null"),
        (True, "boolean", "boolean"),
        (1, "number", "number"),
        (1.5, "number", "number"),
        ("x", "string", "string"),
        ([], "object", "array"),
        ({}, "object", "object"),
        (NativeFunction("at", 1), "function", "function"),
    ],
)
def test_type_names_are_those_of_typeof_and_of_the_engine(value: object, name: str, real_name: str) -> None:
    assert type_of(value) == name
    assert real_type_of(value) == real_name


def test_a_boolean_is_not_a_number() -> None:
    assert is_number(0)
    assert is_number(1.5)
    assert not is_number(True)
    assert not is_number("1")


@pytest.mark.parametrize(
    ("a", "b", "equal"),
    [
        (1, 1.0, True),
        (1, True, False),
        (0, False, False),
        ("1", 1, False),
        (None, UNDEFINED, False),
        (math.nan, math.nan, False),
        ([], [], False),
        ("x", "x", True),
    ],
)
def test_strict_equality_converts_nothing(a: object, b: object, equal: bool) -> None:
    assert strictly_equal(a, b) is equal


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0"),
        (-0.0, "0"),
        (1.0, "1"),
        (-1.5, "-1.5"),
        (0.1, "0.1"),
        (1e16, "10000000000000000"),
        (123456789012345680000.0, "123456789012345680000"),
        (12345678901234567890, "12345678901234567000"),
        (9007199254740993, "9007199254740992"),
        (1e21, "1e+21"),
        (1.5e300, "1.5e+300"),
        (0.000001, "0.000001"),
        (0.0000015, "0.0000015"),
        (1e-7, "1e-7"),
        (-1.5e-9, "-1.5e-9"),
        (5e-324, "5e-324"),
        (math.nan, "NaN"),
        (math.inf, "Infinity"),
        (-math.inf, "-Infinity"),
        (10**400, "Infinity"),
    ],
)
def test_numbers_are_written_as_the_shortest_double(number: float, text: str) -> None:
    assert number_to_string(number) == text


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_written_number_reads_back_as_the_same_double(number: float) -> None:
    assert float(number_to_string(number)) == number


def test_double_keeps_integers_exact_up_to_two_to_the_53() -> None:
    assert type(double(2.0)) is int
    assert type(double(2**53)) is int
    assert type(double(2**53 + 2)) is float


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("", 0),
        (" \u00a0\ufeff", 0),
        (" 5 ", 5),
        ("-1.50", -1.5),
        (".5", 0.5),
        ("5.", 5),
        ("1e3", 1000),
        ("0x1F", 31),
        ("0b11", 3),
        ("0o17", 15),
        ("-Infinity", -math.inf),
    ],
)
def test_a_string_is_converted_to_a_number(text: str, number: float) -> None:
    assert to_number(text) == number


@pytest.mark.parametrize("text", ["x", "5abc", "1_000", "--1", "+-Infinity", "0x", "-0x1", "٣", "1e", "-"])
def test_a_string_that_is_not_a_number_is_nan(text: str) -> None:
    assert math.isnan(to_number(text))


def test_scalars_are_converted_to_numbers() -> None:
    assert to_number(True) == 1
    assert type(to_number(False)) is int
    assert to_number(None) == 0
    assert math.isnan(to_number(UNDEFINED))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        (UNDEFINED, "undefined"),
        (True, "true"),
        (1.0, "1"),
        ([1, [2, 3], None, UNDEFINED], "1,2,3,,"),
        ({"a": 1}, "[object Object]"),
        ([{}], "[object Object]"),
        (NativeFunction("at", 1), "function at() { [native code] }"),
    ],
)
def test_string_conversion_joins_arrays_and_hides_objects(value: object, text: str) -> None:
    assert to_string(value) == text


def test_string_conversion_fails_for_an_object_with_its_own_to_string() -> None:
    with pytest.raises(ConversionError, match="Cannot convert object to primitive value"):
        to_string({"toString": 1})


def test_trim_removes_the_white_space_of_javascript() -> None:
    assert trim("\ufeff\u00a0 \n\u2028x\u3000") == "x"
    assert trim("\x1cx\x85") == "\x1cx\x85"


def test_length_counts_utf16_units() -> None:
    assert utf16_length("a😀") == 3
    assert utf16_units("a😀") == ["a", "\ud83d", "\ude00"]


@given(st.text())
def test_joined_units_are_the_original_string(text: str) -> None:
    assert joined_units("".join(utf16_units(text))) == text


def test_integer_keys_come_first_and_ascending() -> None:
    keys = {"b": 0, "10": 0, "2": 0, "01": 0, "-1": 0, "1.5": 0, "4294967294": 0, "4294967295": 0, "": 0}
    assert list(ordered(keys)) == ["2", "10", "4294967294", "b", "01", "-1", "1.5", "4294967295", ""]
    assert [key for key, _ in ordered_items({"a": 1, "0": 2})] == ["0", "a"]


def test_a_mapping_in_javascript_order_is_not_copied() -> None:
    plain = {"b": 1, "a": 2, "01": 3}
    assert ordered(plain) is plain


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"b": 1, "2": UNDEFINED, "1": [UNDEFINED, math.nan, -0.0]}, '{"1":[null,null,0],"b":1}'),
        ('\x00\x1f\b\t\n\f\r"\\/', '"\\u0000\\u001f\\b\\t\\n\\f\\r\\"\\\\/"'),
        ("é\u007f\u2028\ufeff😀", '"é\u007f\u2028\ufeff😀"'),
        ("\ud800", '"\\ud800"'),
        ("x\ude00\ud83d", '"x\\ude00\\ud83d"'),
        (["\ud83d\ude00"], '["😀"]'),
        ({"f": NativeFunction("at", 1), "n": None}, '{"n":null}'),
        (1e21, "1e+21"),
    ],
)
def test_stringify_equals_json_stringify(value: object, text: str) -> None:
    assert stringify(value) == text


def test_undefined_and_functions_have_no_json() -> None:
    assert stringify(UNDEFINED) is UNDEFINED
    assert stringify(NativeFunction("at", 1)) is UNDEFINED


@given(json_values)
def test_stringified_numbers_parse_to_the_same_doubles(value: object) -> None:
    text = str(stringify(value))
    assert stringify(parse_json(text)) == text
    json.loads(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1.0", 1),
        ("9007199254740993", 9007199254740992),
        ("1e400", math.inf),
        ('{"a":1,"b":2,"a":3}', {"a": 3, "b": 2}),
        (b'"\xc3\xa9"', "é"),
        (" null ", None),
    ],
)
def test_parse_json_rounds_to_doubles(text: str | bytes, value: object) -> None:
    assert parse_json(text) == value


def test_the_last_of_equal_keys_wins_at_the_position_of_the_first() -> None:
    assert stringify(parse_json('{"a":1,"b":2,"a":3}')) == '{"a":3,"b":2}'


@pytest.mark.parametrize(
    "text", ["", "nope", "NaN", "-Infinity", "\ufeff1", "'x'", "[1,]", "01", '"\n"', "[" * 100_000]
)
def test_parse_json_rejects_invalid_json(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_json(text)


def test_removing_undefined_keeps_null_and_array_positions() -> None:
    value = {"b": UNDEFINED, "a": None, "1": [UNDEFINED, {"x": UNDEFINED}], "__proto__": 5}
    cleaned: Any = without_undefined(value)
    assert cleaned == {"1": [UNDEFINED, {}], "a": None}
    assert list(cleaned) == ["1", "a"]


def test_removing_undefined_copies() -> None:
    inner: dict[str, object] = {"x": 1}
    cleaned: Any = without_undefined({"inner": inner})
    assert cleaned == {"inner": {"x": 1}}
    assert cleaned["inner"] is not inner


def test_a_copy_of_any_value_has_its_json_and_shares_nothing_with_it() -> None:
    for seed in range(2000):
        rng = Random(seed)
        value = edge_values.members(rng, 3) | ({"__proto__": 1} if rng.random() < 0.1 else {})
        copied = without_undefined(value)
        value.pop("__proto__", None)
        assert stringify(copied) == stringify(value)
        assert containers(copied).isdisjoint(containers(value))


def containers(value: object) -> set[int]:
    members = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return set() if members is None else {id(value)}.union(*map(containers, members))


@pytest.mark.parametrize("key", ["0", "9", "10", "01", "-1", "/", ":", "9a", "4294967294", "4294967295", "٣", "", "a"])
def test_only_array_indices_precede_other_keys(key: str) -> None:
    assert list(ordered({"b": 1, key: 2})) == ([key, "b"] if is_array_index(key) else ["b", key])
