"""Serves a WSGI application on a port, in a background thread that runs an event loop."""

from __future__ import annotations

import asyncio
import errno
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from threading import Thread
from typing import TYPE_CHECKING

from emulator.addresses import is_localhost
from emulator.errors import PortInUse, UserMistake
from emulator.server.http_connections import Connections
from emulator.server.signals import StopSignals
from emulator.server.turns import Pace
from emulator.server.wsgi_bridge import PaceOf, WsgiBridge

if sys.platform != "win32":
    import resource

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

CONNECTIONS = 2000
# The loop waits with select() there, which takes 512 files.
_CONNECTIONS_ON_WINDOWS = 400
_BACKLOG = 1024
# For files of the stores and connections to other servers.
_OTHER_FILES = 256


def bind(host: str, port: int) -> socket.socket:
    """A listening socket: its port is taken, and clients that connect before it is served wait. Port 0: a free one.

    Raises PortInUse, or UserMistake for an address of another machine.
    """
    if not host:
        # The operating system would listen on every interface.
        raise UserMistake("no address to listen on", where="host", allowed="127.0.0.1, ::1, 0.0.0.0 or a host name")
    host = "localhost" if is_localhost(host) else host.removeprefix("[").removesuffix("]")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With its protocol named: asyncio then sends each part of a response at once, instead of waiting for the client's
    # acknowledgement of the part before, which takes 40 ms.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(_BACKLOG)
    except OSError as error:
        listening.close()
        if error.errno == errno.EADDRINUSE:
            raise PortInUse(
                f"port {port} is in use", where=host, hint="Choose another one with --port; 0 selects a free one."
            ) from None
        raise UserMistake(f"cannot listen on this address: {error.strerror}", where=f"{host}:{port}") from None
    return listening


def url_of(listening: socket.socket) -> str:
    """The base URL of a bound socket, for clients on this machine."""
    return f"http://{_host_of(listening)}:{listening.getsockname()[1]}"


def _host_of(listening: socket.socket) -> str:
    """The host to use in URLs. Not every client can connect to the address of all interfaces."""
    host = listening.getsockname()[0]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - replaced, not bound
    return f"[{host}]" if ":" in host else host


def raise_file_limit() -> None:
    """Lets this process open as many files as the system allows it."""
    if sys.platform == "win32":
        return
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    # Some systems have a lower limit than the one that they report as hard.
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _most_connections() -> int:
    """As many connections as leave files for the rest."""
    if sys.platform == "win32":
        return _CONNECTIONS_ON_WINDOWS
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return CONNECTIONS
    return min(CONNECTIONS, soft - min(_OTHER_FILES, soft // 2))


class Listener:
    """Serves an application on one socket until `stop`, which first calls `before_stop` to end long requests.

    `pace_of` says from the WSGI environment what is known about a request before it runs.
    """

    def __init__(
        self,
        app: WSGIApplication,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        listening: socket.socket | None = None,
        before_stop: Callable[[], None] = lambda: None,
        pace_of: PaceOf = lambda _environ: Pace.ANY,
    ) -> None:
        self._listening = listening or bind(host, port)
        self._listening.setblocking(False)
        self.url = url_of(self._listening)
        self._app = app
        self._before_stop = before_stop
        self._pace_of = pace_of
        # The loop that can wait for a listening socket on every system.
        self._loop = asyncio.SelectorEventLoop()
        self._stopping = asyncio.Event()
        self._thread = Thread(target=self._run, name="stackadapt-emulator", daemon=True)
        self._on_end: Callable[[], None] = lambda: None

    def start(self) -> None:
        """Serves in a background thread; the socket accepts connections as soon as this returns."""
        self._thread.start()

    def run(self, signals: StopSignals) -> None:
        """Serves until a signal arrives, then finishes the requests in progress."""
        self._on_end = signals.wake
        self.start()
        signals.wait()
        self.stop()

    def stop(self) -> None:
        """Finishes the requests in progress, then closes the socket and every connection."""
        self._before_stop()
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join()

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._serve())
        finally:
            self._loop.close()
            self._on_end()

    async def _serve(self) -> None:
        bridge = WsgiBridge(self._app, self._pace_of)
        connections = Connections(bridge, most=_most_connections())
        accepting = asyncio.create_task(connections.accept(self._listening))
        await self._stopping.wait()
        accepting.cancel()
        await asyncio.wait([accepting])
        self._listening.close()
        bridge.stop()
        await connections.close()
