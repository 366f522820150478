"""An HTML page instead of JSON, as a proxy or a maintenance page gives it; nothing is written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

from emulator.faults.effect import Effect, ReplacementResponse
from emulator.faults.fault import Fault
from emulator.faults.matching import Match
from emulator.faults.options import Options, refuse_unknown, whole_number

_PAGE = (
    "<!DOCTYPE html>\n<html><head><title>Emulated fault</title></head>"
    "<body><h1>This is not JSON</h1><p>stackadapt-emulator, fault notJson, trace {trace_id}</p></body></html>\n"
)


@dataclass(frozen=True, slots=True)
class NotJson(Fault):
    """Answers `status` (200 to 599, 200 when absent) with an HTML page."""

    name: ClassVar[str] = "notJson"
    main: ClassVar[str] = "status"
    status: int = 200

    @classmethod
    def parse(cls, options: Options) -> Self:
        refuse_unknown(options, ("status",))
        return cls(whole_number(options, "status", least=200, most=599, default=200))

    def options(self) -> dict[str, Any]:
        return {"status": self.status}

    def effect(self, trace_id: str, match: Match) -> Effect:
        page = _PAGE.format(trace_id=trace_id)
        return Effect(
            instead=ReplacementResponse(status=self.status, body=page, content_type="text/html; charset=utf-8")
        )
