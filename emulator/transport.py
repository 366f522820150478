"""The one seam between the two companies: something that takes a POST and gives an answer.

In process it is a WSGI application, otherwise a socket; whoever posts cannot tell.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import httpx

from emulator.clock import stopwatch

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

TIMEOUT_SECONDS = 10.0
# An emulated StackAdapt names each request in this header of its answer, in lower case; the real one does not.


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An HTTP response, read whole."""

    status: int
    reason: str
    text: str
    headers: Mapping[str, str] = field(default_factory=dict)


class TransportError(Exception):
    """No answer came. `code` is the name that Node and Segment give the failure (`ECONNRESET`, `ETIMEDOUT`, …)."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class Transport(Protocol):
    """Posts a body to one fixed address."""

    def post(self, headers: Mapping[str, str], body: str) -> Answer:
        """Sends `body` and returns the answer, whatever its status. Raises TransportError when there is none."""
        ...


class HttpTransport:
    """Posts to one URL with an `httpx.Client`, over a socket or into a WSGI application."""

    def __init__(self, url: str, *, app: WSGIApplication | None = None) -> None:
        self.url = url
        # An application in this process is waited for, however slow the machine is.
        self._seconds = math.inf if app else TIMEOUT_SECONDS
        self._client = httpx.Client(
            transport=httpx.WSGITransport(app=app) if app else None,
            timeout=TIMEOUT_SECONDS,
            trust_env=False,
        )

    def post(self, headers: Mapping[str, str], body: str) -> Answer:
        try:
            return self._answer(headers, body)
        except httpx.TimeoutException as error:
            raise TransportError("ETIMEDOUT", f"Request timed out after {TIMEOUT_SECONDS * 1000:.0f}ms") from error
        except httpx.ConnectError as error:
            raise self._failed("ECONNREFUSED", error) from error
        except Exception as error:
            # Not httpx's errors alone: a header that is no ASCII or a client that was closed fails in other ways, and
            # a batch whose request raises anything else would be sent again at every tick.
            raise self._failed("ECONNRESET", error) from error

    def _answer(self, headers: Mapping[str, str], body: str) -> Answer:
        elapsed = stopwatch()
        content = body.encode("utf-8", "replace")
        with self._client.stream("POST", self.url, headers=dict(headers), content=content) as response:
            received = bytearray()
            for chunk in response.iter_bytes():
                # httpx bounds each read alone: an answer that drips would never end.
                if elapsed() > self._seconds * 1000:
                    raise httpx.ReadTimeout("the answer is not complete in time")
                received += chunk
        return Answer(
            status=response.status_code,
            reason=response.reason_phrase,
            # UTF-8 whatever the header says, as the published engine reads it.
            text=received.decode("utf-8", "replace"),
            headers=dict(response.headers),
        )

    def _failed(self, code: str, error: Exception) -> TransportError:
        return TransportError(code, f"request to {self.url} failed, reason: {error}")

    def close(self) -> None:
        """Closes the connections."""
        self._client.close()
