"""YAML and JSON files: parsed to JSON values, or rejected with the line."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from emulator.errors import InputError, UserMistake
from emulator.yaml_files import read_mapping


def read(path: Path, text: str) -> object:
    path.write_text(text, encoding="utf-8")
    return read_mapping(path, what="a workspace", mistake=InputError)


@pytest.mark.parametrize(
    "written", ["2026-01-01", "2026-13-45", "2026-01-01T00:00:00Z", "2001-12-14 21:59:43.10 -5", "="]
)
def test_a_date_stays_a_string(tmp_path: Path, written: str) -> None:
    assert read(tmp_path / "a.yaml", f"when: {written}") == {"when": written}


@pytest.mark.parametrize(
    ("text", "where", "said"),
    [
        ("a: 1\n1: x", "line 2, column 1", "the key 1 is not a string: quote it"),
        ("a: {on: x}", "line 1, column 5", "the key on is not a string: quote it"),
        ("? [a]\n: x", "line 1, column 3", "unhashable key"),
        ("a: !!set {b}", "line 1, column 4", "!!set has no equivalent in JSON"),
        ("a: !!binary aGk=", "line 1, column 4", "!!binary has no equivalent in JSON"),
        ("a: !!omap [b: 1]", "line 1, column 4", "!!omap has no equivalent in JSON"),
        ("a: !!timestamp 2026-01-01", "line 1, column 4", "!!timestamp has no equivalent in JSON"),
        ("a: !!python/object:x {}", "line 1, column 4", "!!python/object:x has no equivalent in JSON"),
        ("a: .inf", "line 1, column 4", ".inf is not a JSON number"),
        ("a: &b [*b]", "line 1, column 4", "recursive"),
        ("a: !!int x", "", "invalid value: invalid literal"),
        ("a: !!bool maybe", "", "invalid value: 'maybe'"),
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
        ('{"a":' + "[" * 200_000 + "]" * 200_000 + "}", "nested too deeply"),
    ],
)
def test_invalid_json_is_rejected(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(InputError, match=re.escape(said)):
        read(tmp_path / "a.json", text)
