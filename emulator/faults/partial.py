"""Part of a batch fails: the mutation succeeds, some of its records are refused at ingestion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

from emulator.faults.effect import Effect, RecordRejection
from emulator.faults.fault import Fault
from emulator.faults.matching import Match, RequestSummary
from emulator.faults.options import Options, refuse_unknown, whole_number

UPSERT = "upsertProfiles"


@dataclass(frozen=True, slots=True)
class Partial(Fault):
    """Refuses, with reason `INJECTED`, every `every`-th record of `upsertProfiles` (1 when absent: all of them).

    A rule with an email leaves the records with other emails alone.
    """

    name: ClassVar[str] = "partial"
    main: ClassVar[str] = "every"
    every: int = 1

    @classmethod
    def parse(cls, options: Options) -> Self:
        refuse_unknown(options, ("every",))
        return cls(whole_number(options, "every", least=1, most=1_000_000, default=1))

    def options(self) -> dict[str, Any]:
        return {"every": self.every}

    def effect(self, trace_id: str, match: Match) -> Effect:
        return Effect(rejecting=RecordRejection(match.email, self.every))

    def applies_to(self, asked: RequestSummary) -> bool:
        return UPSERT in asked.operations
