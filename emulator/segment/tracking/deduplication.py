"""Message ids of the last 24 hours, and the number of calls by source and discard code.

Segment deduplicates by `messageId` alone, across sources, for at least 24 hours ("Handling duplicate data").
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from sqlalchemy import Connection as Transaction
from sqlalchemy import bindparam, delete, insert, select, update

from emulator.segment.tables import INGEST, MESSAGES
from emulator.segment.tracking.calls import Call, IngestResult, without_duplicates
from emulator.statements import Prepared, insert_rows, keys

WINDOW_MILLIS = 24 * 60 * 60 * 1000

_FORGET = Prepared(delete(MESSAGES).where(MESSAGES.c.received_at < bindparam("before")))
_SEEN = Prepared(select(MESSAGES.c.message_id).where(MESSAGES.c.message_id.in_(keys())))
_COUNT_MORE = Prepared(
    update(INGEST)
    .where((INGEST.c.source == bindparam("of_source")) & (INGEST.c.reason == bindparam("of_reason")))
    .values(calls=INGEST.c.calls + bindparam("more"))
    .returning(INGEST.c.calls)
)


def deduplicate(
    transaction: Transaction, results: Sequence[IngestResult], *, source: str, at: int
) -> list[IngestResult]:
    """The results with duplicates rejected; stores ids and counts. `at` is in milliseconds."""
    _FORGET.run(transaction, before=at - WINDOW_MILLIS)
    seen = [row.message_id for row in _SEEN.matching(transaction, _ids_of(results))]
    results = list(without_duplicates(results, seen))
    fresh = [{"message_id": message_id, "received_at": at} for message_id in _ids_of(results)]
    insert_rows(transaction, MESSAGES, fresh)
    for reason, calls in Counter("" if isinstance(result, Call) else result.reason for result in results).items():
        count_calls(transaction, source, reason, calls)
    return results


def _ids_of(results: Iterable[IngestResult]) -> Iterator[str]:
    return (result.message_id for result in results if isinstance(result, Call) and result.named_by_sender)


def count_calls(transaction: Transaction, source: str, reason: str, calls: int) -> None:
    """Counts calls of a source (empty for none) that failed on ingest with a code, or were accepted (empty)."""
    if _COUNT_MORE.first(transaction, of_source=source, of_reason=reason, more=calls) is None:
        transaction.execute(insert(INGEST), {"source": source, "reason": reason, "calls": calls})
