"""A destination's endpoint that does not respond until a test says so."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from threading import Event, Semaphore
from typing import TYPE_CHECKING

import pytest

from emulator import Emulator, load_workspace
from emulator.segment.delivery.sender import Sender
from emulator.workspace import Workspace

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

SECONDS_ALLOWED = 20
KEY = ("segment-local", "")


class SlowEndpoint:
    """Answers each request once it is released."""

    def __init__(self) -> None:
        self.arrived, self.released = Semaphore(0), Event()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        self.arrived.release()
        self.released.wait(SECONDS_ALLOWED)
        start_response("200 OK", [("Content-Type", "application/json")])
        return [b'{"data": {}}']


def with_slow_destinations(url: str) -> Workspace:
    """The default workspace with two more destinations, `remote-0` and `remote-1`, at an endpoint."""
    workspace = load_workspace()
    [destination] = workspace.destinations
    remote = [replace(destination, name=f"remote-{n}", endpoint=f"{url}/graphql") for n in range(2)]
    return replace(workspace, destinations=(*remote, destination))


def jump_while_sending(sends: Emulator, jumps: Emulator, slow: SlowEndpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    """`jumps` moves the clock of both while a request of `sends` is on its way: the clock waits for the response."""
    waits, wait = Event(), Sender.wait

    def waiting(self: Sender, number: int, seconds: float | None) -> None:
        if seconds is None:
            waits.set()
        wait(self, number, seconds)

    monkeypatch.setattr(Sender, "wait", waiting)
    clock, before = jumps.sandbox.clock, jumps.sandbox.clock.now()
    person = {"userId": "u1", "traits": {"email": "u1@example.com", "total_spent": 900}}
    with ThreadPoolExecutor(2) as threads:
        sent = threads.submit(sends.app.test_client().post, "/v1/identify", json=person, auth=KEY)
        assert slow.arrived.acquire(timeout=SECONDS_ALLOWED)
        jump = threads.submit(jumps.app.test_client().post, "/_emulator/clock/advance", json={"duration": "1h"})
        assert waits.wait(SECONDS_ALLOWED)
        assert clock.now() - before < timedelta(hours=1)
        slow.released.set()
        assert sent.result().status_code == jump.result().status_code == 200
        assert clock.now() - before >= timedelta(hours=1)
