"""Files that people write: read into what JSON has, or refused with the place."""

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
def test_a_date_stays_the_text_that_stands_there(tmp_path: Path, written: str) -> None:
    assert read(tmp_path / "a.yaml", f"when: {written}") == {"when": written}


@pytest.mark.parametrize(
    ("text", "where", "said"),
    [
        ("a: 1\n1: x", "line 2, column 1", "the key 1 is not a text: quote it."),
        ("a: {on: x}", "line 1, column 5", "the key on is not a text: quote it."),
        ("? [a]\n: x", "line 1, column 3", "unhashable key"),
        ("a: !!set {b}", "line 1, column 4", "JSON has nothing like !!set."),
        ("a: !!binary aGk=", "line 1, column 4", "JSON has nothing like !!binary."),
        ("a: !!omap [b: 1]", "line 1, column 4", "JSON has nothing like !!omap."),
        ("a: !!timestamp 2026-01-01", "line 1, column 4", "JSON has nothing like !!timestamp."),
        ("a: !!python/object:x {}", "line 1, column 4", "JSON has nothing like !!python/object:x."),
        ("a: .inf", "line 1, column 4", ".inf is no number that JSON has."),
        ("a: &b [*b]", "line 1, column 4", "recursive"),
        ("a: !!int x", "", "a value cannot be read: invalid literal"),
        ("a: !!bool maybe", "", "a value cannot be read: 'maybe'."),
        ("a: [", "line ", "this is neither YAML nor JSON"),
        (f"a: {'[' * 100}{']' * 100}", "", "this is nested too deeply. Allowed: 64 levels."),
        (f"a: {'[' * 5000}{']' * 5000}", "", "nest"),
        ("[]", "", "a workspace is a mapping. Found: 'a list'."),
        ("", "", "a workspace is a mapping. Found: 'nothing'."),
        ("name: a\nb: {}\nname: c", "line 3, column 1", "the key 'name' stands twice, first in line 1."),
        ("a: [{b: 1,\n  b: 1}]", "line 2, column 3", "the key 'b' stands twice, first in line 1."),
    ],
)
def test_what_json_does_not_have_is_refused_with_its_place(tmp_path: Path, text: str, where: str, said: str) -> None:
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
        ('{"a": 1,\n "b" 2}', "a.json, line 2, column 6: this is not JSON: Expecting ':' delimiter."),
        ('{"a": NaN}', "NaN is no number that JSON has"),
        ('{"a": 1e999}', "1e999 is no number that JSON has"),
        ('{"a":' + "[" * 200_000 + "]" * 200_000 + "}", "this is nested too deeply"),
    ],
)
def test_what_is_no_json_is_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(InputError, match=re.escape(said)):
        read(tmp_path / "a.json", text)
