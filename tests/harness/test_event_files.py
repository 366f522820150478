"""Documents in files: one value, an array, JSON lines, gzip, YAML."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from emulator.errors import InputError
from emulator.harness.event_files import Document, read_documents, read_events


def written(folder: Path, text: str | bytes, name: str = "events.json") -> str:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return str(path)


def places(path: str) -> list[tuple[int | None, int | None, object]]:
    return [(document.line, document.index, document.value) for document in read_documents(path)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"a": 1}', [(None, None, {"a": 1})]),
        ('{\n  "a": {\n  "b": 1}\n}\n', [(None, None, {"a": {"b": 1}})]),
        ('[{"a": 1}, {"a": 2}]', [(None, 0, {"a": 1}), (None, 1, {"a": 2})]),
        ('[\n{"a": 1},\n{"a": 2}\n]\n', [(None, 0, {"a": 1}), (None, 1, {"a": 2})]),
        ('{"a": 1}\n\n{"a": 2}\n', [(1, None, {"a": 1}), (3, None, {"a": 2})]),
        ('\n{"a": 1}\n5\n', [(2, None, {"a": 1}), (3, None, 5)]),
        ("[]", []),
        ("", []),
        (" \n\n", []),
    ],
)
def test_the_format_of_a_file_is_detected(tmp_path: Path, text: str, expected: object) -> None:
    assert places(written(tmp_path, text)) == expected
    assert places(written(tmp_path, gzip.compress(text.encode()), "gzipped")) == expected


def test_an_invalid_line_does_not_stop_the_others(tmp_path: Path) -> None:
    path = written(tmp_path, '{"a": \n{"a": 2}\nnope\n{"a": 4}\n')
    first, second, third, fourth = read_documents(path)
    assert "line 1: this is not JSON" in str(first.error)
    assert "line 3: this is not JSON" in str(third.error)
    assert (second.value, fourth.value) == ({"a": 2}, {"a": 4})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{\n  "a": 1,\n}\n', "this is not JSON.*line 3"),
        (b'{"b": 1,\n  "a": {"b": 1},\n  "b": 2}\n', "line 3, column 3: duplicate key 'b', first in line 1"),
        (b'{"a": "\xff"}', "cannot read"),
        (gzip.compress(b'{"a": 1}' * 1000)[:-20], "cannot read"),
        (b"\x1f\x8bnot really gzip", "cannot read"),
    ],
    ids=["not JSON", "duplicate key", "not UTF-8", "cut off", "not gzip"],
)
def test_an_unreadable_file_is_reported(tmp_path: Path, content: bytes, message: str) -> None:
    path = written(tmp_path, content)
    [document] = read_documents(path)
    assert document.error is not None
    with pytest.raises(InputError, match=message):
        raise document.error


def test_yaml_is_one_document(tmp_path: Path) -> None:
    assert places(written(tmp_path, "a: [1]\n", "x.yaml")) == [(None, None, {"a": [1]})]
    [broken] = read_documents(written(tmp_path, "a: [\n", "x.yml"))
    assert "line 2" in str(broken.error)


@pytest.mark.parametrize(("text", "found"), [("", "null"), ("- {type: track}\n", "an? (list|array)")])
def test_yaml_that_is_not_an_event_is_an_error(tmp_path: Path, text: str, found: str) -> None:
    with pytest.raises(InputError, match=f"event.*Found: '{found}'"):
        read_events(written(tmp_path, text, "x.yaml"))


def test_an_event_is_an_object(tmp_path: Path) -> None:
    assert read_events(written(tmp_path, json.dumps([{"a": 1}]))) == [{"a": 1}]
    with pytest.raises(InputError, match=r"\[1\]: invalid event. Found: 'an? [a-z ]+'. Allowed: a JSON object"):
        read_events(written(tmp_path, '[{"a": 1}, 5]'))
    with pytest.raises(InputError, match="line 2: this is not JSON"):
        read_events(written(tmp_path, '{"a": 1}\n{\n'))


def test_a_position_is_a_line_or_an_index() -> None:
    assert Document(file="x", line=3).where == "x, line 3"
    assert Document(file="x", index=0).where == "x: [0]"
    assert Document(file="x").where == "x"
