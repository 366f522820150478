"""`partial`: a mutation succeeds and part of its batch is rejected at ingestion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from emulator.faults.fault import Fault, RecordRejection
from emulator.faults.matching import Match, RequestSummary
from emulator.faults.options import integer

_UPSERT = "upsertProfiles"


@dataclass(frozen=True, slots=True, kw_only=True)
class Partial(Fault):
    """Rejects records of `upsertProfiles` with reason `INJECTED`; with `email`, only those that match it."""

    name: ClassVar[str] = "partial"
    main: ClassVar[str] = "every"
    every: int = integer("every n-th record of the batch", least=1, most=1_000_000, default=1)

    def applies_to(self, request: RequestSummary) -> bool:
        return _UPSERT in request.operations

    def record_rejection(self, match: Match) -> RecordRejection:
        return RecordRejection(match.email, self.every)
