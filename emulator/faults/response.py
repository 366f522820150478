"""An HTTP response as faults change it, and the connection that it is sent on: a socket, or the same process."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from http import HTTPStatus
from typing import Any, NoReturn, Protocol

# The key under which a server that serves sockets puts its `ResponseChannel` into the WSGI environment.
ENVIRON = "stackadapt_emulator.response_channel"


class Interruption(Enum):
    """How a connection fails: reset, left open without a response, or closed in the middle of the body."""

    RESET = "reset"
    SILENCE = "silence"
    CUT = "cut"


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultedResponse:
    """What reaches the client. `interruption` comes after the body; without a `status`, nothing is sent."""

    status: int | None
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    delay_ms: int = 0
    interruption: Interruption | None = None


def error_response(status: int, trace_id: str, *, retry_after: int | None = None) -> FaultedResponse:
    """A GraphQL error with an HTTP status, marked as the emulator's: of the real service only 400 and 401 are known."""
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = f"Status {status}"
    error = {"message": phrase, "extensions": {"traceId": trace_id, "emulator": True}}
    headers = {"Content-Type": "application/json; charset=utf-8"}
    if retry_after is not None:
        headers["Retry-After"] = str(retry_after)
    return FaultedResponse(
        status=status, body=json.dumps({"errors": [error]}, separators=(",", ":")).encode(), headers=headers
    )


class ResponseChannel(Protocol):
    """The connection that a response is sent on."""

    def delay(self, milliseconds: int) -> None:
        """Sends the response later, in real time, on a socket only."""
        ...

    def interrupt(self, interruption: Interruption) -> NoReturn:
        """Ends the connection. To be called where the response body is read."""
        ...


class InProcess:
    """A call by httpx's WSGI transport, which fails with the exception that httpx raises over a socket."""

    def delay(self, milliseconds: int) -> None:
        """Has no effect: a test that calls in process must not sleep."""

    def interrupt(self, interruption: Interruption) -> NoReturn:
        import httpx

        if interruption is Interruption.SILENCE:
            raise httpx.ReadTimeout("timed out")
        if interruption is Interruption.RESET:
            raise httpx.ReadError("connection reset by peer")
        raise httpx.RemoteProtocolError("peer closed connection without sending complete message body")


def channel_of(environ: Mapping[str, Any]) -> ResponseChannel:
    """The channel of a WSGI request."""
    channel: ResponseChannel = environ.get(ENVIRON) or InProcess()
    return channel
