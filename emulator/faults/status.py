"""The request is answered with a status and nothing is written."""

from __future__ import annotations

import json
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, ClassVar, Self

from emulator.faults.effect import Effect, ReplacementResponse
from emulator.faults.fault import Fault
from emulator.faults.matching import Match
from emulator.faults.options import Options, refuse_unknown, whole_number


@dataclass(frozen=True, slots=True)
class Status(Fault):
    """Answers `status` (400 to 599) with an envelope of errors; `retry_after` (seconds) becomes a header.

    Only the statuses 400 and 401 of the real service have been seen, so the envelope is marked as the emulator's.
    """

    name: ClassVar[str] = "status"
    main: ClassVar[str] = "status"
    status: int
    retry_after: int | None = None

    @classmethod
    def parse(cls, options: Options) -> Self:
        refuse_unknown(options, ("status", "retryAfter"))
        wait = whole_number(options, "retryAfter", least=0, most=86_400) if "retryAfter" in options else None
        return cls(whole_number(options, "status", least=400, most=599), wait)

    def options(self) -> dict[str, Any]:
        return {"status": self.status, **({} if self.retry_after is None else {"retryAfter": self.retry_after})}

    def effect(self, trace_id: str, match: Match) -> Effect:
        return Effect(instead=status_answer(self.status, trace_id, retry_after=self.retry_after))


def status_answer(status: int, trace_id: str, *, retry_after: int | None = None) -> ReplacementResponse:
    """An error answer of the emulator's own making, with the form of the observed ones."""
    error = {"message": _phrase(status), "extensions": {"traceId": trace_id, "emulator": True}}
    return ReplacementResponse(
        status=status,
        body=json.dumps({"errors": [error]}, separators=(",", ":")),
        content_type="application/json; charset=utf-8",
        headers={} if retry_after is None else {"Retry-After": str(retry_after)},
    )


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return f"Status {status}"
