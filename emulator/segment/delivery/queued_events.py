"""The events of queued deliveries, as they are stored.

After damage to the file, or a change outside of the emulator, an event may be missing or unreadable. Nothing can be
sent for its deliveries, and they would be due forever: each is rejected with a reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection as Transaction
from sqlalchemy import bindparam, exists, func, or_, select, update

from emulator.json_text import parsed
from emulator.segment.delivery.response import REJECTED, RETRYING
from emulator.segment.event_payload import EMITTED
from emulator.segment.tables import BATCHES, DELIVERIES, EVENTS
from emulator.statements import Prepared, keys

EVENT_MISSING: Final = "EVENT_MISSING"
EVENT_DAMAGED: Final = "EVENT_DAMAGED"

_MESSAGES: Final = {
    EVENT_MISSING: "The event to send is not stored.",
    EVENT_DAMAGED: "The event to send is damaged in the store.",
}


@dataclass(slots=True)
class QueuedEvent:
    """An event queued for a subscription. `id` is the id of its delivery. Not frozen: a batch makes a thousand."""

    id: int
    event: Mapping[str, Any]


def readable(rows: Iterable[Any]) -> tuple[list[QueuedEvent], list[int]]:
    """The events of deliveries, given as rows of `id` and `payload`, and the ids of those that cannot be read."""
    events, damaged = [], []
    for row in rows:
        try:
            event = parsed(row.payload)
        except (ValueError, RecursionError):
            event = None
        if isinstance(event, dict) and _is_event(event):
            events.append(QueuedEvent(row.id, event))
        else:
            damaged.append(row.id)
    return events, damaged


def _is_event(event: Mapping[str, Any]) -> bool:
    """Whether it has what delivery itself reads; the mapping takes anything."""
    return isinstance(event.get("messageId"), str) and isinstance(event.get("userId"), str | None)


def reject_damaged(transaction: Transaction, damaged: Sequence[int], *, at: int) -> None:
    """Rejects the deliveries with these ids."""
    _REJECT_DAMAGED.run_matching(transaction, damaged, at=at)


def reject_missing(transaction: Transaction, *, at: int, **place: Any) -> None:
    """Rejects the queued deliveries of a `destination` and `subscription`, `after` one, whose events are not stored."""
    _REJECT_MISSING.run(transaction, **place, at=at)


def reject_missing_of_batch(transaction: Transaction, batch_id: int, *, at: int) -> None:
    """Rejects the deliveries of a batch, about to be retried, whose events are not stored."""
    _REJECT_MISSING_OF_BATCH.run(transaction, batch_id=batch_id, at=at)


def reject_without_events(transaction: Transaction, batch_id: int, *, at: int) -> bool:
    """Rejects a batch of which nothing is left to send, if that is because its events are missing or damaged."""
    reason = _REASON_IN_BATCH.value(transaction, batch_id=batch_id)
    if reason is None:
        return False
    _REJECT_BATCH.run(transaction, batch_id=batch_id, new_reason=reason, new_message=_MESSAGES[reason], at=at)
    return True


def _rejection(reason: str) -> dict[str, Any]:
    return {"outcome": REJECTED, "reason": reason, "message": _MESSAGES[reason], "settled_at": bindparam("at")}


_NOT_STORED = ~exists(EVENTS.c.id).select_from(EMITTED).where(EVENTS.c.id == DELIVERIES.c.event_id)
_REJECT_DAMAGED = Prepared(update(DELIVERIES).where(DELIVERIES.c.id.in_(keys())).values(**_rejection(EVENT_DAMAGED)))
_REJECT_MISSING = Prepared(
    update(DELIVERIES)
    .where(
        DELIVERIES.c.destination == bindparam("destination"),
        DELIVERIES.c.subscription == bindparam("subscription"),
        DELIVERIES.c.outcome.is_(None),
        DELIVERIES.c.id > bindparam("after"),
        _NOT_STORED,
    )
    .values(**_rejection(EVENT_MISSING))
)
_REJECT_MISSING_OF_BATCH = Prepared(
    update(DELIVERIES)
    .where(DELIVERIES.c.batch_id == bindparam("batch_id"), DELIVERIES.c.outcome == RETRYING, _NOT_STORED)
    .values(**_rejection(EVENT_MISSING))
)
_REASON_IN_BATCH = Prepared(
    select(func.min(DELIVERIES.c.reason)).where(
        DELIVERIES.c.batch_id == bindparam("batch_id"),
        or_(DELIVERIES.c.reason == EVENT_MISSING, DELIVERIES.c.reason == EVENT_DAMAGED),
    )
)
_REJECT_BATCH = Prepared(
    update(BATCHES)
    .where(BATCHES.c.id == bindparam("batch_id"))
    .values(
        outcome=REJECTED,
        reason=bindparam("new_reason"),
        message=bindparam("new_message"),
        last_at=bindparam("at"),
        next_at=None,
    )
)
