"""The workspace as YAML: checked with lines, compared, applied; what it can begin with."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from emulator import Emulator
from emulator.server.control.workspace import TEMPLATES
from emulator.server.watch import BROKEN_LOOKS, VALID_LOOKS, WorkspaceWatcher, content_of
from emulator.workspace_file import parse
from emulator.yaml_lines import lines_in

HEADERS = {"Content-Type": "application/yaml"}


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator() as started:
        started.client.post("/_emulator/clock/freeze")
        yield started


def text_of(emulator: Emulator, path: str = "workspace", **query: str) -> str:
    return emulator.client.get(f"/_emulator/{path}", query_string={"format": "yaml", **query}).text


def sent(emulator: Emulator, method: str, path: str, text: str, status: int = 200) -> Any:
    answer = emulator.client.open(f"/_emulator/{path}", method=method, data=text.encode(), headers=HEADERS)
    assert answer.status_code == status, answer.text
    return answer.json


@pytest.mark.parametrize(
    ("place", "line"),
    [
        ("a", 2),
        ("b[0].c", 4),
        ("b[1]", 5),
        ("b[1].missing", 5),
        ("b[7].c", 3),
        ("a.b.c", 2),
        ("missing", None),
        ("(top level)", None),
        ("", None),
        ("part 'one'", 7),
        ("part 'one': size", 8),
        ("part 'one', piece \"it's\": size", 11),
        ("part 'two'", 12),
        ("part 'three': size", None),
        ("b 'one'", None),
    ],
)
def test_the_line_of_a_place(place: str, line: int | None) -> None:
    text = "# x\na: 1\nb:\n  - c: 1\n  - d: {e: 2}\nparts:\n  - name: one\n    size: 1\n    pieces:\n"
    named = "      - name: it's\n        size: 2\n  - {id: two}\n"
    assert lines_in(text + named)(place) == line


def test_nothing_has_no_lines() -> None:
    assert lines_in("")("a") is None


def test_a_workspace_in_yaml_is_taken_as_it_is_given(emulator: Emulator) -> None:
    text = text_of(emulator)
    assert sent(emulator, "POST", "workspace/diff", text) == {"differs": False, "diff": []}
    changed = text.replace("name: local", "name: changed")
    lines = sent(emulator, "POST", "workspace/diff", changed)["diff"]
    assert [line for line in lines if line[0] in "+-"][2:] == ["-name: local", "+name: changed"]
    assert sent(emulator, "PUT", "workspace", changed)["workspace"]["name"] == "changed"
    assert sent(emulator, "POST", "workspace/diff", text)["differs"]
    assert not sent(emulator, "POST", "workspace/diff?before=start", text)["differs"]


def test_each_finding_has_its_line(emulator: Emulator) -> None:
    text = text_of(emulator).replace("operator: at_least", "operator: unknown_operator")
    answer = sent(emulator, "POST", "workspace/check", text)
    assert not answer["valid"]
    found = next(each for each in answer["findings"] if each["severity"] == "error")
    assert "unknown_operator" in text.splitlines()[found["line"] - 1], found
    # Without lines there are none.
    document = yaml.safe_load(text_of(emulator))
    checked = emulator.client.post("/_emulator/workspace/check", json=document).json
    assert not any("line" in each for each in checked["findings"])


@pytest.mark.parametrize("path", ["workspace/check", "workspace/diff"])
@pytest.mark.parametrize(
    ("text", "where"), [("a: [", "workspace, line 2, column 1"), ("- 1", "workspace"), ("", "workspace")]
)
def test_what_does_not_parse_is_refused_with_its_line(emulator: Emulator, path: str, text: str, where: str) -> None:
    assert sent(emulator, "POST", path, text, 400)["where"] == where


def test_bytes_that_are_no_text_and_masked_secrets_are_refused(emulator: Emulator) -> None:
    answer = emulator.client.put("/_emulator/workspace", data=b"\xff\xfe\x00", headers=HEADERS)
    assert answer.status_code == 400
    masked = text_of(emulator, mask="true")
    assert "sa-local-write" not in masked
    assert sent(emulator, "PUT", "workspace", masked, 400)["found"] == "***"
    assert sent(emulator, "POST", "workspace/diff", masked, 400)["found"] == "***"


def test_secrets_are_not_in_a_masked_diff(emulator: Emulator) -> None:
    text = text_of(emulator).replace("sa-local-write", "sa-other-write")
    assert "sa-other-write" in str(sent(emulator, "POST", "workspace/diff", text))
    assert "sa-other-write" not in str(sent(emulator, "POST", "workspace/diff?mask=true", text))


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_can_be_applied(emulator: Emulator, name: str) -> None:
    text = emulator.client.get(f"/_emulator/workspace/templates/{name}").text
    assert parse(text, where=name)
    assert sent(emulator, "POST", "workspace/check", text)["valid"]
    sent(emulator, "PUT", "workspace", text)


def test_what_became_of_the_file_that_is_followed_is_told(tmp_path: Path, emulator: Emulator) -> None:
    def started() -> Any:
        return emulator.client.get("/_emulator/workspace/start").json

    assert (started()["file"], started()["refused"]) == (None, None)
    path = tmp_path / "workspace.yaml"
    path.write_text(text_of(emulator), encoding="utf-8")
    watcher = WorkspaceWatcher(emulator, path, lambda _: None, started_with=content_of(path))
    assert (started()["file"], started()["refused"]) == (str(path), None)
    path.write_text("a: [", encoding="utf-8")
    for _ in range(BROKEN_LOOKS):
        watcher.look()
    assert "line 2" in started()["refused"]
    path.write_text(text_of(emulator).replace("name: local", "name: saved"), encoding="utf-8")
    for _ in range(VALID_LOOKS):
        watcher.look()
    assert (started()["workspace"]["name"], started()["refused"]) == ("saved", None)
