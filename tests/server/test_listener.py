"""The listener with many connections, and signals while it serves."""

from __future__ import annotations

import asyncio
import gc
import os
import resource
import signal
import socket
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from threading import Event, Semaphore, Thread
from typing import TYPE_CHECKING

import httpx
import pytest

from emulator.faults import ENVIRON
from emulator.server import http_connections, wsgi_bridge
from emulator.server import listener as listener_module
from emulator.server.http_connections import Connections
from emulator.server.listener import Listener, bind
from emulator.server.signals import StopSignals
from emulator.server.turns import THREADS
from emulator.server.wsgi_bridge import PART_BYTES
from tests.server.conftest import Start

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

# One process can select() among 1024 files.
MANY = 1100


def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]


@pytest.fixture
def many_files() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    # Both ends of each connection are in this process.
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


def connect(opened: ExitStack, listener: Listener) -> socket.socket:
    host, port = listener.url.removeprefix("http://").split(":")
    return opened.enter_context(socket.create_connection((host, int(port)), timeout=20))


def send(listener: Listener, *requests: bytes) -> bytes:
    """Sends bytes over one connection, and returns what is received until it is closed."""
    host, port = listener.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        for request in requests:
            connection.sendall(request)
        received = bytearray()
        with suppress(ConnectionResetError):
            while part := connection.recv(65536):
                received += part
    return bytes(received)


def test_a_request_that_takes_long_keeps_no_other_waiting(listening: Start) -> None:
    busy, done = Semaphore(0), Event()

    def waits(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ["PATH_INFO"] == "/slow":
            busy.release()
            done.wait(20)
        return app(environ, start_response)

    listener = listening(waits)
    with ExitStack() as opened:
        opened.callback(done.set)
        for _ in range(THREADS - 1):
            connect(opened, listener).sendall(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
        assert all(busy.acquire(timeout=20) for _ in range(THREADS - 1))
        assert httpx.get(listener.url, trust_env=False, timeout=20).text == "ok"


def test_a_long_response_arrives_in_parts(listening: Start) -> None:
    first, received = b"a" * (PART_BYTES + 1), Event()

    def parts(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [])
        yield first
        assert received.wait(20)
        yield b"b"

    with httpx.stream("GET", listening(parts).url, trust_env=False, timeout=20) as response:
        arriving = response.iter_bytes()
        begin = b""
        while len(begin) < len(first):
            begin += next(arriving)
        received.set()
        assert begin + b"".join(arriving) == first + b"b"


@pytest.mark.parametrize("iterations", range(8))
def test_a_client_that_connects_while_the_server_stops_is_not_left_open(iterations: int) -> None:
    async def stop_while_one_connects() -> None:
        connections = Connections(None, most=10)
        accepting = asyncio.create_task(connections.accept(listening))
        # Accepting is given to the loop, which finds the client on one of the next iterations.
        await asyncio.sleep(0)
        client.connect(listening.getsockname())
        for _ in range(iterations):
            await asyncio.sleep(0)
        accepting.cancel()
        await asyncio.wait([accepting])
        await connections.close()

    with bind("127.0.0.1", 0) as listening, socket.socket() as client:
        listening.setblocking(False)
        # A socket that nothing closes is a warning, and so an error.
        asyncio.run(stop_while_one_connects())
        listening.close()
        gc.collect()
        client.settimeout(20)
        with suppress(ConnectionResetError):
            assert client.recv(1) == b""


def test_clients_that_have_just_connected_are_closed_by_stop() -> None:
    for _ in range(5):
        listener = Listener(app)
        listener.start()
        with ExitStack() as opened:
            clients = [connect(opened, listener) for _ in range(50)]
            listener.stop()
            for client in clients:
                with suppress(ConnectionResetError):
                    assert client.recv(1) == b""
        del listener
        gc.collect()


@pytest.mark.parametrize("sent", [b"", b"x", b"x" * 3_000_000])
@pytest.mark.parametrize("chunked", [False, True])
def test_the_application_reads_the_whole_body(listening: Start, sent: bytes, chunked: bool) -> None:
    def echo(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        body = environ["wsgi.input"].read()
        assert int(environ.get("CONTENT_LENGTH") or 0) == len(body)
        start_response("200 OK", [("Content-Length", str(len(body)))])
        return [body]

    content = iter([sent]) if chunked else sent
    assert httpx.post(listening(echo).url, content=content, trust_env=False, timeout=20).content == sent


@pytest.mark.parametrize(
    ("request_line", "headers", "expected"),
    [
        (b"GET /a%2Fb?c=%20d HTTP/1.1", {b"Host": b"x"}, {"PATH_INFO": "/a/b", "QUERY_STRING": "c=%20d"}),
        (b"GET /%C3%A4%FF HTTP/1.1", {b"Host": b"x"}, {"PATH_INFO": "/\xc3\xa4\xff"}),
        (b"GET http://y/z HTTP/1.1", {b"Host": b"x"}, {"PATH_INFO": "/z"}),
        (b"GET / HTTP/1.0", {}, {"HTTP_HOST": None, "SERVER_NAME": "127.0.0.1", "SERVER_PROTOCOL": "HTTP/1.0"}),
        (b"GET / HTTP/1.1", {b"Host": b"x", b"X_Fault": b"1", b"X-Fault": b"2"}, {"HTTP_X_FAULT": "2"}),
        (b"GET / HTTP/1.1", {b"Host": b"x", b"Content-Type": b"a/b"}, {"HTTP_HOST": "x", "CONTENT_TYPE": "a/b"}),
    ],
)  # fmt: skip
def test_the_application_gets_the_request(
    listening: Start, request_line: bytes, headers: dict[bytes, bytes], expected: dict[str, str | None]
) -> None:
    seen: list[WSGIEnvironment] = []

    def keep(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        seen.append(environ)
        return app(environ, start_response)

    lines = [request_line, *(b"%s: %s" % header for header in headers.items()), b"Connection: close", b"", b""]
    answer = send(listening(keep), b"\r\n".join(lines))
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert {name: seen[0].get(name) for name in expected} == expected


def test_an_error_of_the_application_is_logged_and_answered(listening: Start, caplog: pytest.LogCaptureFixture) -> None:
    def fails(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        raise KeyError("of the test")

    listener = listening(fails)
    for _ in range(2):
        assert httpx.get(f"{listener.url}/path", trust_env=False, timeout=20).status_code == 500
    assert [record.message for record in caplog.records] == ["GET /path failed"] * 2


@pytest.mark.parametrize(
    "garbage", [b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"GET\r\n\r\n", b"GET / HTTP/1.1\r\nHost : x\r\n\r\n"]
)  # fmt: skip
def test_what_is_not_http_is_refused_without_a_log_line(
    listening: Start, garbage: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    assert send(listening(app), garbage).startswith(b"HTTP/1.1 400 ")
    assert caplog.records == []


def test_a_request_that_never_becomes_complete_is_given_up(listening: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_connections, "HEAD_SECONDS", 0.05)
    listener = listening(app)
    assert send(listener, b"") == b""
    assert send(listener, b"GET / HTTP/1.1\r\nHost: x\r\n") == b""


def test_the_second_request_of_a_connection_may_not_take_longer(
    listening: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_connections, "HEAD_SECONDS", 0.05)
    host, port = listening(app).url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        received = b""
        while not received.endswith(b"\r\n\r\nok"):
            received += connection.recv(65536)
        connection.sendall(b"GET / HT")
        assert connection.recv(65536) == b""


def test_a_body_that_never_becomes_complete_is_given_up(listening: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_connections, "BODY_SECONDS", 0.05)
    assert send(listening(app), b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc") == b""


def test_a_body_above_the_limit_is_refused(listening: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wsgi_bridge, "_BODY_LIMIT_BYTES", 2)
    assert httpx.post(listening(app).url, content=b"abc", trust_env=False, timeout=20).status_code == 413
    assert httpx.post(listening(app).url, content=b"ab", trust_env=False, timeout=20).status_code == 200


def delays(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Delays each response longer than a test may take, unless the path is `/briefly`."""
    environ[ENVIRON].delay(50 if environ["PATH_INFO"] == "/briefly" else 60_000)
    return app(environ, start_response)


def test_a_client_that_closes_its_half_gets_a_delayed_response(listening: Start) -> None:
    host, port = listening(delays).url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        connection.sendall(b"GET /briefly HTTP/1.1\r\nHost: x\r\n\r\n")
        connection.shutdown(socket.SHUT_WR)
        with connection.makefile("rb") as answer:
            assert answer.read().endswith(b"\r\n\r\nok")


def test_a_delay_ends_when_the_server_stops() -> None:
    delaying = Event()

    def noted(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        delaying.set()
        return delays(environ, start_response)

    listener = Listener(noted)
    listener.start()
    with ThreadPoolExecutor(1) as clients:
        answer = clients.submit(httpx.get, listener.url, trust_env=False, timeout=20)
        assert delaying.wait(20)
        listener.stop()
        assert answer.result().text == "ok"


def test_a_new_connection_replaces_the_one_idle_longest(listening: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listener_module, "CONNECTIONS", 5)
    listener = listening(app)
    host, port = listener.url.removeprefix("http://").split(":")
    with ExitStack() as opened:
        idle = [opened.enter_context(socket.create_connection((host, int(port)), timeout=20)) for _ in range(12)]
        for connection in idle[:2]:
            with suppress(ConnectionResetError):
                assert connection.recv(1) == b""
        assert httpx.get(listener.url, trust_env=False, timeout=20).text == "ok"


@pytest.mark.parametrize(("files", "expected"), [(64, 32), (256, 128), (1024, 768), (100_000, 2000)])
def test_connections_leave_files_for_the_rest(monkeypatch: pytest.MonkeyPatch, files: int, expected: int) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _kind: (files, files))
    assert listener_module._most_connections() == expected


def test_a_client_waits_while_every_connection_has_a_request(listening: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listener_module, "CONNECTIONS", 2)
    busy, done = Semaphore(0), Event()

    def waits(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        busy.release()
        done.wait(20)
        return app(environ, start_response)

    listener = listening(waits)
    with ThreadPoolExecutor(5) as clients:
        answers = [clients.submit(httpx.get, listener.url, trust_env=False, timeout=20) for _ in range(5)]
        assert all(busy.acquire(timeout=20) for _ in range(2))
        done.set()
        assert [answer.result().text for answer in answers] == ["ok"] * 5


def test_requests_in_progress_are_answered_before_it_stops() -> None:
    busy, done = Event(), Event()

    def waits(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        busy.set()
        done.wait(20)
        return app(environ, start_response)

    listener = Listener(waits, before_stop=done.set)
    listener.start()
    with ThreadPoolExecutor(1) as clients:
        answer = clients.submit(httpx.get, listener.url, trust_env=False, timeout=20)
        assert busy.wait(20)
        listener.stop()
        assert answer.result().text == "ok"
    with pytest.raises(httpx.ConnectError):
        httpx.get(listener.url, trust_env=False, timeout=20)


@pytest.fixture
def handlers() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("handlers")
def test_signals_stop_it_once_and_only_after_every_socket_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    closing: list[bool] = []
    close = Connections.close

    async def close_during_signals(self: Connections) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            os.kill(os.getpid(), number)
        await close(self)
        closing.append(True)

    monkeypatch.setattr(Connections, "close", close_during_signals)
    listener = Listener(app)

    def request_then_interrupt() -> None:
        httpx.get(listener.url, trust_env=False, timeout=20)
        os.kill(os.getpid(), signal.SIGINT)

    requesting = Thread(target=request_then_interrupt)
    with StopSignals() as signals:
        requesting.start()
        listener.run(signals)
        assert closing == [True]
    requesting.join()


@pytest.mark.usefixtures("handlers")
def test_a_signal_that_was_ignored_stops_it_all_the_same() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with StopSignals() as signals:
        signals.wake()
        signals.wait()
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    with StopSignals() as signals:
        os.kill(os.getpid(), signal.SIGINT)
        signals.wait()


@pytest.mark.usefixtures("handlers")
def test_handlers_are_restored_unless_a_signal_has_stopped_the_process() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with StopSignals() as signals:
        signals.wake()
        signals.wait()
    assert signal.getsignal(signal.SIGTERM) is before
    with StopSignals() as signals:
        os.kill(os.getpid(), signal.SIGINT)
        signals.wait()
    os.kill(os.getpid(), signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN
