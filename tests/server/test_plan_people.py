"""The people of a plan from a file: a snapshot is known by what is in it, and a bad one is named with its place."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from emulator import Emulator, load_workspace
from emulator.clock import Clock
from emulator.errors import InputError
from emulator.harness.plan import people_known
from emulator.server import services as services_module
from emulator.server.plan_people import people_in
from emulator.timestamps import from_millis, to_millis
from emulator.workspace import parse_workspace
from emulator.workspace_document import document_of

WORKSPACE = load_workspace()
CALLS = (
    {"type": "identify", "userId": "u1", "traits": {"email": "ada@example.com", "total_spent": 900}},
    {"type": "identify", "userId": "u2", "traits": {"email": "eve@example.com"}},
)


def snapshot_of(emulator: Emulator) -> bytes:
    content = emulator.client.get("/_emulator/snapshot").data
    assert isinstance(content, bytes)
    return content


@pytest.fixture(scope="module")
def saved() -> bytes:
    """A snapshot of a sandbox with two people, whose clock is forty days ahead."""
    with Emulator(WORKSPACE) as emulator:
        emulator.services.advance(timedelta(days=40))
        emulator.segment.ingest("batch", {"batch": list(CALLS)})
        return snapshot_of(emulator)


@pytest.mark.parametrize("name", ["before.snapshot.gz", "before", "before.jsonl"])
def test_a_snapshot_has_the_people_of_its_sandbox(tmp_path: Path, saved: bytes, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(saved if name.endswith("gz") else gzip.decompress(saved))
    found = people_in(path, [WORKSPACE])
    with Emulator(WORKSPACE) as emulator:
        emulator.segment.ingest("batch", {"batch": list(CALLS)})
        known = people_known(emulator.services)
    assert found.text == f"2 people of {name}"
    assert [*found.make()] == [*known.make()]
    assert [call["userId"] for call in found.make()] == ["u1", "u2"]
    assert found.at - from_millis(to_millis(Clock().now())) > timedelta(days=39)


def test_memberships_that_were_set_against_the_condition_of_the_saved_workspace_are_known(tmp_path: Path) -> None:
    document = document_of(WORKSPACE)
    document["audiences"][0]["condition"]["value"] = 1000
    with Emulator(parse_workspace(document)) as emulator:
        emulator.segment.ingest("batch", {"batch": list(CALLS)})
        emulator.segment.set_membership("vip_customers", entered=True, user_id="u2")
        (tmp_path / "saved.gz").write_bytes(snapshot_of(emulator))
        members = people_known(emulator.services).members
    assert people_in(tmp_path / "saved.gz", [WORKSPACE]).members == members
    assert [(each["user_id"], each["entered"]) for each in members] == [("u2", True)]


def test_a_snapshot_of_another_workspace_and_its_queue_send_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = document_of(WORKSPACE)
    document["name"] = "shop"
    path = tmp_path / "queued.gz"
    with Emulator(parse_workspace(document)) as emulator:
        emulator.client.post("/_emulator/faults", json={"fault": "status", "status": 503})
        emulator.segment.ingest("batch", {"batch": list(CALLS)})
        assert {each["outcome"] for each in emulator.services.segment.deliveries()} == {"retrying"}
        content = [json.loads(line) for line in gzip.decompress(snapshot_of(emulator)).splitlines()]
    # As saved by a sandbox whose destination sends elsewhere.
    content[0]["configuration"]["document"]["destinations"][0]["endpoint"] = "http://127.0.0.1:9/graphql"
    path.write_text("".join(f"{json.dumps(line)}\n" for line in content), encoding="utf-8")
    opened: list[str] = []
    monkeypatch.setattr(services_module, "HttpTransport", lambda url, **_: opened.append(url))
    assert people_in(path, [WORKSPACE]).text == "2 people of queued.gz"
    assert opened == []


def changed(change: Callable[[list[Any]], object]) -> Callable[[bytes], bytes]:
    def made(content: bytes) -> bytes:
        lines = [json.loads(line) for line in gzip.decompress(content).splitlines()]
        change(lines)
        return "".join(f"{json.dumps(line)}\n" for line in lines).encode()

    return made


def without_people(lines: list[Any]) -> None:
    tables = [line for line in lines if isinstance(line, dict) and "table" in line]
    lines[:] = [lines[0], *tables, {"rows": 0}]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            changed(lambda lines: lines[0].update(version=3)),
            r"people, version: unsupported .*Found: 3\. .*Save it again",
        ),
        (changed(lambda lines: lines[0].pop("configuration")), "people: the snapshot is damaged: its workspace is inv"),
        (changed(lambda lines: lines.pop()), "people: the snapshot is damaged: it is incomplete. Save it again"),
        (changed(lambda lines: lines.insert(2, ["a"])), r"people, \S+, row 1: the snapshot is damaged: a row has too"),
        (changed(without_people), "people: the snapshot has no people"),
        (lambda content: content[: len(content) // 2], "people: the snapshot is damaged: it cannot be unpacked"),
        (lambda content: content[:4], "cannot read .*people: its compressed data is damaged"),
        (lambda _: b"", "people: the file has no people"),
        (lambda _: b'{"format": "another"}\n7\n', r"people, line 2: invalid event\. Found: 'an integer'"),
    ],
)
def test_a_file_that_is_no_whole_snapshot_is_named_with_its_place(
    tmp_path: Path, saved: bytes, change: Callable[[bytes], bytes], message: str
) -> None:
    path = tmp_path / "people"
    path.write_bytes(change(saved))
    with pytest.raises(InputError, match=message):
        people_in(path, [WORKSPACE])
