"""The way back to the caller, so far as a fault may break it: a socket, or the same process.

A server that answers over sockets puts its own `Line` into the WSGI environment. Without one the call is made in
process, by httpx's WSGI transport as everywhere here, and the line fails with what httpx raises over a socket.
"""

from __future__ import annotations

from typing import Any, NoReturn, Protocol

import httpx

from emulator.faults.effect import Ending

ENVIRON = "stackadapt_emulator.line"


class ResponseChannel(Protocol):
    """How one answer travels."""

    def hold(self, milliseconds: int) -> None:
        """Waits in real time, if the way is a real one."""
        ...

    def end(self, ending: Ending) -> NoReturn:
        """Ends the call without an answer. To be called where the answer's body is read."""
        ...

    def break_off(self) -> NoReturn:
        """Closes the connection in the middle of the answer's body."""
        ...


class InProcess:
    """No socket: nobody waits, and what breaks is an exception of httpx's."""

    def hold(self, milliseconds: int) -> None:
        """Returns at once: a test that calls in process must not sleep."""

    def end(self, ending: Ending) -> NoReturn:
        if ending is Ending.TIMEOUT:
            raise httpx.ReadTimeout("timed out")
        raise httpx.ReadError("connection reset by peer")

    def break_off(self) -> NoReturn:
        raise httpx.RemoteProtocolError("peer closed connection without sending complete message body")


def channel_of(environ: dict[str, Any]) -> ResponseChannel:
    """The line of a WSGI request."""
    line: ResponseChannel = environ.get(ENVIRON) or InProcess()
    return line
