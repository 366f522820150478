"""What a fault may do to a connection of the server: hold it, reset it, leave it silent, break it off.

waitress offers a WSGI application none of this, so its task and its channel learn it here.
"""

from __future__ import annotations

import selectors
import socket
import struct
import sys
from typing import Any, NoReturn

from waitress.channel import ClientDisconnected, HTTPChannel
from waitress.task import WSGITask

from emulator.faults.effect import Ending
from emulator.faults.response_channel import ENVIRON

# Linger on, for no time at all; Windows has shorter fields.
_RESET_ON_CLOSE = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)


class Unanswered(Exception):
    """Ends a task without a word and without closing its connection."""


class SocketChannel:
    """One connection, as a `faults.line.Line`."""

    def __init__(self, channel: Any) -> None:
        self._channel = channel

    def hold(self, milliseconds: int) -> None:
        """Waits on this thread, until the caller hangs up (or sends more, which it should not) at the latest."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._channel.socket, selectors.EVENT_READ)
            selector.select(milliseconds / 1000)

    def end(self, ending: Ending) -> NoReturn:
        if ending is Ending.TIMEOUT:
            raise Unanswered
        # With this option, closing sends a reset instead of an orderly end.
        self._channel.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        raise ClientDisconnected

    def break_off(self) -> NoReturn:
        # Taken for a caller who has gone: what is written is still sent, then the connection is closed.
        raise ClientDisconnected


class Task(WSGITask):
    """Tells the application about its line."""

    def service(self) -> None:
        try:
            super().service()
        except Unanswered:
            # The connection stays as it is; waitress closes it when the caller does, or after its channel timeout.
            return

    def get_environment(self) -> dict[str, Any]:
        environ: dict[str, Any] = super().get_environment()
        environ[ENVIRON] = SocketChannel(self.channel)
        return environ


class Channel(HTTPChannel):
    """A connection whose tasks are ours."""

    task_class = Task


def break_on_demand(server: Any) -> None:
    """Makes the connections of a waitress server breakable. To be called before it serves."""
    server.channel_class = Channel
