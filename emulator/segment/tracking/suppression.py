"""The suppression list: user ids whose calls are dropped ("User Deletion and Suppression" in Segment's documentation).

Segment blocks them at the API, across all sources: the calls are answered 200 and appear in no debugger. The emulator
lists them with the calls that were dropped.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import Connection as Transaction
from sqlalchemy import bindparam, delete, insert, select

from emulator.segment.tables import SUPPRESSED
from emulator.segment.tracking.calls import Call, IngestResult, dropped
from emulator.statements import Prepared, keys
from emulator.store import portions
from emulator.stored_values import StoredValues

# Our own: Segment shows these calls nowhere.
USER_SUPPRESSED = "USER_SUPPRESSED"

# Built once: run before every call.
_AMONG = Prepared(select(SUPPRESSED.c.user_id).where(SUPPRESSED.c.user_id.in_(keys())))
_REMOVE = delete(SUPPRESSED).where(SUPPRESSED.c.user_id.in_(bindparam("ids", expanding=True)))


def start_suppression(transaction: Transaction, user_ids: Sequence[str], at: int) -> None:
    """Adds user ids; `at` is in milliseconds. One that is on the list stays as it is."""
    known = _among(transaction, user_ids)
    if rows := [{"user_id": user_id, "at": at} for user_id in dict.fromkeys(user_ids) if user_id not in known]:
        transaction.execute(insert(SUPPRESSED), rows)


def end_suppression(transaction: Transaction, user_ids: Sequence[str]) -> None:
    """Removes user ids."""
    for some in portions(user_ids):
        transaction.execute(_REMOVE, {"ids": some})


def without_suppressed(transaction: Transaction, results: Sequence[IngestResult]) -> Iterator[IngestResult]:
    """The results, with the calls of suppressed users rejected."""
    users = [result.user_id for result in results if isinstance(result, Call) and result.user_id is not None]
    suppressed = _among(transaction, users)
    for result in results:
        if isinstance(result, Call) and result.user_id in suppressed:
            yield from dropped([result], USER_SUPPRESSED)
        else:
            yield result


def suppressions(transaction: Transaction, user_id: str | None, limit: int, offset: int) -> list[dict[str, Any]]:
    """The suppressed users, `{"userId", "since"}`, by id; or the one with this id."""
    found = select(SUPPRESSED).order_by(SUPPRESSED.c.user_id).limit(limit).offset(offset)
    if user_id is not None:
        found = found.where(SUPPRESSED.c.user_id == user_id)
    return [_shown(row) for row in transaction.execute(found)]


def _shown(row: Any) -> dict[str, Any]:
    stored = StoredValues()
    return stored.shown({"userId": row.user_id, "since": stored.time("since", row.at)})


def _among(transaction: Transaction, user_ids: Iterable[str]) -> set[str]:
    return {row.user_id for row in _AMONG.matching(transaction, dict.fromkeys(user_ids))}
