"""Clients that hold on to a connection: half-sent requests, bodies that trickle, responses that are not read."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, suppress
from threading import Event
from typing import TYPE_CHECKING

import httpx
import pytest

from emulator.server import http_connections, turns
from emulator.server import listener as listener_module
from emulator.server.listener import Listener
from tests.server.conftest import Start

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

HEAD = b"POST / HTTP/1.1\r\nHost: x\r\n"
GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
HALVES = {
    "nothing": b"",
    "half a head": HEAD,
    "half a body": HEAD + b"Content-Length: 10\r\n\r\nabc",
    "half a chunk": HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nabc",
    "half a trailer": HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\nX: ",
}
MOST = 5
# Much more than the buffers of both ends hold.
LONG_BYTES = 50_000_000


def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]


class LongResponse:
    """A response that is made while it is read."""

    def __init__(self) -> None:
        self.closed = Event()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ["PATH_INFO"] != "/long":
            return app(environ, start_response)
        start_response("200 OK", [("Content-Length", str(LONG_BYTES))])
        return self._parts()

    def _parts(self) -> Iterator[bytes]:
        try:
            for _ in range(LONG_BYTES // 50_000):
                yield b"a" * 50_000
        finally:
            self.closed.set()


@pytest.fixture
def connect() -> Iterator[Callable[[Listener], socket.socket]]:
    with ExitStack() as opened:

        def connect(listener: Listener) -> socket.socket:
            host, port = listener.url.removeprefix("http://").split(":")
            return opened.enter_context(socket.create_connection((host, int(port)), timeout=20))

        yield connect


Connect = Callable[[Listener], socket.socket]


def is_answered(connection: socket.socket) -> bool:
    connection.sendall(GET)
    received = b""
    while not received.endswith(b"ok") and (part := connection.recv(65536)):
        received += part
    return received.endswith(b"\r\n\r\nok")


@pytest.mark.parametrize("half", HALVES.values(), ids=HALVES)
def test_half_a_request_keeps_nobody_out(
    listening: Start, connect: Connect, monkeypatch: pytest.MonkeyPatch, half: bytes
) -> None:
    monkeypatch.setattr(listener_module, "CONNECTIONS", MOST)
    listener = listening(app)
    for _ in range(3 * MOST):
        connect(listener).sendall(half)
    assert httpx.get(listener.url, trust_env=False, timeout=20).text == "ok"


def test_a_client_that_was_answered_keeps_its_connection(
    listening: Start, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listener_module, "CONNECTIONS", MOST)
    listener = listening(app)
    kept = connect(listener)
    assert is_answered(kept)
    for _ in range(3 * MOST):
        connect(listener).sendall(HEAD)
    assert httpx.get(listener.url, trust_env=False, timeout=20).text == "ok"
    assert is_answered(kept)


@pytest.mark.parametrize("half", HALVES.values(), ids=HALVES)
def test_half_a_request_is_given_up(
    listening: Start, connect: Connect, monkeypatch: pytest.MonkeyPatch, half: bytes
) -> None:
    for name in ("HEAD_SECONDS", "BODY_SECONDS"):
        monkeypatch.setattr(http_connections, name, 0.05)
    connection = connect(listening(app))
    connection.sendall(half)
    with suppress(ConnectionResetError):
        assert connection.recv(1) == b""


def test_a_body_that_trickles_is_given_up(listening: Start, connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_connections, "BODY_SECONDS", 0.2)
    connection = connect(listening(app))
    connection.sendall(HEAD + b"Content-Length: 100000\r\n\r\n")
    connection.settimeout(0.02)
    with suppress(BrokenPipeError, ConnectionResetError):
        for _ in range(1000):
            connection.sendall(b"a")
            with suppress(TimeoutError):
                assert connection.recv(1) == b""
                return
        pytest.fail("the connection stayed open")


def test_clients_that_do_not_read_occupy_no_thread(
    listening: Start, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "THREADS", 2)
    listener = listening(LongResponse())
    silent = [connect(listener) for _ in range(4)]
    for connection in silent:
        connection.sendall(GET.replace(b"/ ", b"/long "))
        assert connection.recv(1, socket.MSG_PEEK)
    assert httpx.get(listener.url, trust_env=False, timeout=20).text == "ok"
    with silent[0].makefile("rb") as response:
        while response.readline() != b"\r\n":
            pass
        assert len(response.read(LONG_BYTES)) == LONG_BYTES


def test_a_response_that_is_not_read_is_given_up(
    listening: Start, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_connections, "READ_SECONDS", 0.05)
    application = LongResponse()
    connect(listening(application)).sendall(GET.replace(b"/ ", b"/long "))
    assert application.closed.wait(20)


def test_a_client_that_leaves_ends_its_response(listening: Start, connect: Connect) -> None:
    application = LongResponse()
    connection = connect(listening(application))
    connection.sendall(GET.replace(b"/ ", b"/long "))
    assert connection.recv(1)
    connection.close()
    assert application.closed.wait(20)
