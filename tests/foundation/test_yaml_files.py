"""YAML and JSON files: parsed to JSON values, or rejected with the line."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.errors import InputError, UserMistake
from emulator.strict_json import DuplicateKey, check_keys
from emulator.yaml_files import dump_yaml, load_yaml, read_mapping


def read(path: Path, text: str) -> object:
    path.write_text(text, encoding="utf-8")
    return read_mapping(path, what="a workspace", mistake=InputError)


# Plain scalars that a reader of YAML 1.1 takes for something else.
TEXT = (
    *("yes", "No", "NO", "on", "Off", "y", "N", "=", "<<"),
    *("0777", "02134", "0o17", "0b101", "1_000", "1_000.5", "1:30", "190:20:30.15", "-012"),
    *("2026-01-01", "2026-13-45", "2026-01-01T00:00:00Z", "2001-12-14 21:59:43.10 -5"),
    *("tRue", "nUll", "1.2.3", "1e", "+", ".", "0x", "-0x1F"),
)
NUMBERS = {
    "0": 0,
    "-0": 0,
    "+12": 12,
    "12": 12,
    "0x1F": 31,
    ".5": 0.5,
    "-.5": -0.5,
    "1.": 1.0,
    "1e3": 1000.0,
    "1.5E+3": 1500.0,
    "02.50": 2.5,
    "12e03": 12000.0,
}
OTHERS = {"true": True, "TRUE": True, "False": False, "null": None, "~": None, "Null": None, "": None}


@pytest.mark.parametrize("scalar", TEXT)
def test_what_only_yaml_1_1_gives_another_type_is_text(tmp_path: Path, scalar: str) -> None:
    assert read(tmp_path / "a.yaml", f"a: {scalar}\nb: [{scalar}, x]") == {"a": scalar, "b": [scalar, "x"]}
    if scalar != "<<":
        assert read(tmp_path / "a.yaml", f"{scalar}: x") == {scalar: "x"}


@pytest.mark.parametrize(("scalar", "value"), [*NUMBERS.items(), *OTHERS.items()])
def test_nulls_booleans_and_numbers_are_those_of_yaml_1_2(tmp_path: Path, scalar: str, value: object) -> None:
    found = read(tmp_path / "a.yaml", f"a: {scalar}")
    assert repr(found) == repr({"a": value})


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(TEXT)
    | st.sampled_from([*NUMBERS, *OTHERS])
    | st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(TEXT) | st.text("az0:", max_size=5), inner)
    ),
    max_leaves=8,
)


@given(VALUES)
def test_what_is_written_is_read_back(value: object) -> None:
    assert load_yaml(dump_yaml({"a": value})) == {"a": value}


@given(VALUES)
def test_json_is_read_alike_as_yaml(value: object) -> None:
    assert load_yaml(json.dumps({"a": value})) == {"a": value}


@pytest.mark.parametrize(
    ("text", "where", "said"),
    [
        ("a: 1\n1: x", "line 2, column 1", "the key 1 is not a string: quote it"),
        ("a: {true: x}", "line 1, column 5", "the key true is not a string: quote it"),
        ("a: {0x1: x}", "line 1, column 5", "the key 0x1 is not a string: quote it"),
        ("? [a]\n: x", "line 1, column 3", "unhashable key"),
        ("a: !!set {b}", "line 1, column 4", "!!set has no equivalent in JSON"),
        ("a: !!binary aGk=", "line 1, column 4", "!!binary has no equivalent in JSON"),
        ("a: !!omap [b: 1]", "line 1, column 4", "!!omap has no equivalent in JSON"),
        ("a: !!timestamp 2026-01-01", "line 1, column 4", "!!timestamp has no equivalent in JSON"),
        ("a: !!python/object:x {}", "line 1, column 4", "!!python/object:x has no equivalent in JSON"),
        ("a: .inf", "line 1, column 4", ".inf is not a JSON number"),
        ("a: &b [*b]", "line 1, column 4", "recursive"),
        ("a: !!int x", "line 1, column 4", "invalid integer: invalid literal"),
        (f"a:\n  - {'9' * 5000}", "line 2, column 5", "invalid integer: Exceeds the limit"),
        ("a: !!float x", "line 1, column 4", "invalid number: could not convert"),
        ("a: !!bool maybe", "line 1, column 4", "'maybe' is neither true nor false"),
        ("a: !!bool yes", "line 1, column 4", "'yes' is neither true nor false"),
        ("a: {<<: 5}", "line 1, column 9", "expected a mapping or list of mappings for merging"),
        ("a: [", "line ", "neither YAML nor JSON"),
        (f"a: {'[' * 100}{']' * 100}", "", "nested too deeply. Allowed: 64 levels."),
        (f"a: {'[' * 5000}{']' * 5000}", "", "nest"),
        ("[]", "", "a workspace must be an object. Found: 'an array'."),
        ("", "", "a workspace must be an object. Found: 'null'."),
        ("name: a\nb: {}\nname: c", "line 3, column 1", "duplicate key 'name', first in line 1"),
        ("a: [{b: 1,\n  b: 1}]", "line 2, column 3", "duplicate key 'b', first in line 1"),
    ],
)
def test_what_json_cannot_represent_is_rejected_with_its_line(tmp_path: Path, text: str, where: str, said: str) -> None:
    with pytest.raises(UserMistake, match=re.escape(said)) as caught:
        read(tmp_path / "a.yaml", text)
    assert str(caught.value).startswith(f"{tmp_path}/a.yaml")
    assert where in (caught.value.where or "")


def test_merge_keys_and_aliases_are_read(tmp_path: Path) -> None:
    text = "a: &a {b: 1, c: 2}\nd: {<<: *a, c: 3}\ne: *a"
    assert read(tmp_path / "a.yaml", text) == {"a": {"b": 1, "c": 2}, "d": {"b": 1, "c": 3}, "e": {"b": 1, "c": 2}}


def test_a_file_of_json_is_read_as_json(tmp_path: Path) -> None:
    document = {"name": "Zoë 😀", "number": 1e3, "list": [None, True]}
    assert read(tmp_path / "a.json", json.dumps(document, indent="\t")) == document


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"a": 1,\n "b" 2}', "a.json, line 2, column 6: not JSON: Expecting ':' delimiter"),
        ('{"a": NaN}', "NaN is not a JSON number"),
        ('{"a": 1e999}', "a number is too large"),
        (
            '{"a": [{"b,{": "}"}],\n "c": {"d": [], "e": 1},\n "\\u0061": 2}',
            "line 3, column 2: duplicate key 'a', first in line 1",
        ),
        ('{"a": [{"b": 1}, {"b": 1,  "b": 1}]}', "line 1, column 28: duplicate key 'b', first in line 1"),
        ('{"a":' + "[" * 200_000 + "]" * 200_000 + "}", "nested too deeply"),
    ],
)
def test_invalid_json_is_rejected(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(InputError, match=re.escape(said)):
        read(tmp_path / "a.json", text)


KEYS = st.sampled_from(["a", "b", 'a"', "\\", "{"])
OBJECTS = st.recursive(
    st.sampled_from(["x", 1, None, "a"]),
    lambda inner: st.lists(inner, max_size=3) | st.lists(st.tuples(KEYS, inner), max_size=3).map(tuple),
    max_leaves=10,
)


def as_json(value: object) -> str:
    """JSON of objects that are given as tuples of members, perhaps with the same key twice."""
    if isinstance(value, tuple):
        return "{" + ",\n".join(f"{json.dumps(key)}: {as_json(inner)}" for key, inner in value) + "}"
    return f"[{', '.join(map(as_json, value))}]" if isinstance(value, list) else json.dumps(value)


def has_duplicate(value: object) -> bool:
    if isinstance(value, tuple):
        return len({key for key, _ in value}) < len(value) or any(has_duplicate(inner) for _, inner in value)
    return isinstance(value, list) and any(map(has_duplicate, value))


@given(OBJECTS)
def test_a_duplicate_key_is_found_wherever_it_is(value: object) -> None:
    text = as_json(value)
    if not has_duplicate(value):
        check_keys(text)
        return
    with pytest.raises(DuplicateKey, match="duplicate key") as found:
        check_keys(text)
    line = text.splitlines()[found.value.line - 1]
    assert line[found.value.column - 1 :].startswith('"')
