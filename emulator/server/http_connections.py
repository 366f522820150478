"""HTTP connections over asyncio: how many there may be, and how long and how much they may keep of the server.

uvicorn's protocol class parses and writes HTTP. It is subclassed here, because a fault needs the transport of its
connection, and because uvicorn limits neither the number of connections, nor the time that a request takes to arrive
and a response to be read, nor the size of a head.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from typing import Any, Final
from urllib.parse import urlsplit

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from emulator.server.turns import ShortInARow, TimesTaken

# The key of a connection in the state of its requests' ASGI scope.
CONNECTION: Final = "connection"

# How long a connection waits for its client: for the head of a request, from its first byte; for any byte of a body;
# until the client has read what it was sent; for the next request.
HEAD_SECONDS = 10.0
BODY_SECONDS = 30.0
READ_SECONDS = 60.0
KEEP_ALIVE_SECONDS = 75.0
# A body must arrive at least this fast, too.
SLOWEST_BYTES_PER_SECOND = 10_000
# Bytes received without the head of a request being complete or a part of its body arriving. The query of a GraphQL
# request may be in its URL.
MOST_HEAD_BYTES = 256 * 1024
_HEAD_TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
# Requests sent before the first one was answered.
MOST_PIPELINED = 100
_STOP_SECONDS = 5.0
# The first bytes of a new connection may still be on their way.
_YOUNG_SECONDS = 0.02
_AT_ONCE = 32
# After an error of the system, such as no file descriptor left.
_PAUSE_SECONDS = 0.05
# uvicorn would log invalid requests and broken connections, which a client causes.
_NO_LOG = logging.Logger("connections", logging.CRITICAL + 1)


class Connection(HttpToolsProtocol):
    """One connection. While it waits for its client, a new one may replace it, and after a while it is closed."""

    transport: asyncio.Transport

    def __init__(self, connections: Connections) -> None:
        super().__init__(connections.config, connections.state, {CONNECTION: self})
        self.logger, self.access_log = _NO_LOG, False
        # Set when the client sends no more, or is gone.
        self.ended = asyncio.Event()
        # Whether a request of it was answered.
        self.known = False
        self.taken = TimesTaken(connections.short)
        self._connections = connections
        self._receiving = self._in_body = False
        self._head_bytes = self._body_bytes = 0
        self._body_began = 0.0
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(
        self,
        transport: asyncio.Transport,  # type: ignore[override]  # as in the base class: a socket's transport
    ) -> None:
        super().connection_made(transport)
        self._wait_for_client(HEAD_SECONDS)

    def data_received(self, data: bytes) -> None:
        self._head_bytes += len(data)
        super().data_received(data)
        if self._head_bytes > MOST_HEAD_BYTES and self._answered:
            self.transport.write(_HEAD_TOO_LARGE)
            self.transport.close()
        elif self._head_bytes > MOST_HEAD_BYTES or len(self.pipeline) > MOST_PIPELINED:
            self.transport.abort()
        else:
            self._connections.refresh(self)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._receiving, self._in_body, self._head_bytes = True, False, 0
        if self._answered:
            self._wait_for_client(HEAD_SECONDS)

    def on_header(self, name: bytes, value: bytes) -> None:
        # What follows the body is not a header: a proxy does not check it as one (RFC 9110, 6.5.1).
        if not self._in_body:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        if len(self.pipeline) > MOST_PIPELINED:
            return
        if not self.url.startswith(b"/") and (host := urlsplit(self.url).netloc):
            # A whole URL, as proxies are sent: its host is the one that counts (RFC 9112, 3.2.2).
            self.headers[:] = [(b"host", host), *(each for each in self.headers if each[0] != b"host")]
        super().on_headers_complete()
        # No other protocol is spoken here: what follows an offer of one would not be read.
        self.cycle.keep_alive = self.cycle.keep_alive and not self.parser.should_upgrade()
        self._in_body, self._body_bytes, self._body_began = True, 0, self.loop.time()
        self._wait_for_client(BODY_SECONDS)

    def on_body(self, body: bytes) -> None:
        super().on_body(body)
        self._head_bytes = 0
        self._body_bytes += len(body)
        late = self._body_began + BODY_SECONDS + self._body_bytes / SLOWEST_BYTES_PER_SECOND
        self._wait_for_client(min(BODY_SECONDS, late - self.loop.time()))

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._receiving, self._head_bytes = False, 0
        self._stop_waiting()

    def on_response_complete(self) -> None:
        self.known = True
        self._wait_for_client(HEAD_SECONDS if self._receiving else KEEP_ALIVE_SECONDS)
        super().on_response_complete()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._wait_for_client(READ_SECONDS)

    def resume_writing(self) -> None:
        super().resume_writing()
        if not self._answered:
            self._stop_waiting()

    def shutdown(self) -> None:
        """Closes it once its request is answered; at once when there is none, or only a part of one."""
        if self._receiving:
            self.transport.abort()
        else:
            super().shutdown()

    def eof_received(self) -> bool:  # type: ignore[override]  # the base class always lets the transport close
        """A client may close its half of the connection and still wait for a response."""
        self.ended.set()
        if not self._answered:
            self.cycle.keep_alive = False
        return not self._answered

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self.ended.set()
        self._stop_waiting()
        # They refer to this object. Without the cycles, all are freed at once and not by the garbage collector.
        self.app_state, self.scope, self.cycle = {}, {}, None  # type: ignore[assignment, typeddict-item]  # not used any more
        self._connections.has_room.set()

    @property
    def _answered(self) -> bool:
        """Whether there is no request that has not been answered."""
        return self.cycle is None or self.cycle.response_complete

    def _wait_for_client(self, seconds: float) -> None:
        """From now on it waits for the client, and is closed when the time is over."""
        self._stop_waiting()
        self._connections.add_waiting(self)
        self._deadline = self.loop.call_later(seconds, self.transport.abort)

    def _stop_waiting(self) -> None:
        self._connections.remove_waiting(self)
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


class Connections:
    """The connections of one listening socket to an ASGI application.

    At most `most` are open: a new one replaces the one that has waited for its client longest, first of those that
    never completed a request.
    """

    def __init__(self, app: Any, *, most: int) -> None:
        self.config = Config(
            app,
            interface="asgi3",
            http=HttpToolsProtocol,
            ws="none",
            lifespan="off",
            log_config=None,
            proxy_headers=False,
            # The connections have a limit of their own, which also holds for what they have not sent yet.
            timeout_keep_alive=int(2 * KEEP_ALIVE_SECONDS),
        )
        self.state = ServerState()
        self.state.default_headers = [(b"server", b"stackadapt-emulator")]
        # Since when, in the loop's seconds; the oldest first. By whether a request of theirs was answered.
        self._waiting: dict[bool, dict[Connection, float]] = {False: {}, True: {}}
        self.has_room = asyncio.Event()
        self.short = ShortInARow()
        self._most = most

    def add_waiting(self, connection: Connection) -> None:
        """Notes that a connection waits for its client since now."""
        self._waiting[connection.known][connection] = connection.loop.time()
        self.has_room.set()

    def remove_waiting(self, connection: Connection) -> None:
        """Notes that a connection does not wait for its client."""
        for waiting in self._waiting.values():
            waiting.pop(connection, None)

    def refresh(self, connection: Connection) -> None:
        """Notes that the client of a connection has sent something."""
        waiting = self._waiting[connection.known]
        if waiting.pop(connection, None) is not None:
            waiting[connection] = connection.loop.time()

    async def accept(self, listening: socket.socket) -> None:
        """Accepts clients until cancelled."""
        while True:
            await _readable(listening)
            try:
                clients = [listening.accept()[0], *self._accept_more(listening)]
                await self._attach(clients)
            except BlockingIOError:
                # The client has gone, or another process that listens on the socket has accepted it.
                continue
            except OSError:
                await asyncio.sleep(_PAUSE_SECONDS)

    async def close(self) -> None:
        """Closes idle connections, and the others once their request is answered, at most for a few seconds."""
        for connection in list(self.state.connections):
            connection.shutdown()
        if self.state.tasks:
            await asyncio.wait(list(self.state.tasks), timeout=_STOP_SECONDS)
        for connection in list(self.state.connections):
            connection.transport.abort()
        # The transports close their sockets in the next iterations of the loop.
        while self.state.connections:
            await asyncio.sleep(0)

    def _accept_more(self, listening: socket.socket) -> Iterator[socket.socket]:
        """Clients that wait already: accepting each by itself takes the loop twice as long."""
        with suppress(OSError):
            for _ in range(min(_AT_ONCE, self._most // 2) - 1):
                yield listening.accept()[0]

    async def _attach(self, clients: list[socket.socket]) -> None:
        loop = asyncio.get_running_loop()
        try:
            for client in clients:
                client.setblocking(False)
            await self._make_room(len(clients))
            connecting = [loop.connect_accepted_socket(lambda: Connection(self), client) for client in clients]
            await asyncio.gather(*connecting)
        except BaseException:
            # Also when the server stops while the clients wait for their turn.
            for client in clients:
                client.close()
            raise

    async def _make_room(self, number: int) -> None:
        while (missing := len(self.state.connections) + number - self._most) > 0:
            self.has_room.clear()
            patience = self._replace(missing)
            with suppress(TimeoutError):
                await asyncio.wait_for(self.has_room.wait(), patience)

    def _replace(self, number: int) -> float | None:
        """Closes so many of those that have waited longest for their clients.

        Returns in how many seconds another one may be closed; None when it is not known.
        """
        waiting = self._waiting[False] or self._waiting[True]
        for connection, since in list(islice(waiting.items(), number)):
            young = since + _YOUNG_SECONDS - connection.loop.time()
            if young > 0:
                return young
            del waiting[connection]
            connection.transport.abort()
        return None


async def _readable(listening: socket.socket) -> None:
    """Waits for a client. Cancelled, it leaves the client to the socket; `loop.sock_accept` would lose an open one."""
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    loop.add_reader(listening, ready.set)
    try:
        await ready.wait()
    finally:
        loop.remove_reader(listening)
