"""The watcher of a workspace file follows every way in which editors write, and rejects what is broken."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from emulator import Emulator
from emulator.server.watch import BROKEN_LOOKS, VALID_LOOKS, WorkspaceWatcher, content_of
from emulator.workspace_document import document_of
from emulator.yaml_files import dump_yaml


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator() as emulator:
        yield emulator


@pytest.fixture
def path(emulator: Emulator, tmp_path: Path) -> Path:
    path = tmp_path / "workspace.yaml"
    path.write_text(text_of(emulator), encoding="utf-8")
    return path


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def watcher(emulator: Emulator, path: Path, said: list[str]) -> WorkspaceWatcher:
    return WorkspaceWatcher(emulator, path, said.append, started_with=content_of(path))


def text_of(emulator: Emulator, **changes: Any) -> str:
    return dump_yaml({**document_of(emulator.sandbox.workspace), **changes})


def look(watcher: WorkspaceWatcher, times: int) -> None:
    for _ in range(times):
        watcher.look()


def renaming(path: Path, text: str) -> Iterator[None]:
    other = path.with_suffix(".tmp")
    other.write_text(text, encoding="utf-8")
    yield
    other.replace(path)
    yield


def removing_first(path: Path, text: str) -> Iterator[None]:
    path.rename(path.with_suffix(".bak"))
    yield
    path.write_text(text, encoding="utf-8")
    yield


def truncating(path: Path, text: str) -> Iterator[None]:
    path.write_text("", encoding="utf-8")
    yield
    path.write_text(text, encoding="utf-8")
    yield


def in_two_steps(path: Path, text: str) -> Iterator[None]:
    path.write_text(text[: len(text) // 2], encoding="utf-8")
    yield
    with path.open("a", encoding="utf-8") as file:
        file.write(text[len(text) // 2 :])
    yield


WAYS: list[Callable[[Path, str], Iterator[None]]] = [renaming, removing_first, truncating, in_two_steps]


@pytest.mark.parametrize("write", WAYS, ids=lambda way: way.__name__)
def test_a_saved_file_is_applied_however_it_is_written(
    write: Callable[[Path, str], Iterator[None]],
    emulator: Emulator,
    path: Path,
    watcher: WorkspaceWatcher,
    said: list[str],
) -> None:
    for step, timing in enumerate(["realistic", "instant", "realistic"]):
        for _ in write(path, text_of(emulator, timing=timing)):
            # An interval passes between two steps of the editor.
            watcher.look()
        look(watcher, VALID_LOOKS)
        assert emulator.sandbox.workspace.timing == timing
        assert said.count(f"{path} was applied") == step + 1
    assert not any("error" in line for line in said)


def test_a_broken_file_is_reported_once_and_the_previous_workspace_stays(
    emulator: Emulator, path: Path, watcher: WorkspaceWatcher, said: list[str]
) -> None:
    before = emulator.sandbox.workspace
    path.write_text(text_of(emulator, timing="slow"), encoding="utf-8")
    look(watcher, BROKEN_LOOKS - 1)
    assert said == []
    look(watcher, BROKEN_LOOKS)
    assert said[0].startswith(f"error: {path}: timing: ")
    assert said[1:] == [f"{path} was not applied; the previous workspace stays active"]
    assert emulator.sandbox.workspace is before
    path.write_text(text_of(emulator, timing="realistic"), encoding="utf-8")
    look(watcher, VALID_LOOKS)
    assert emulator.sandbox.workspace.timing == "realistic"


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"- 1\n", b"a: [", b"\x1f\x8b damaged"])
def test_whatever_is_in_the_file_the_emulator_goes_on(
    content: bytes, emulator: Emulator, path: Path, watcher: WorkspaceWatcher, said: list[str]
) -> None:
    before = emulator.sandbox.workspace
    path.write_bytes(content)
    look(watcher, BROKEN_LOOKS)
    assert said[0].startswith("error: ")
    assert emulator.sandbox.workspace is before


def test_a_file_that_says_the_same_or_is_missing_changes_nothing(
    emulator: Emulator, path: Path, watcher: WorkspaceWatcher, said: list[str]
) -> None:
    before = emulator.sandbox.workspace
    path.write_text(f"# A comment.\n{path.read_text(encoding='utf-8')}", encoding="utf-8")
    look(watcher, VALID_LOOKS)
    path.unlink()
    look(watcher, BROKEN_LOOKS)
    assert (said, emulator.sandbox.workspace) == ([], before)


def test_findings_of_an_applied_file_are_printed(
    emulator: Emulator, path: Path, watcher: WorkspaceWatcher, said: list[str]
) -> None:
    path.write_text(text_of(emulator, destinations=[]), encoding="utf-8")
    look(watcher, VALID_LOOKS)
    assert any("has no destination" in line for line in said)


def test_options_of_the_command_line_still_apply(tmp_path: Path) -> None:
    with Emulator(latency="4h") as emulator:
        path = tmp_path / "workspace.yaml"
        watcher = WorkspaceWatcher(emulator, path, print, started_with=None)
        document = {**document_of(emulator.sandbox.workspace), "timing": "realistic", "ingestion": {"latency": "1h"}}
        path.write_text(dump_yaml(document), encoding="utf-8")
        look(watcher, VALID_LOOKS)
        assert (emulator.sandbox.workspace.timing, emulator.sandbox.workspace.latency) == ("realistic", "4h")
