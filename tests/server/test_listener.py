"""The listener under what a busy server meets: many connections, and a signal while it serves."""

from __future__ import annotations

import os
import resource
import signal
import socket
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from waitress import wasyncore

from emulator.server.listener import Listener

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

# One process can select() among 1024 files.
MANY = 1100
PATIENCE_SECONDS = 0.2


def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]


@pytest.fixture
def many_files() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    # Both ends of each connection are this process's.
    needed = 2 * MANY + 200
    if hard != resource.RLIM_INFINITY and hard < needed:
        pytest.skip(f"this machine allows a process {hard} open files, and {needed} are needed")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, needed), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.usefixtures("many_files")
def test_more_than_a_thousand_connections_are_served() -> None:
    listener = Listener(app)
    listener.start()
    host, port = listener.url.removeprefix("http://").split(":")
    with ExitStack() as opened:
        opened.callback(listener.stop)
        for _ in range(MANY):
            opened.enter_context(socket.create_connection((host, int(port))))
        assert httpx.get(listener.url, trust_env=False, timeout=20).text == "ok"


@pytest.fixture
def raising() -> Iterator[Callable[[], None]]:
    """Raises KeyboardInterrupt in the main thread, by a signal of its own."""

    def strike(*_: Any) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGUSR1, strike)
    yield lambda: os.kill(os.getpid(), signal.SIGUSR1)
    signal.signal(signal.SIGUSR1, before)


def test_a_signal_ends_it_only_when_every_socket_is_closed(
    monkeypatch: pytest.MonkeyPatch, raising: Callable[[], None]
) -> None:
    returned, too_early = Event(), []
    close_all = wasyncore.close_all

    def slow(sockets: dict[int, Any]) -> None:
        too_early.append(returned.wait(PATIENCE_SECONDS))
        close_all(sockets)

    monkeypatch.setattr(wasyncore, "close_all", slow)
    listener = Listener(app)

    def ask_then_strike() -> None:
        httpx.get(listener.url, trust_env=False, timeout=20)
        raising()

    asking = Thread(target=ask_then_strike)
    asking.start()
    with pytest.raises(KeyboardInterrupt):
        listener.run()
    returned.set()
    asking.join()
    assert too_early == [False]
