"""Serves an application on a port with waitress, a production WSGI server, in a background thread.

This module and `socket_faults` are the only users of waitress. They rely on internals of version 3 (`channel_class`,
`task_dispatcher`, `trigger`, `wasyncore.close_all`), so pyproject.toml allows no later major version, and
tests/server/test_listener.py checks that they exist.
"""

from __future__ import annotations

import errno
import logging
import socket
from collections.abc import Callable
from threading import Thread
from typing import TYPE_CHECKING, Any

from waitress import wasyncore
from waitress.server import create_server

from emulator.addresses import is_localhost
from emulator.errors import PortInUse, UserMistake
from emulator.server.signals import StopSignals
from emulator.server.socket_faults import enable_connection_faults

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

THREADS = 8
CONNECTIONS = 2000
# A snapshot may be large; every other endpoint has its own limit.
BODY_LIMIT_BYTES = 1024 * 1024 * 1024


def bind(host: str, port: int) -> socket.socket:
    """A listening socket: its port is taken, and clients that connect before it is served wait. Port 0: a free one.

    Raises PortInUse, or UserMistake for an address of another machine.
    """
    if not host:
        # The operating system would listen on every interface.
        raise UserMistake("no address to listen on", where="host", allowed="127.0.0.1, ::1, 0.0.0.0 or a host name")
    host = "localhost" if is_localhost(host) else host.removeprefix("[").removesuffix("]")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen()
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


class Listener:
    """Serves an application on one socket until `stop`, which first calls `before_stop` to end long requests."""

    def __init__(
        self,
        app: WSGIApplication,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        listening: socket.socket | None = None,
        before_stop: Callable[[], None] = lambda: None,
    ) -> None:
        listening = listening or bind(host, port)
        self.url = url_of(listening)
        self._open: dict[int, Any] = {}
        self._server: Any = create_server(
            app,
            map=self._open,
            sockets=[listening],
            threads=THREADS,
            connection_limit=CONNECTIONS,
            # select(), the default, cannot handle file descriptors above 1023.
            asyncore_use_poll=True,
            max_request_body_size=BODY_LIMIT_BYTES,
            ident="stackadapt-emulator",
            # For requests without a Host header.
            server_name=_host_of(listening),
        )
        # waitress warns on standard error of each request that waits for a thread.
        self._server.task_dispatcher.queue_logger = logging.Logger("queue", logging.ERROR)
        enable_connection_faults(self._server)
        self._before_stop = before_stop
        self._thread: Thread | None = None
        self._on_end: Callable[[], None] = lambda: None

    def start(self) -> None:
        """Serves in a background thread; the socket accepts connections as soon as this returns."""
        self._thread = Thread(target=self._serve, name="stackadapt-emulator", daemon=True)
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
        self._server.task_dispatcher.shutdown(cancel_pending=False)
        trigger = self._server.trigger
        # The loop must close its own sockets: if closed by this thread, their descriptors could be reused before its
        # next iteration. Under the lock, since a loop that is already awake could close the trigger first.
        with trigger.lock:
            trigger.thunks.append(lambda: wasyncore.close_all(self._open))
            trigger.pull_trigger()
        if self._thread is not None:
            self._thread.join()

    def _serve(self) -> None:
        try:
            self._server.run()
        finally:
            self._on_end()
