"""`status`: an HTTP error in place of the service's response."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from emulator.faults.fault import Fault
from emulator.faults.options import integer
from emulator.faults.response import FaultedResponse, error_response


@dataclass(frozen=True, slots=True, kw_only=True)
class Status(Fault):
    """Responds with an HTTP error status and a GraphQL error; nothing is written."""

    name: ClassVar[str] = "status"
    main: ClassVar[str] = "status"
    status: int = integer("HTTP status", least=400, most=599)
    retry_after: int | None = integer("`Retry-After` in seconds", name="retryAfter", most=86_400, default=None)

    def on_request(self, trace_id: str) -> FaultedResponse:
        return error_response(self.status, trace_id, retry_after=self.retry_after)
