"""The only interface between the two services: a POST to a fixed URL and its response.

It goes to a WSGI application in process, or over a socket; callers see no difference.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from emulator.clock import stopwatch

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

TIMEOUT_SECONDS = 10.0
# Far more than a response to a batch of a thousand events.
_RESPONSE_LIMIT_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """An HTTP response, read completely."""

    status: int
    reason: str
    text: str
    headers: Mapping[str, str] = field(default_factory=dict)


class TransportError(Exception):
    """No response arrived. `code` is the name of the failure in Node and Segment (`ECONNRESET`, `ETIMEDOUT`, …)."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class Transport(Protocol):
    """Posts a body to one fixed URL."""

    def post(self, headers: Mapping[str, str], body: str) -> Response:
        """Sends `body` and returns the response, whatever its status. Raises TransportError when there is none."""
        ...


class HttpTransport:
    """Posts to one URL with an `httpx.Client`, over a socket or into a WSGI application, with `headers`."""

    def __init__(
        self, url: str, *, app: WSGIApplication | None = None, headers: Mapping[str, str] | None = None
    ) -> None:
        # Imported when it is used, here and elsewhere: it takes long, and a server starts without.
        import httpx

        self.url = url
        self._in_process = app is not None
        self._client = httpx.Client(
            transport=httpx.WSGITransport(app=app) if app else None,
            headers=headers,
            trust_env=False,
        )

    def post(self, headers: Mapping[str, str], body: str) -> Response:
        import httpx

        try:
            return self._response(headers, body)
        except httpx.TimeoutException as error:
            raise TransportError("ETIMEDOUT", f"Request timed out after {TIMEOUT_SECONDS * 1000:.0f}ms") from error
        except httpx.ConnectError as error:
            raise self._failed("ECONNREFUSED", error) from error
        except Exception as error:
            # Not only httpx's errors: a non-ASCII header or a closed client fails in other ways, and a batch whose
            # request raises anything else would be sent again each time.
            raise self._failed("ECONNRESET", error) from error

    def _response(self, headers: Mapping[str, str], body: str) -> Response:
        import httpx

        elapsed = stopwatch()
        # An application in this process has no time limit, however slow the machine is.
        seconds = math.inf if self._in_process else TIMEOUT_SECONDS
        content = body.encode("utf-8", "replace")
        with self._client.stream(
            "POST", self.url, headers=dict(headers), content=content, timeout=TIMEOUT_SECONDS
        ) as response:
            received = bytearray()
            for chunk in response.iter_bytes():
                # httpx limits each read only: a response that arrives slowly would never end.
                if elapsed() > seconds * 1000:
                    raise httpx.ReadTimeout("the response was not complete in time")
                received += chunk
                if len(received) > _RESPONSE_LIMIT_BYTES:
                    raise httpx.ReadError(f"the response is larger than {_RESPONSE_LIMIT_BYTES} bytes")
        return Response(
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
