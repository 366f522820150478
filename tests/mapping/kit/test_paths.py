"""The path grammar of the engine."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.mapping.javascript.values import UNDEFINED, NativeFunction
from emulator.mapping.paths import chunks_of, compile_path, without_root
from emulator.mapping.resolve import compile_mapping

EVENT = {
    "a": 1,
    "z": 0,
    "e": "",
    "f": False,
    "n": None,
    "s": "str",
    "wide": "a😀",
    "0": "zero",
    "k 3": 3,
    "é": "accent",
    "k-1": "dash",
    "o[b]": "bracketed",
    "arr": [{"p": 1}, {"p": 2}],
    "o": {"b": 2, "x y": 3, "d.e": 5, "": 7, "a[b]": 12, "a]b": 13, "a[b": 14, "a'b": 15},
    "$": {"a": "dollar"},
    "own": {"length": 9, "constructor": "mine"},
}


def at(path: str, event: object = EVENT) -> object:
    return compile_path(without_root(path))(event)


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("$.a", 1),
        ("a", 1),
        ("o.$.b", 2),
        ("$.$.a", "dollar"),
        ("$.arr[0].p", 1),
        ("$.arr.0.p", 1),
        ("arr[0].p", 1),
        ('$.arr["0"].p', 1),
        ("$.arr[0]]p", 1),
        ("$.arr[0]p", 1),
        ('$.arr[0]["p"]', 1),
        ("$.arr.[0].p", 1),
        ("$.arr.length", 2),
        ("$.s.length", 3),
        ("$.wide.length", 3),
        ("$.s[0]", "s"),
        ("$.wide.1", "\ud83d"),
        ('$.o["x y"]', 3),
        ("$.k 3", 3),
        ("$.['k 3']", 3),
        ("$.é", "accent"),
        ("$.k-1", "dash"),
        ("$.o[b]", "bracketed"),
        ("$.o.a[b]", 12),
        ("$.o['a[b]']", 12),
        ("$.o.a]b", 13),
        ("$.o.a[b", 14),
        ('$.o[""]', 7),
        ("[0]", "zero"),
        ("0", "zero"),
        ("$.own.length", 9),
        ("$.own.constructor", "mine"),
    ],
)
def test_a_path_reads_this_value(path: str, found: object) -> None:
    assert at(path) == found


@pytest.mark.parametrize(
    "path",
    [
        "$.missing",
        "$.missing.deeper",
        "$.arr[-1]",
        "$.arr[ 0 ]",
        "$.arr[01]",
        "$.arr[*].p",
        "$.arr[].p",
        "$.arr.p",
        "$.arr[9]",
        "$.arr[0][p]",
        "$.s[3]",
        "$.o['d.e']",
        "$.o.d.e",
        "$.o.a'b",
        "$['o']['b']",
        " $.a",
        "$.a ",
        "$.a.b",
    ],
)
def test_a_path_without_a_value_is_undefined(path: str) -> None:
    assert at(path) is UNDEFINED


@pytest.mark.parametrize("path", ["", ".", "$.", "$..", "..."])
def test_a_path_without_keys_is_the_whole_event(path: str) -> None:
    assert at(path) is EVENT


def test_a_single_dollar_sign_is_a_key() -> None:
    assert at("$") == {"a": "dollar"}


@pytest.mark.parametrize(("path", "met"), [("$.z.x", 0), ("$.e.x.y", ""), ("$.f.x", False), ("$.n.x", None)])
def test_a_falsy_value_on_the_way_is_the_result(path: str, met: object) -> None:
    assert at(path) == met
    assert type(at(path)) is type(met)


def test_empty_arrays_and_objects_do_not_end_a_path() -> None:
    assert at("$.x.length", {"x": []}) == 0
    assert at("$.x.y", {"x": {}}) is UNDEFINED


def test_inherited_members_are_read() -> None:
    assert at("$.constructor.name") == "Object"
    assert at("$.arr.constructor.name") == "Array"
    assert at("$.a.toFixed.length") == 1
    assert isinstance(at("$.s.link"), NativeFunction)
    assert at("$.__proto__") == {}
    assert at("$.arr.__proto__") == []
    assert at("$.toString.call.name") == "call"


def test_an_inherited_function_is_not_in_the_json() -> None:
    assert at("$.f.valueOf") is False
    assert compile_mapping({"k": {"@json": {"mode": "encode", "value": {"@path": "$.constructor"}}}})(EVENT) == {}


def test_only_the_first_dollar_dot_is_removed() -> None:
    assert without_root("a$.b$.c") == "ab$.c"


@given(st.lists(st.text(alphabet="abcXYZ_ -é", min_size=1), min_size=1, max_size=5))
def test_dotted_keys_are_nested_look_ups(keys: list[str]) -> None:
    event: object = "leaf"
    for key in reversed(keys):
        event = {key: event}
    assert chunks_of(".".join(keys)) == tuple(keys)
    assert at("$." + ".".join(keys), event) == "leaf"
