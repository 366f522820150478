"""A data file that cannot be used is named, with what to do; other sandboxes work on."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from emulator import Emulator
from emulator.data_files import OPEN_FILES, OpenFiles
from emulator.workspace import load_workspace
from emulator.workspace_document import document_of

QUERY = {"query": "{ cdpProfiles(advertiserId: 1001) { size } }"}
TRAITS = {"email": "ada@example.com"}


def cut_short(file: Path) -> None:
    os.truncate(file, file.stat().st_size // 2 // 4096 * 4096)


def zero_pages(file: Path) -> None:
    with file.open("r+b") as opened:
        opened.seek(8 * 4096)
        opened.write(bytes(8 * 4096))


def another_format(file: Path) -> None:
    file.write_bytes(b"name,email\n" * 4000)


def damaged_header(file: Path) -> None:
    with file.open("r+b") as opened:
        opened.write(bytes(100))


def folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


def other_version(file: Path) -> None:
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("ALTER TABLE sa_jobs ADD COLUMN other TEXT")
        connection.commit()


DAMAGE = {
    cut_short: "damaged",
    zero_pages: "damaged",
    another_format: "not a SQLite database",
    damaged_header: "not a SQLite database",
    folder: "it is a folder",
}


def filled(data: Path, sandbox: str | None = None) -> Path:
    with Emulator(data=data) as emulator:
        if sandbox:
            emulator.sandboxes.create(sandbox)
        services = emulator.sandboxes.services(sandbox or "default")
        services.segment.ingest("identify", {"userId": "u", "traits": TRAITS})
        name = services.sandbox.store.url.rsplit("/", 1)[-1]
    return data / name


@pytest.mark.parametrize("damage", DAMAGE, ids=lambda damage: damage.__name__)
def test_serve_names_a_damaged_file(damage: Callable[[Path], None], call: Callable[..., Any], tmp_path: Path) -> None:
    file = filled(tmp_path)
    damage(file)
    done = call("serve", "--port", "0", "--data", str(tmp_path))
    assert done.returncode == 2
    assert str(file) in done.stderr
    assert DAMAGE[damage] in done.stderr
    assert "bug in the emulator" not in done.stderr


@pytest.mark.parametrize("content", [b"no database" * 1000, None], ids=["another format", "a folder"])
def test_serve_names_a_lock_that_it_cannot_use(content: bytes | None, call: Callable[..., Any], tmp_path: Path) -> None:
    lock = tmp_path / "in-use"
    if content is None:
        lock.mkdir()
    else:
        lock.write_bytes(content)
    done = call("serve", "--port", "0", "--data", str(tmp_path))
    assert done.returncode == 2
    assert str(lock) in done.stderr
    assert "bug in the emulator" not in done.stderr


def test_serve_names_the_table_of_another_version(call: Callable[..., Any], tmp_path: Path) -> None:
    other_version(filled(tmp_path))
    done = call("serve", "--port", "0", "--data", str(tmp_path))
    assert (done.returncode, "different version of the emulator" in done.stderr) == (2, True)


@pytest.mark.parametrize("damage", DAMAGE, ids=lambda damage: damage.__name__)
def test_a_damaged_sandbox_file_affects_no_other_sandbox(damage: Callable[[Path], None], tmp_path: Path) -> None:
    file = filled(tmp_path, "broken")
    damage(file)
    with Emulator(data=tmp_path) as emulator:
        answers = _answers(emulator, "broken")
        assert {name: answer.status_code for name, answer in answers.items()} == dict.fromkeys(answers, 503)
        assert all(str(file) in answer.text for answer in answers.values())
        assert answers["graphql"].json["errors"][0]["extensions"]["emulator"] is True
        assert answers["v1"].json["success"] is False
        assert {answer.status_code for answer in _answers(emulator, "default").values()} == {200}
        if damage is not folder:
            assert emulator.client.delete("/_emulator/sandboxes/broken").status_code == 204


def test_damage_found_while_running_is_named_and_other_sandboxes_work_on(tmp_path: Path) -> None:
    with Emulator(data=tmp_path) as emulator:
        emulator.sandboxes.create("broken")
        services = emulator.sandboxes.services("broken")
        file = services.sandbox.store._file
        assert file is not None
        services.segment.ingest("identify", {"userId": "u", "traits": TRAITS})
        # Closing moves everything into the file; the next transaction opens it again.
        assert services.sandbox.store._close_file()
        with file.path.open("r+b") as opened:
            opened.seek(4096)
            opened.write(b"\xff" * (file.path.stat().st_size - 4096))
        answers = _answers(emulator, "broken")
        assert {answer.status_code for answer in answers.values()} == {503}
        assert all(str(file.path) in answer.text for answer in answers.values())
        assert {answer.status_code for answer in _answers(emulator, "default").values()} == {200}


@pytest.mark.parametrize("replaced", [False, True])
def test_a_file_removed_while_running_accepts_nothing_that_would_be_lost(replaced: bool, tmp_path: Path) -> None:
    with Emulator(data=tmp_path) as emulator:
        emulator.sandboxes.create("other")
        file = tmp_path / "default.sqlite"
        if replaced:
            copy = tmp_path / "copy"
            copy.write_bytes(file.read_bytes())
            copy.replace(file)
        else:
            file.unlink()
        answers = _answers(emulator, "default")
        assert {answer.status_code for answer in answers.values()} == {503}
        assert all("removed or replaced" in answer.text for answer in answers.values())
        assert {answer.status_code for answer in _answers(emulator, "other").values()} == {200}


def test_a_full_disk_stores_nothing_of_a_call_and_is_over_once_there_is_space(tmp_path: Path) -> None:
    with Emulator(data=tmp_path) as emulator:
        emulator.sandboxes.create("other")
        store = emulator.sandbox.store
        with store.begin() as connection:
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
            connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
        traits = {**TRAITS, "text": "x" * 30_000}
        answer = _call(emulator, "default", {"userId": "u", "traits": traits})
        assert answer.status_code == 503
        assert answer.headers["Retry-After"] == "1"
        assert answer.json["message"].endswith("default.sqlite: the disk is full")
        assert emulator.segment.profiles() == []
        assert {answer.status_code for answer in _answers(emulator, "other").values()} == {200}
        with store.begin() as connection:
            connection.exec_driver_sql("PRAGMA max_page_count = 1000000")
        assert _call(emulator, "default", {"userId": "u", "traits": traits}).status_code == 200


def test_few_files_are_open_whatever_the_number_of_sandboxes(tmp_path: Path) -> None:
    with Emulator(data=tmp_path) as emulator:
        before = _descriptors()
        names = [emulator.sandboxes.create().name for _ in range(OPEN_FILES * 3)]
        assert _descriptors() - before <= OPEN_FILES * 3 + 3
        for name in names:
            assert {answer.status_code for answer in _answers(emulator, name).values()} == {200}
        assert _descriptors() - before <= OPEN_FILES * 3 + 3


def test_a_file_in_use_is_not_closed() -> None:
    closed: list[str] = []

    def closing_of(name: str, *, busy: bool = False) -> Callable[[], bool]:
        def close() -> bool:
            closed.append(name)
            return not busy

        return close

    files = OpenFiles(most=1)
    first, second = closing_of("first", busy=True), closing_of("second")
    files.use(first)
    files.use(second)
    assert closed == ["first"]
    files.use(first)
    assert closed == ["first", "second"]


def test_a_transaction_keeps_its_file_open(tmp_path: Path) -> None:
    with Emulator(data=tmp_path) as emulator:
        store = emulator.sandbox.store
        with store.begin():
            assert not store._close_file()
        assert store._close_file()


def test_a_quiet_sandbox_is_left_alone_until_something_is_due(tmp_path: Path) -> None:
    with Emulator(data=tmp_path) as emulator:
        emulator.sandbox.clock.freeze()
        sandbox = emulator.sandboxes.create("quiet", workspace=_with_latency())
        services = emulator.sandboxes.services("quiet")
        services.sandbox.clock.freeze()
        beginnings = _count_transactions(services.sandbox.store)
        services.process_due_when_needed()
        beginnings.clear()
        services.process_due_when_needed()
        assert beginnings == []
        body = {"userId": "u", "traits": {**TRAITS, "total_spent": 900}}
        assert _call(emulator, sandbox.name, body).status_code == 200
        for _ in range(5):
            services.process_due_when_needed()
        beginnings.clear()
        services.process_due_when_needed()
        assert beginnings == []
        assert services.stackadapt.profiles() == []
        services.sandbox.clock.advance(timedelta(hours=5))
        services.process_due_when_needed()
        assert beginnings
        assert services.stackadapt.counts()["profiles"] == 1


def _with_latency() -> dict[str, Any]:
    return {**document_of(load_workspace()), "ingestion": {"latency": "4h"}}


def _count_transactions(store: Any) -> list[None]:
    beginnings: list[None] = []
    inside = store._using

    def counted() -> Any:
        beginnings.append(None)
        return inside()

    store._using = counted
    return beginnings


def _descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def _call(emulator: Emulator, sandbox: str, body: dict[str, Any]) -> Any:
    key = next(iter(emulator.sandboxes.get(sandbox).workspace.sources)).write_key
    return emulator.client.post("/v1/identify", json=body, auth=(key, ""))


def _answers(emulator: Emulator, sandbox: str) -> dict[str, Any]:
    token = emulator.sandboxes.get(sandbox).workspace.tokens[0].secret
    client = emulator.client
    return {
        "graphql": client.post("/graphql", json=QUERY, headers={"Authorization": f"Bearer {token}"}),
        "v1": _call(emulator, sandbox, {"userId": "u2", "traits": {"email": "bob@example.com"}}),
        "control": client.get("/_emulator/counts", headers={"X-Emulator-Sandbox": sandbox}),
    }
