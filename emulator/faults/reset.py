"""The connection is reset before an answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

from emulator.faults.effect import Effect, Ending, NoAnswer
from emulator.faults.fault import Fault
from emulator.faults.matching import Match
from emulator.faults.options import Options, flag, refuse_unknown


@dataclass(frozen=True, slots=True)
class Reset(Fault):
    """Over a socket the peer gets a TCP reset; in process an `httpx.ReadError`.

    `applied`: what was asked is done before, so that a client that tries again sends it twice.
    """

    name: ClassVar[str] = "reset"
    main: ClassVar[str] = "applied"
    applied: bool = False

    @classmethod
    def parse(cls, options: Options) -> Self:
        refuse_unknown(options, ("applied",))
        return cls(flag(options, "applied"))

    def options(self) -> dict[str, Any]:
        return {"applied": self.applied}

    def effect(self, trace_id: str, match: Match) -> Effect:
        return Effect(no_answer=NoAnswer(Ending.RESET, self.applied))
