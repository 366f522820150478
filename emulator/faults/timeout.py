"""No answer comes until the caller gives up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

from emulator.faults.effect import Effect, Ending, NoAnswer
from emulator.faults.fault import Fault
from emulator.faults.matching import Match
from emulator.faults.options import Options, flag, refuse_unknown


@dataclass(frozen=True, slots=True)
class Timeout(Fault):
    """Over a socket the connection stays open and silent until the caller closes it, or the server does after about
    two minutes; no thread waits. In process an `httpx.ReadTimeout` is raised at once.

    `applied`: what was asked is done all the same.
    """

    name: ClassVar[str] = "timeout"
    main: ClassVar[str] = "applied"
    applied: bool = False

    @classmethod
    def parse(cls, options: Options) -> Self:
        refuse_unknown(options, ("applied",))
        return cls(flag(options, "applied"))

    def options(self) -> dict[str, Any]:
        return {"applied": self.applied}

    def effect(self, trace_id: str, match: Match) -> Effect:
        return Effect(no_answer=NoAnswer(Ending.TIMEOUT, self.applied))
