"""`notJson`: an HTML page in place of JSON, as a proxy or a maintenance page sends it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from emulator.faults.fault import Fault
from emulator.faults.options import integer
from emulator.faults.response import FaultedResponse

_PAGE = (
    "<!DOCTYPE html>\n<html><head><title>Emulated fault</title></head>"
    "<body><h1>This is not JSON</h1><p>stackadapt-emulator, fault notJson, trace {trace_id}</p></body></html>\n"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NotJson(Fault):
    """Responds with an HTML page; nothing is written."""

    name: ClassVar[str] = "notJson"
    main: ClassVar[str] = "status"
    status: int = integer("HTTP status", least=200, most=599, default=200)

    def on_request(self, trace_id: str) -> FaultedResponse:
        page = _PAGE.format(trace_id=trace_id).encode()
        return FaultedResponse(status=self.status, body=page, headers={"Content-Type": "text/html; charset=utf-8"})
