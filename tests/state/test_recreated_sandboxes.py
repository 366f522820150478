"""Sandboxes of one name that are created, used and deleted at once: no request finds the data of another sandbox."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
from werkzeug.test import Client

from emulator import Emulator

ROUNDS, THREADS = 12, 4
NAME = "again"
EMAILS = '{ cdpProfiles(advertiserId: "1001", filterBy: {limit: 1000}) { profiles { nodes { email } } } }'


def live_once(client: Client, person: str) -> Counter[int]:
    """Creates the sandbox, sends a person to it, looks for the person, and deletes it; the statuses of the requests."""
    statuses: Counter[int] = Counter()
    made = client.post("/_emulator/sandboxes", json={"name": NAME})
    statuses[made.status_code] += 1
    if made.status_code == 201:
        sandbox = made.get_json()
        call = {"userId": person, "traits": {"email": f"{person}@example.com", "total_spent": 900}}
        sent = client.post("/v1/identify", json={**call, "writeKey": sandbox["writeKey"]})
        bearer = {"authorization": f"Bearer {sandbox['token']}"}
        found = client.post("/graphql", json={"query": EMAILS}, headers=bearer)
        statuses.update((sent.status_code, found.status_code))
        if sent.status_code == found.status_code == 200:
            nodes = found.get_json()["data"]["cdpProfiles"]["profiles"]["nodes"]
            assert [node["email"] for node in nodes] == [f"{person}@example.com"]
    statuses[client.delete(f"/_emulator/sandboxes/{NAME}").status_code] += 1
    return statuses


def used_at_once(clients: list[Client]) -> Counter[int]:
    with ThreadPoolExecutor(THREADS) as threads:
        rounds = threads.map(
            lambda number: live_once(clients[number % len(clients)], f"p{number}"), range(ROUNDS * THREADS)
        )
        return sum(rounds, Counter())


# Created, served, refused as taken or because the key is of a deleted one, unknown token, unknown sandbox.
EXPECTED = {201, 200, 204, 400, 401, 404}


@pytest.mark.parametrize("kind", ["memory", "files"])
def test_in_one_process(tmp_path: Path, kind: str) -> None:
    with Emulator(data=tmp_path if kind == "files" else None) as emulator:
        statuses = used_at_once([emulator.client for _ in range(THREADS)])
        assert set(statuses) <= EXPECTED, statuses
        assert statuses[201] == statuses[204] > 0
        made = emulator.client.post("/_emulator/sandboxes", json={"name": NAME}).get_json()
        bearer = {"authorization": f"Bearer {made['token']}"}
        found = emulator.client.post("/graphql", json={"query": EMAILS}, headers=bearer).get_json()
        assert found["data"]["cdpProfiles"]["profiles"]["nodes"] == []
        assert emulator.client.delete(f"/_emulator/sandboxes/{NAME}").status_code == 204
    if kind == "files":
        assert [file.name for file in tmp_path.iterdir() if file.name.startswith(NAME)] == []


def test_by_several_processes(database: str) -> None:
    with ExitStack() as opened:
        emulators = [opened.enter_context(Emulator(database=database)) for _ in range(2)]
        statuses = used_at_once([emulator.client for emulator in emulators])
        assert set(statuses) <= EXPECTED, statuses
        assert statuses[201] > 0


def test_a_failed_creation_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Emulator(data=tmp_path) as emulator:
        opening: Callable[..., object] = emulator.sandboxes._open_services

        def fails(*arguments: object) -> object:
            opening(*arguments)
            raise OSError("the disk is full")

        with monkeypatch.context() as patched:
            patched.setattr(emulator.sandboxes, "_open_services", fails)
            with pytest.raises(OSError, match="the disk is full"):
                emulator.sandboxes.create(NAME)
        assert emulator.client.get(f"/_emulator/sandboxes/{NAME}").status_code == 404
        assert [file.name for file in tmp_path.iterdir() if file.name.startswith(NAME)] == []
        assert emulator.client.post("/_emulator/sandboxes", json={"name": NAME}).status_code == 201


@pytest.mark.parametrize("name", ["con", "nul", "aux", "prn", "com1", "lpt9"])
def test_a_name_that_file_systems_reserve_is_refused(name: str) -> None:
    with Emulator() as emulator:
        response = emulator.client.post("/_emulator/sandboxes", json={"name": name})
        assert (response.status_code, response.get_json()["found"]) == (400, name)
