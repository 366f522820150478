"""HTTP connections over asyncio: how many there may be, and how long a request may take to arrive.

uvicorn's protocol class parses and writes HTTP. It is subclassed here, because a fault needs the transport of its
connection, and because uvicorn limits neither the number of connections nor the time that a request takes to arrive.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from contextlib import suppress
from typing import Any, Final

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

# The key of a connection in the state of its requests' ASGI scope.
CONNECTION: Final = "connection"

HEAD_SECONDS = 10.0
_KEEP_ALIVE_SECONDS = 75.0
_STOP_SECONDS = 5.0
# The first bytes of a new connection may still be on their way.
_YOUNG_SECONDS = 0.02
# After an error of the system, such as no file descriptor left.
_PAUSE_SECONDS = 0.05
# uvicorn would log invalid requests and broken connections, which a client causes.
_NO_LOG = logging.Logger("connections", logging.CRITICAL + 1)


class Connection(HttpToolsProtocol):
    """One connection. Until the head of a request is complete, a new one may replace it."""

    transport: asyncio.Transport

    def __init__(self, connections: Connections) -> None:
        super().__init__(connections.config, connections.state, {CONNECTION: self})
        self.logger, self.access_log = _NO_LOG, False
        # Set when the client sends no more, or is gone.
        self.ended = asyncio.Event()
        self._connections = connections
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(
        self,
        transport: asyncio.Transport,  # type: ignore[override]  # as in the base class: a socket's transport
    ) -> None:
        super().connection_made(transport)
        self._await_head()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        # The base class limits the time between two requests, but not that of an incomplete head.
        if self._deadline is None and (self.cycle is None or self.cycle.response_complete):
            self._await_head()

    def head_arrived(self) -> None:
        """To be called when a request begins to be handled."""
        self._connections.idle.pop(self, None)
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def on_response_complete(self) -> None:
        self._connections.add_idle(self)
        super().on_response_complete()

    def eof_received(self) -> bool:  # type: ignore[override]  # the base class always lets the transport close
        """A client may close its half of the connection and still wait for a response."""
        self.ended.set()
        waits = self.cycle is not None and not self.cycle.response_complete
        if waits:
            self.cycle.keep_alive = False
        return waits

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self.ended.set()
        self.head_arrived()
        self._connections.has_room.set()

    def _await_head(self) -> None:
        self._connections.add_idle(self)
        self._deadline = self.loop.call_later(HEAD_SECONDS, self.transport.close)


class Connections:
    """The connections of one listening socket to an ASGI application.

    At most `most` are open: a new one replaces the one that has been idle longest.
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
            timeout_keep_alive=int(_KEEP_ALIVE_SECONDS),
        )
        self.state = ServerState()
        self.state.default_headers = [(b"server", b"stackadapt-emulator")]
        # Since when, in the loop's seconds; the oldest first.
        self.idle: dict[Connection, float] = {}
        self.has_room = asyncio.Event()
        self._most = most

    def add_idle(self, connection: Connection) -> None:
        """Notes that a connection has no request; it is the first to be closed when all the others are younger."""
        self.idle[connection] = connection.loop.time()
        self.has_room.set()

    async def accept(self, listening: socket.socket) -> None:
        """Accepts clients until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                client, _ = await loop.sock_accept(listening)
                await self._attach(client)
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

    async def _attach(self, client: socket.socket) -> None:
        try:
            await self._make_room()
            await asyncio.get_running_loop().connect_accepted_socket(lambda: Connection(self), client)
        except BaseException:
            # Also when the server stops while the client waits for its turn.
            client.close()
            raise

    async def _make_room(self) -> None:
        while len(self.state.connections) >= self._most:
            self.has_room.clear()
            oldest, patience = next(iter(self.idle), None), None
            if oldest is not None:
                patience = self.idle[oldest] + _YOUNG_SECONDS - asyncio.get_running_loop().time()
                if patience <= 0:
                    patience = None
                    del self.idle[oldest]
                    oldest.transport.abort()
            with suppress(TimeoutError):
                await asyncio.wait_for(self.has_room.wait(), patience)
