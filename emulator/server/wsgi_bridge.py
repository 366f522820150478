"""Runs a WSGI application for asyncio connections, and lets faults act on the connections.

Delays, connections without a response and clients that are slow to send or to read occupy no thread.
"""

from __future__ import annotations

import asyncio
import io
import logging
import socket
import struct
import sys
from collections.abc import Awaitable, Callable, Generator, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from email.utils import formatdate
from tempfile import SpooledTemporaryFile
from typing import IO, TYPE_CHECKING, Any, NoReturn
from urllib.parse import unquote_to_bytes, urlsplit

from emulator.faults import ENVIRON, Interruption
from emulator.server.http_connections import CONNECTION, Connection
from emulator.server.turns import Pace, Turns
from emulator.text import on_one_line

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

# A snapshot may be large; every other endpoint has its own limit.
_BODY_LIMIT_BYTES = 1024 * 1024 * 1024
_IN_MEMORY_BYTES = 1024 * 1024
# A longer response is sent in parts.
PART_BYTES = 64 * 1024
_SILENCE_SECONDS = 120.0
# Linger on, for zero seconds; Windows has shorter fields.
_RESET_ON_CLOSE = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)
_LOG = logging.getLogger(__name__)

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
PaceOf = Callable[[Mapping[str, Any]], Pace]


class _Interrupted(Exception):
    """Ends the body of a response."""

    def __init__(self, interruption: Interruption) -> None:
        super().__init__(interruption)
        self.interruption = interruption


class SocketChannel:
    """The connection of one request, as a `faults.ResponseChannel`."""

    def __init__(self) -> None:
        self.delay_seconds = 0.0

    def delay(self, milliseconds: int) -> None:
        self.delay_seconds += milliseconds / 1000

    def interrupt(self, interruption: Interruption) -> NoReturn:
        raise _Interrupted(interruption)


@dataclass(slots=True)
class _Response:
    """A response, or what is left of it once parts have been sent."""

    status: int = 500
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""
    started: bool = False
    complete: bool = False
    interruption: Interruption | None = None

    def messages(self, *, more: bool) -> list[Message]:
        """What an ASGI server is sent for it."""
        start = (
            [] if self.started else [{"type": "http.response.start", "status": self.status, "headers": self.headers}]
        )
        self.started = True
        return [*start, {"type": "http.response.body", "body": self.body, "more_body": more}]


class WsgiBridge:
    """An ASGI application around a WSGI application."""

    def __init__(self, app: WSGIApplication, pace_of: PaceOf) -> None:
        self._app = app
        self._pace_of = pace_of
        self._turns = Turns()
        self._stopping = asyncio.Event()

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        connection: Connection = scope["state"][CONNECTION]
        try:
            await self._exchange(scope, connection, receive, send)
        except ConnectionError:
            await _abort(connection, receive)

    async def _exchange(self, scope: Mapping[str, Any], connection: Connection, receive: Receive, send: Send) -> None:
        """Answers a request. Raises ConnectionError when the client is gone."""
        with SpooledTemporaryFile(_IN_MEMORY_BYTES) as body:
            size = await _receive_body(receive, body)
            if size > _BODY_LIMIT_BYTES:
                too_large = _Response(status=413, headers=[(b"content-length", b"0"), (b"connection", b"close")])
                await _send_all(send, too_large.messages(more=False))
                return
            channel = SocketChannel()
            environ = {**_environ(scope, size), "wsgi.input": body, ENVIRON: channel}
            response = await self._run(environ, connection, send)
        await self._finish(response, channel, connection, receive, send)

    def stop(self) -> None:
        """Ends all delays, and all connections that wait without a response."""
        self._stopping.set()
        self._turns.stop()

    async def _run(self, environ: dict[str, Any], connection: Connection, send: Send) -> _Response:
        """Sends all but the last part of the response, each when the client has read enough; returns the last one."""
        responding = _respond(self._app, environ)

        def part() -> _Response:
            return next(responding)

        def pace() -> Pace:
            return self._pace_of(environ)

        while not (response := await self._turns.run(part, pace, connection.taken)).complete:
            await _send_all(send, response.messages(more=True))
            if connection.transport.is_closing():
                # It may have a transaction to end.
                await self._turns.run_beside(responding.close)
                raise ConnectionError
        return response

    async def _finish(
        self, response: _Response, channel: SocketChannel, connection: Connection, receive: Receive, send: Send
    ) -> None:
        if channel.delay_seconds:
            await self._wait(channel.delay_seconds)
        if response.interruption is None:
            await _send_all(send, response.messages(more=False))
        elif response.interruption is Interruption.CUT:
            # The connection is closed when this returns, since its response is incomplete.
            await _send_all(send, response.messages(more=True))
        else:
            if response.interruption is Interruption.SILENCE:
                await self._wait(_SILENCE_SECONDS, connection.ended)
            else:
                # With this option, closing sends a reset instead of an orderly end.
                opened = connection.transport.get_extra_info("socket")
                opened.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            await _abort(connection, receive)

    async def _wait(self, seconds: float, *events: asyncio.Event) -> None:
        """Waits, at most until one of the events happens or the server stops."""
        waits = [asyncio.create_task(event.wait()) for event in (self._stopping, *events)]
        await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()


async def _abort(connection: Connection, receive: Receive) -> None:
    """Ends a connection without a response. uvicorn sends one of its own until it knows that the connection is lost."""
    connection.transport.abort()
    while (await receive())["type"] != "http.disconnect":
        pass


async def _send_all(send: Send, messages: Iterable[Message]) -> None:
    for message in messages:
        await send(message)


async def _receive_body(receive: Receive, body: IO[bytes]) -> int:
    """Writes the body of a request into a file and returns its size, which may be above the limit.

    Raises ConnectionError when the client disconnects, or its time is over.
    """
    size, more = 0, True
    while more and size <= _BODY_LIMIT_BYTES:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ConnectionError
        size += body.write(message["body"])
        more = message["more_body"]
    body.seek(0)
    return size


def _environ(scope: Mapping[str, Any], size: int) -> dict[str, Any]:
    """The WSGI environment of a request, without its body."""
    host, port = scope["server"] or ("localhost", 80)
    path = scope["raw_path"]
    if not path.startswith(b"/"):
        # A request to a proxy has a whole URL.
        path = urlsplit(path).path or b"/"
    environ = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_NAME": host,
        "SERVER_PORT": str(port),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "REMOTE_ADDR": scope["client"][0] if scope["client"] else "",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope["scheme"],
        "wsgi.errors": sys.stderr,
        "wsgi.input_terminated": True,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in scope["headers"]:
        # With an underscore, it could be taken for another header.
        if b"_" in name:
            continue
        key, text = "HTTP_" + name.decode("latin-1").upper().replace("-", "_"), value.decode("latin-1")
        environ[key] = f"{environ[key]},{text}" if key in environ else text
    # The body has been read completely, whatever it was announced as.
    environ.pop("HTTP_TRANSFER_ENCODING", None)
    if environ.pop("HTTP_CONTENT_LENGTH", None) is not None or size:
        environ["CONTENT_LENGTH"] = str(size)
    if "HTTP_CONTENT_TYPE" in environ:
        environ["CONTENT_TYPE"] = environ.pop("HTTP_CONTENT_TYPE")
    return environ


def _respond(app: WSGIApplication, environ: dict[str, Any]) -> Generator[_Response, None, None]:
    """Runs the application. Yields its response once for every part of a long one, and at last with what is left."""
    response = _Response()
    parts = io.BytesIO()

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], object]:
        if exc_info is not None and response.started:
            raise exc_info[1]
        response.status = int(status.partition(" ")[0])
        response.headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
        response.headers.append((b"date", formatdate(usegmt=True).encode()))
        return parts.write

    try:
        with ExitStack() as opened:
            body = app(environ, start_response)
            if hasattr(body, "close"):
                opened.callback(body.close)
            for part in body:
                parts.write(part)
                if parts.tell() > PART_BYTES:
                    response.body = parts.getvalue()
                    yield response
                    parts = io.BytesIO()
    except _Interrupted as interrupted:
        response.interruption = interrupted.interruption
    except Exception:  # noqa: BLE001 - the connection gets a response whatever the application raises
        _LOG.exception("%s %s failed", environ["REQUEST_METHOD"], on_one_line(environ["PATH_INFO"]))
        if response.started:
            response.interruption = Interruption.CUT
        else:
            response.status, response.headers, parts = 500, [(b"content-length", b"0")], io.BytesIO()
    response.body, response.complete = parts.getvalue(), True
    yield response
