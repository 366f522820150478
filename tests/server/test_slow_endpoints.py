"""Endpoints that do not respond keep neither requests, nor other destinations, nor other sandboxes waiting."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import httpx
import pytest

from emulator import Emulator
from emulator.protocol import SANDBOX_HEADER
from emulator.segment.delivery.sender import Sender
from emulator.server import turns
from emulator.server.heartbeat import Heartbeat
from emulator.server.listener import Listener
from tests.slow_endpoint import KEY, SECONDS_ALLOWED, SlowEndpoint, jump_while_sending, with_slow_destinations

WRITE_TOKEN = {"authorization": "Bearer sa-local-write"}
UPSERT = {"query": "{ advertisers(first: 1) { nodes { id } } }"}


@pytest.fixture
def slow() -> Iterator[SlowEndpoint]:
    yield (endpoint := SlowEndpoint())
    endpoint.released.set()


@pytest.fixture
def emulator(slow: SlowEndpoint, monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    """An emulator on a port with three destinations: two at the slow endpoint, and one in the process."""
    monkeypatch.setattr(turns, "_PATIENCE_SECONDS", 0.01)
    listener = Listener(slow)
    listener.start()
    with Emulator(with_slow_destinations(listener.url)) as emulator:
        emulator.start()
        yield emulator
        slow.released.set()
    listener.stop()


def identify(client: httpx.Client, number: int, **headers: str) -> httpx.Response:
    person = {"userId": f"u{number}", "traits": {"email": f"u{number}@example.com", "total_spent": 900}}
    return client.post("/v1/identify", json=person, auth=KEY, headers=headers)


def outcomes(emulator: Emulator, destination: str, client: httpx.Client) -> list[str]:
    rows: list[dict[str, Any]] = client.get(
        "/_emulator/deliveries", params={"destination": destination, "limit": 100}
    ).json()["deliveries"]
    return [row["outcome"] for row in rows]


def test_every_request_is_answered_while_they_wait(emulator: Emulator, slow: SlowEndpoint) -> None:
    with httpx.Client(base_url=emulator.url, trust_env=False, timeout=SECONDS_ALLOWED) as client:
        with ThreadPoolExecutor(12) as threads:
            answers = list(threads.map(lambda number: identify(client, number), range(12)))
        assert {answer.status_code for answer in answers} == {200}
        # Each destination has one request on its way, and the others wait for it.
        assert all(slow.arrived.acquire(timeout=SECONDS_ALLOWED) for _ in range(2))
        assert client.get("/_emulator/health").status_code == 200
        assert client.post("/graphql", json=UPSERT, headers=WRITE_TOKEN).status_code == 200
        [name] = [each.name for each in emulator.sandbox.workspace.destinations if not each.endpoint]
        assert set(outcomes(emulator, name, client)) == {"sent"}
        assert not slow.arrived.acquire(blocking=False)
        slow.released.set()
        emulator.segment.process_due()
        assert outcomes(emulator, "remote-0", client).count("queued") == 0


def test_another_sandbox_is_served_in_time(
    emulator: Emulator, slow: SlowEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = emulator.sandboxes.create("other", workspace=None)
    services = emulator.sandboxes.services(other.name)
    with httpx.Client(base_url=emulator.url, trust_env=False, timeout=SECONDS_ALLOWED) as client:
        assert identify(client, 1).status_code == 200
        assert slow.arrived.acquire(timeout=SECONDS_ALLOWED)
        served = Event()
        process_due = services.segment.process_due

        def process_and_note() -> None:
            process_due()
            served.set()

        # Of this one sandbox: the class is also that of the others.
        monkeypatch.setattr(services.segment, "process_due", process_and_note)
        with Heartbeat(emulator.sandboxes.opened, period_seconds=0.001):
            assert served.wait(SECONDS_ALLOWED)
        assert client.get("/_emulator/health", headers={SANDBOX_HEADER: "other"}).status_code == 200


# The jump of another process: tests/state/test_shared_state.py.
@pytest.mark.one_process
def test_a_clock_jump_waits_for_what_is_sent_on_the_way(
    emulator: Emulator, slow: SlowEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    jump_while_sending(emulator, emulator, slow, monkeypatch)


def test_closing_sends_nothing_more(emulator: Emulator, slow: SlowEndpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    ended, join = Event(), Sender.join

    def joining(self: Sender, seconds: float) -> None:
        ended.set()
        join(self, seconds)

    monkeypatch.setattr(Sender, "join", joining)
    with httpx.Client(base_url=emulator.url, trust_env=False, timeout=SECONDS_ALLOWED) as client:
        for number in range(3):
            identify(client, number)
    assert all(slow.arrived.acquire(timeout=SECONDS_ALLOWED) for _ in range(2))
    with ThreadPoolExecutor(1) as threads:
        closing = threads.submit(emulator.segment.close)
        assert ended.wait(SECONDS_ALLOWED)
        slow.released.set()
        closing.result()
    assert not slow.arrived.acquire(blocking=False)
