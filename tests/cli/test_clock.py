"""`clock advance` shows on a terminal what is left."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterable, Iterator
from threading import Event
from typing import TYPE_CHECKING

import pytest

from emulator.cli import clock
from emulator.server.listener import Listener

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

Call = Callable[..., subprocess.CompletedProcess[str]]
STATE = {"now": "2026-03-31T12:00:00.000Z", "frozen": True, "aheadSeconds": 0.0}
LEFT = {"until": "2026-04-01T12:00:00.000Z", "profilesDue": 52_000, "eventsQueued": 1}
SECONDS_ALLOWED = 20


class Advancing:
    """An emulator whose advance ends once it was asked twice what is left."""

    def __init__(self) -> None:
        self.asked, self.asks = Event(), 0

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        body = STATE
        if environ["REQUEST_METHOD"] == "GET":
            self.asks += 1
            body = STATE | {"advance": LEFT}
            # The line is shown before it asks again.
            if self.asks > 1:
                self.asked.set()
        else:
            assert self.asked.wait(SECONDS_ALLOWED)
        start_response("200 OK", [("Content-Type", "application/json")])
        return [json.dumps(body).encode()]


@pytest.fixture
def advancing() -> Iterator[Advancing]:
    yield (advancing := Advancing())
    advancing.asked.set()


@pytest.fixture
def url(advancing: Advancing) -> Iterator[str]:
    listener = Listener(advancing)
    listener.start()
    yield listener.url
    listener.stop()


def test_a_terminal_shows_what_is_left(call: Call, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "_SECONDS_A_LINE", 0.001)
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    monkeypatch.setenv("COLUMNS", "200")
    done = call("clock", "advance", "31d", "--url", url)
    assert done.returncode == 0
    left = "2026-03-31T12:00:00.000Z: 52,000 profiles to compute, 1 event to send until 2026-04-01T12:00:00.000Z"
    assert left in done.stderr
    assert done.stdout == "2026-03-31T12:00:00.000Z (frozen, 0 s ahead)\n"


def test_without_a_terminal_nothing_is_shown_or_asked(call: Call, url: str, advancing: Advancing) -> None:
    advancing.asked.set()
    done = call("clock", "advance", "31d", "--json", "--url", url)
    assert (done.returncode, done.stderr, json.loads(done.stdout)) == (0, "", STATE)
    assert advancing.asks == 0
