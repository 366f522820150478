"""The answer comes late; what was asked is done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

from emulator.faults.effect import Effect
from emulator.faults.fault import Fault
from emulator.faults.matching import Match
from emulator.faults.options import Options, refuse_unknown, whole_number

# A held answer holds one of the server's threads, so this is short; `timeout` waits longer and holds none.
LONGEST_MS = 30_000


@dataclass(frozen=True, slots=True)
class Latency(Fault):
    """Holds the answer back for `milliseconds` of real time.

    Over a socket, and only while the sandbox's clock runs: in process, or with a frozen clock, nobody waits and the
    time is only added to the duration that the journal shows. A caller that hangs up ends the wait.
    """

    name: ClassVar[str] = "latency"
    main: ClassVar[str] = "milliseconds"
    milliseconds: int

    @classmethod
    def parse(cls, options: Options) -> Self:
        refuse_unknown(options, ("milliseconds",))
        return cls(whole_number(options, "milliseconds", least=0, most=LONGEST_MS))

    def options(self) -> dict[str, Any]:
        return {"milliseconds": self.milliseconds}

    def effect(self, trace_id: str, match: Match) -> Effect:
        return Effect(delay_ms=self.milliseconds)
