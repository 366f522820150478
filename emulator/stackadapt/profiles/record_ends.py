"""How the records of requests ended, by the trace ids of the requests."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, func, select

from emulator.stackadapt.rules.outcomes import VISIBLE
from emulator.stackadapt.tables import BATCHES, RECORDS, RECORDS_OF_BATCHES
from emulator.statements import Prepared, keys
from emulator.stored_values import StoredValues, text_or_none

_COUNTED = Prepared(
    select(BATCHES.c.request_id, RECORDS.c.outcome, RECORDS.c.reason, func.count().label("records"))
    .select_from(RECORDS_OF_BATCHES)
    .where(BATCHES.c.request_id.in_(keys()))
    .group_by(BATCHES.c.request_id, RECORDS.c.outcome, RECORDS.c.reason)
)
_NEWEST = Prepared(
    select(RECORDS, BATCHES.c.request_id, BATCHES.c.received_at)
    .select_from(RECORDS_OF_BATCHES)
    .where(BATCHES.c.request_id.in_(keys()), RECORDS.c.outcome != VISIBLE)
    .order_by(RECORDS.c.id.desc())
    .limit(bindparam("most"))
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordEnds:
    """How many records a request has with an outcome and a reason."""

    trace_id: str
    outcome: str
    reason: str | None
    records: int


class RecordEndQueries:
    """Reads a sandbox. `transaction` opens a transaction in which every due job has been applied."""

    def __init__(self, transaction: Callable[[], AbstractContextManager[Connection]]) -> None:
        self._transaction = transaction

    def of_requests(self, trace_ids: Sequence[str]) -> list[RecordEnds]:
        """The records of these requests, counted."""
        with self._transaction() as connection:
            return [
                RecordEnds(
                    trace_id=row.request_id,
                    outcome=str(text_or_none(row.outcome)),
                    reason=text_or_none(row.reason),
                    records=row.records,
                )
                for row in _COUNTED.matching(connection, trace_ids)
            ]

    def newest(self, trace_ids: Iterable[str], most: int) -> list[dict[str, Any]]:
        """The newest records of these requests that are not visible: `traceId`, `index`, `outcome`, `reason`, `at`."""
        with self._transaction() as connection:
            rows = [*_NEWEST.matching(connection, trace_ids, most=most)]
        return [_shown(row) for row in sorted(rows, key=lambda row: -row.id)]


def _shown(row: Any) -> dict[str, Any]:
    stored = StoredValues()
    item = {
        "traceId": row.request_id,
        "index": row.position,
        "outcome": text_or_none(row.outcome),
        "reason": text_or_none(row.reason),
        "at": stored.time("at", row.settled_at or row.received_at),
    }
    return stored.shown(item)
