"""Listening on a port: waitress, a production WSGI server, on a thread of its own."""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable
from threading import Thread
from typing import TYPE_CHECKING, Any

from waitress import wasyncore
from waitress.server import create_server

from emulator.errors import PortInUse, UserMistake
from emulator.server.signals import StopSignals
from emulator.server.socket_faults import enable_connection_faults

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

THREADS = 8
CONNECTIONS = 2000
# A snapshot may be large; every other door has a limit of its own.
BODY_LIMIT_BYTES = 1024 * 1024 * 1024


def bind(host: str, port: int) -> socket.socket:
    """A socket that listens: nobody else can take its port, and who connects before it is served waits.

    Port 0 takes a free one.

    Raises PortInUse, or UserMistake for an address that is not this machine's.
    """
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
                f"port {port} is in use", where=host, hint="Choose another with --port, or --port 0 for a free one."
            ) from None
        raise UserMistake(f"cannot listen here: {error.strerror}", where=f"{host}:{port}") from None
    return listening


def url_of(listening: socket.socket) -> str:
    """The base URL of a bound socket."""
    host, port = listening.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


class Listener:
    """Serves an application on one socket until it is stopped."""

    def __init__(
        self,
        app: WSGIApplication,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        listening: socket.socket | None = None,
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
            # select(), the default, knows no file descriptor beyond 1023.
            asyncore_use_poll=True,
            max_request_body_size=BODY_LIMIT_BYTES,
            ident="stackadapt-emulator",
        )
        enable_connection_faults(self._server)
        self._thread: Thread | None = None
        self._when_ended: Callable[[], None] = lambda: None

    def start(self) -> None:
        """Serves on a thread of its own; the socket takes connections as soon as this returns."""
        self._thread = Thread(target=self._serve, name="stackadapt-emulator", daemon=True)
        self._thread.start()

    def run(self, signals: StopSignals) -> None:
        """Serves until a signal comes, then finishes the requests under way."""
        self._when_ended = signals.wake
        self.start()
        signals.wait()
        self.stop()

    def stop(self) -> None:
        """Finishes the requests under way, then closes the socket and every connection."""
        self._server.task_dispatcher.shutdown(cancel_pending=False)
        trigger = self._server.trigger
        # The loop must close its own sockets: pulled from under it, they could be another's by the next turn. Under
        # the lock, since a loop that is awake already would close the trigger before it is pulled.
        with trigger.lock:
            trigger.thunks.append(lambda: wasyncore.close_all(self._open))
            trigger.pull_trigger()
        if self._thread is not None:
            self._thread.join()

    def _serve(self) -> None:
        try:
            self._server.run()
        finally:
            self._when_ended()
