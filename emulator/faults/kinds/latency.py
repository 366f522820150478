"""`latency`: a late response."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from emulator.faults.fault import Fault
from emulator.faults.options import integer
from emulator.faults.response import FaultedResponse

# A client gives up before that; `timeout` waits longer.
LONGEST_MS = 30_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency(Fault):
    """Delays the response; the request is processed.

    The delay is real only over a socket and while the sandbox's clock runs. In process, or with a frozen clock, it is
    only added to the duration in the journal.
    """

    name: ClassVar[str] = "latency"
    main: ClassVar[str] = "milliseconds"
    milliseconds: int = integer("delay", most=LONGEST_MS)

    def on_response(self, response: FaultedResponse) -> FaultedResponse:
        return replace(response, delay_ms=response.delay_ms + self.milliseconds)
