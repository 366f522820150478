"""`reset`: the connection is reset before a response."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from emulator.faults.fault import Fault
from emulator.faults.options import boolean
from emulator.faults.response import FaultedResponse, Interruption

_NO_RESPONSE = FaultedResponse(status=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class LostResponse(Fault):
    """The connection ends without a response. With `applied` the request is processed first, so a retry repeats it."""

    main: ClassVar[str] = "applied"
    interruption: ClassVar[Interruption]
    applied: bool = boolean("process the request all the same")

    def on_request(self, trace_id: str) -> FaultedResponse | None:
        return None if self.applied else _NO_RESPONSE

    def on_response(self, response: FaultedResponse) -> FaultedResponse:
        if response.status is None and response.interruption is not None:
            return response
        return replace(response, status=None, body=b"", interruption=self.interruption)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reset(LostResponse):
    """Resets the TCP connection before a response; in process `httpx.ReadError` is raised."""

    name: ClassVar[str] = "reset"
    interruption: ClassVar[Interruption] = Interruption.RESET
