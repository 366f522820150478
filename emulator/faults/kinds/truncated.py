"""`truncated`: the response body is incomplete."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from emulator.faults.fault import Fault
from emulator.faults.options import integer
from emulator.faults.response import FaultedResponse, Interruption


@dataclass(frozen=True, slots=True, kw_only=True)
class Truncated(Fault):
    """Closes the connection in the middle of the response body; the request is processed.

    `Content-Length` is that of the whole body. In process the reader gets the first bytes and then
    `httpx.RemoteProtocolError`. The body never arrives complete.
    """

    name: ClassVar[str] = "truncated"
    main: ClassVar[str] = "bytes"
    size: int | None = integer("bytes sent; half of the body when absent", name="bytes", most=1_000_000, default=None)

    def on_response(self, response: FaultedResponse) -> FaultedResponse:
        if response.status is None or response.interruption is not None:
            return response
        length = len(response.body)
        size = length // 2 if self.size is None else min(self.size, max(length - 1, 0))
        headers = {**response.headers, "Content-Length": str(length)}
        return replace(response, body=response.body[:size], headers=headers, interruption=Interruption.CUT)
