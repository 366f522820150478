"""Connection faults over a socket: waitress hooks to delay, reset, silence or cut a connection.

waitress offers a WSGI application no way to do this, so its task and channel classes are extended here.
"""

from __future__ import annotations

import selectors
import socket
import struct
import sys
from typing import Any, NoReturn

from waitress.channel import ClientDisconnected, HTTPChannel
from waitress.task import WSGITask

from emulator.faults import ENVIRON, Interruption

# Linger on, for zero seconds; Windows has shorter fields.
_RESET_ON_CLOSE = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)


class Unanswered(Exception):
    """Ends a task without a response and without closing its connection."""


class SocketChannel:
    """One connection, as a `faults.ResponseChannel`."""

    def __init__(self, channel: Any) -> None:
        self._channel = channel

    def hold(self, milliseconds: int) -> None:
        """Waits on this thread, at most until the client disconnects (or sends more, which it should not)."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._channel.socket, selectors.EVENT_READ)
            selector.select(milliseconds / 1000)

    def interrupt(self, interruption: Interruption) -> NoReturn:
        if interruption is Interruption.SILENCE:
            raise Unanswered
        if interruption is Interruption.RESET:
            # With this option, closing sends a reset instead of an orderly end.
            self._channel.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        # waitress acts as if the client had disconnected: it sends what is written, then closes the connection.
        raise ClientDisconnected


class Task(WSGITask):
    """Gives the application its connection."""

    def service(self) -> None:
        try:
            super().service()
        except Unanswered:
            # The connection stays open; waitress closes it when the client does, or after its channel timeout.
            return

    def get_environment(self) -> dict[str, Any]:
        environ: dict[str, Any] = super().get_environment()
        environ[ENVIRON] = SocketChannel(self.channel)
        return environ


class Channel(HTTPChannel):
    """A connection that runs this module's tasks."""

    task_class = Task


def enable_connection_faults(server: Any) -> None:
    """Lets faults act on the connections of a waitress server. To be called before it serves."""
    server.channel_class = Channel
