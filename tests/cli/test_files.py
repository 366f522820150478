"""Files that a command cannot read or write: one line that says why and what to do, and exit code 2."""

from __future__ import annotations

import codecs
import gzip
import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from emulator import Emulator
from emulator.artefacts import fixture

Run = Callable[..., subprocess.CompletedProcess[str]]

# FILE is what cannot be read, EVENTS an event that can.
READING: dict[str, tuple[str, ...]] = {
    "serve": ("serve", "--port", "0", "--workspace", "FILE"),
    "exec": ("exec", "--workspace", "FILE", "--", "true"),
    "lint": ("lint", "FILE"),
    "map workspace": ("map", "EVENTS", "--workspace", "FILE"),
    "map": ("map", "FILE"),
    "explain workspace": ("explain", "EVENTS", "--workspace", "FILE"),
    "explain": ("explain", "FILE"),
    "verify workspace": ("verify", "contracts/scenarios", "--workspace", "FILE"),
    "verify": ("verify", "FILE"),
    "verify exchanges": ("verify", "--exchanges", "FILE"),
    "replay": ("replay", "FILE"),
    "drift": ("drift", "--schema", "FILE"),
    "generate": ("generate", "audience-events", "--count", "1", "--workspace", "FILE"),
    "snapshot": ("snapshot", "load", "FILE"),
}
MISSING = "error: cannot read FILE: no such file. Check the path; a relative one starts in the current folder.\n"
FOLDER = "error: cannot read FILE: it is a folder. Name a file in it.\n"
NOT_UTF_8 = (
    "error: cannot read FILE: it is not UTF-8 text: line 1, column 3 has the byte 0xE9, 'é' in Windows-1252. "
    "Save it as UTF-8.\n"
)
UTF_16 = (
    "error: cannot read FILE: it is UTF-16 text, not UTF-8. "
    "Save it as UTF-8; in PowerShell, write it with Set-Content -Encoding utf8.\n"
)
DAMAGED = "error: cannot read FILE: its compressed data is damaged. Compress it again with gzip.\n"
# What finds a folder earlier, or reads every file in it.
NO_FOLDER = {"verify", "verify exchanges", "snapshot"}
# What does not read text.
BINARY = {"snapshot"}


@pytest.fixture
def events(tmp_path: Path) -> Path:
    path = tmp_path / "events.json"
    path.write_text('{"type": "identify", "userId": "u1", "traits": {}}')
    return path


def read(call: Run, arguments: tuple[str, ...], file: Path, events: Path) -> tuple[int, str, str]:
    named = {"FILE": str(file), "EVENTS": str(events)}
    shown = call(*(named.get(each, each) for each in arguments))
    return shown.returncode, shown.stdout, shown.stderr.replace(str(file), "FILE")


@pytest.mark.parametrize("command", READING)
def test_a_file_that_does_not_exist(call: Run, command: str, tmp_path: Path, events: Path) -> None:
    assert read(call, READING[command], tmp_path / "nowhere.yaml", events) == (2, "", MISSING)


@pytest.mark.parametrize("command", sorted(READING.keys() - NO_FOLDER))
def test_a_folder_in_place_of_a_file(call: Run, command: str, tmp_path: Path, events: Path) -> None:
    assert read(call, READING[command], tmp_path, events) == (2, "", FOLDER)


@pytest.mark.parametrize("command", sorted(READING.keys() - BINARY))
def test_a_file_that_is_not_text(call: Run, command: str, tmp_path: Path, events: Path) -> None:
    file = tmp_path / "latin.txt"
    file.write_bytes(b"A \xe9")
    assert read(call, READING[command], file, events) == (2, "", NOT_UTF_8)
    file.write_text('{"name": "x"}', encoding="utf-16")
    assert read(call, READING[command], file, events) == (2, "", UTF_16)


EVENT = '{"type": "identify", "userId": "u1",\n "traits": {"email": "zoë@example.com"}}\n'
WORKSPACE = fixture("workspace.yaml").read_text(encoding="utf-8")
EXCHANGE = {
    "format": 1,
    "at": "2026-06-14T12:00:00.000Z",
    "token": "token-1",
    "status": 200,
    "headers": {"content-type": "application/json"},
    "request": {"query": "{ __typename }"},
    "response": {"data": {"__typename": "Query"}},
}
SCENARIO = {"title": "Zoë", "about": "x", "steps": [{"then": {"profiles": []}}]}
CASE = {"id": "é", "kind": "transform", "mapping": {"a": "é"}, "payload": {}}
# Commands, and a file that they read, by its name.
CONTENTS: dict[str, tuple[tuple[str, ...], str, str]] = {
    "lint": (("lint", "FILE"), "w.yaml", WORKSPACE),
    "lint JSON": (("lint", "FILE"), "w.json", json.dumps(yaml.safe_load(WORKSPACE), indent=1)),
    "validate": (("validate", "FILE"), "event.json", EVENT),
    "validate YAML": (("validate", "FILE"), "w.yaml", WORKSPACE),
    "map": (("map", "FILE"), "event.json", EVENT),
    "map lines": (("map", "FILE"), "events.jsonl", EVENT.replace("\n", "") + "\n" + EVENT.replace("\n", "")),
    "explain": (("explain", "FILE"), "event.json", EVENT),
    "map workspace": (("map", "EVENTS", "--workspace", "FILE"), "w.yaml", WORKSPACE),
    "verify": (("verify", "FILE", "--list"), "s.yaml", yaml.dump(SCENARIO)),
    "verify JSON": (("verify", "FILE", "--list"), "s.json", json.dumps(SCENARIO, indent=1)),
    "verify exchanges": (("verify", "--exchanges", "FILE"), "e.jsonl", f"{json.dumps(EXCHANGE)}\n" * 2),
    "replay": (("replay", "FILE"), "cases.jsonl", f"{json.dumps(CASE, ensure_ascii=False)}\n" * 2),
    "drift": (("drift", "--schema", "FILE"), "s.graphql", '"""Zoë"""\ntype Query {\n  a: Int\n}\n'),
    "generate": (("generate", "audience-events", "--count", "1", "--workspace", "FILE"), "w.yaml", WORKSPACE),
}


@pytest.mark.parametrize("command", CONTENTS)
def test_a_file_is_read_in_every_form(call: Run, command: str, tmp_path: Path, events: Path) -> None:
    arguments, name, text = CONTENTS[command]
    file = tmp_path / name

    def shown(content: bytes) -> tuple[int, str]:
        file.write_bytes(content)
        code, out, err = read(call, arguments, file, events)
        # Not read, as opposed to read with findings.
        assert code in (0, 1), err
        return code, out

    plain = shown(text.encode())
    crlf = codecs.BOM_UTF8 + text.replace("\n", "\r\n").encode()
    middle = len(crlf) // 2
    assert shown(crlf) == plain
    assert shown(gzip.compress(crlf[:middle]) + gzip.compress(crlf[middle:])) == plain


@pytest.mark.parametrize("command", sorted(READING.keys() - BINARY))
def test_a_damaged_archive(call: Run, command: str, tmp_path: Path, events: Path) -> None:
    file = tmp_path / "events.json.gz"
    file.write_bytes(gzip.compress(b'{"a": 1}' * 1000)[:-20])
    assert read(call, READING[command], file, events) == (2, "", DAMAGED)


def test_a_part_of_the_path_that_is_a_file(call: Run, events: Path) -> None:
    assert call("lint", f"{events}/workspace.yaml").stderr == (
        f"error: cannot read {events}/workspace.yaml: no such file. A part of the path is a file, not a folder.\n"
    )


def test_validate_reports_it_as_a_finding(call: Run, tmp_path: Path) -> None:
    shown = call("validate", str(tmp_path / "none.json"))
    assert shown.returncode == 2
    assert f"Cannot read {tmp_path / 'none.json'}: no such file." in shown.stdout


WRITING: dict[str, tuple[str, ...]] = {
    "verify": ("verify", "-k", "opted-in", "--junit-xml", "FILE"),
    "generate people": ("generate", "people", "--count", "1", "-o", "FILE"),
    "generate workspace": ("generate", "workspace", "-o", "FILE"),
    "snapshot": ("snapshot", "save", "FILE", "--url", "URL"),
    "record": ("record", "--upstream", "URL", "--port", "0", "-o", "FILE"),
}


@pytest.fixture
def url() -> Iterator[str]:
    with Emulator() as emulator:
        emulator.client.post("/v1/identify", json={"userId": "u1"}, auth=("segment-local", ""))
        yield emulator.start()


@pytest.mark.parametrize("command", WRITING)
@pytest.mark.parametrize(
    ("folder", "message"),
    [
        ("nowhere", "no such folder. Create the folder first, or choose another path.\n"),
        ("a-file", "no such folder. A part of the path is a file, not a folder.\n"),
    ],
)
def test_a_file_that_cannot_be_written(
    call: Run, command: str, folder: str, message: str, tmp_path: Path, url: str
) -> None:
    (tmp_path / "a-file").write_text("")
    file = str(tmp_path / folder / "out")
    shown = call(*({"FILE": file, "URL": url}.get(each, each) for each in WRITING[command]))
    assert (shown.returncode, shown.stdout) == (2, "")
    # `record` prints its upstream first.
    assert shown.stderr.endswith(f"error: cannot write {file}: {message}")


def test_a_folder_for_the_data_that_cannot_be_made(call: Run, events: Path) -> None:
    shown = call("serve", "--port", "0", "--data", f"{events}/data")
    assert shown.stderr == (
        f"error: cannot write {events}/data: no such folder. A part of the path is a file, not a folder.\n"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("clock", "show", "--url", "http://127.0.0.1:9"),
            "the emulator does not respond: Connection refused. Start it",
        ),
        (("verify", "--target", "http://127.0.0.1:9"), "no response: Connection refused\n"),
        (
            ("drift", "--url", "http://127.0.0.1:9", "--token", "t"),
            "the endpoint does not respond: Connection refused\n",
        ),
    ],
)
def test_an_address_that_does_not_respond(call: Run, arguments: tuple[str, ...], message: str) -> None:
    shown = call(*arguments)
    assert shown.returncode == 2
    assert message in shown.stderr


# `snapshot save`.


def test_a_snapshot_replaces_a_file_only_by_force(call: Run, url: str, tmp_path: Path) -> None:
    file = tmp_path / "state.gz"
    file.write_text("of mine")
    refused = call("snapshot", "save", str(file), "--url", url)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr == f"error: {file}: this file exists already. Add --force to replace it.\n"
    assert file.read_text() == "of mine"
    saved = call("snapshot", "save", str(file), "--url", url, "--force")
    assert (saved.returncode, saved.stdout) == (0, f"saved {file} ({file.stat().st_size} bytes)\n")
    assert (file.stat().st_mode & 0o777, file.read_bytes()[:2]) == (0o600, b"\x1f\x8b")
    assert call("snapshot", "load", str(file), "--url", url).returncode == 0
    assert [each.name for each in tmp_path.iterdir()] == ["state.gz"]


def test_a_snapshot_that_fails_leaves_the_folder_as_it_was(call: Run, tmp_path: Path, url: str) -> None:
    file = tmp_path / "state.gz"
    file.write_text("of mine")
    for arguments in (("--url", url, "--sandbox", "missing"), ("--url", "http://127.0.0.1:9")):
        assert call("snapshot", "save", str(file), "--force", *arguments).returncode == 2
    assert ([each.name for each in tmp_path.iterdir()], file.read_text()) == (["state.gz"], "of mine")
