"""The delivery queue in the store: events queued for subscriptions, the batches they are sent in, their outcomes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from sqlalchemy import ColumnElement, bindparam, false, func, insert, or_, select, update
from sqlalchemy import Connection as Transaction

from emulator.column_rules import LATEST_MILLIS
from emulator.segment.delivery.queued_events import (
    QueuedEvent,
    readable,
    reject_damaged,
    reject_missing,
    reject_missing_of_batch,
    reject_without_events,
)
from emulator.segment.delivery.response import RETRYING, DeliveryResult
from emulator.segment.delivery.subscriptions import DeliveryTarget
from emulator.segment.event_payload import EMITTED, PAYLOAD
from emulator.segment.tables import BATCHES, DELIVERIES, EVENTS
from emulator.statements import Prepared, keys
from emulator.store import SEGMENT_LOCK, Store

# "Batching Requests" in the published destinations' README.
BATCH_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Events to send in one request. `batch_id` is set when they were sent before; `first_at` is in milliseconds.

    `size` is that of their payloads, in bytes.
    """

    events: tuple[QueuedEvent, ...]
    size: int = 0
    batch_id: int | None = None
    attempts: int = 0
    first_at: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeUpdate:
    """The outcome of the deliveries with these ids; `in_batch` when they were part of the request."""

    ids: tuple[int, ...]
    outcome: str
    reason: str | None = None
    message: str | None = None
    in_batch: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """The result of one attempt. `batch` is None when there is none to record, `next_at` unless it will be retried.

    `requests` is 0 when nothing was sent: the mapping failed, or nothing is left of a batch that was sent before.
    """

    at: int
    updates: tuple[OutcomeUpdate, ...]
    requests: int = 0
    batch: DeliveryResult | None = None
    next_at: int | None = None


class Queue:
    """Reads and writes the queue of one store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def next_batch(self, target: DeliveryTarget, *, after: int, queued_until: int) -> Batch | None:
        """The events queued after a delivery, as many as fit in a batch by number and bytes, oldest first.

        None when they do not fill a batch and none was queued by `queued_until`.
        """
        place = {"destination": target.destination.name, "subscription": target.name, "after": after}
        size = target.destination.batch_size
        with self._store.begin(locks=SEGMENT_LOCK) as transaction:
            waiting = _WAITING.first(transaction, **place, most=size)
            if waiting.oldest is None or (
                waiting.number < size and waiting.together < BATCH_BYTES and waiting.oldest > queued_until
            ):
                return None
            while rows := _HEAD.rows(transaction, **place, most=size):
                fitting = _fitting(rows)
                events, damaged = readable(fitting)
                reject_damaged(transaction, damaged, at=queued_until)
                if events:
                    return Batch(events=tuple(events), size=sum(row.bytes for row in fitting))
            reject_missing(transaction, **place, at=queued_until)
            return None

    def waiting(self, transaction: Transaction) -> int:
        """How many deliveries are queued and were not sent yet."""
        number: int = _ALL_WAITING.value(transaction)
        return number

    def next_due(self, target: DeliveryTarget, *, after: int, age_millis: int) -> int | None:
        """When, after `after`, the next batch of a subscription is to be retried, or is old enough to be sent."""
        # A damaged row may have anything for a time.
        retry = select(func.min(BATCHES.c.next_at)).where(
            BATCHES.c.next_at > after,
            BATCHES.c.next_at <= LATEST_MILLIS,
            BATCHES.c.destination == target.destination.name,
            BATCHES.c.subscription == target.name,
        )
        waiting = select(func.min(DELIVERIES.c.queued_at)).where(
            _of(target),
            DELIVERIES.c.outcome.is_(None),
            DELIVERIES.c.queued_at > after - age_millis,
            DELIVERIES.c.queued_at <= LATEST_MILLIS,
        )
        with self._store.begin(locks=SEGMENT_LOCK) as transaction:
            again, oldest = transaction.scalar(retry), transaction.scalar(waiting)
        times = [again, None if oldest is None else oldest + age_millis]
        return min((at for at in times if at is not None), default=None)

    def due_retries(self, target: DeliveryTarget, now: int) -> Iterator[Batch]:
        """The batches of a subscription that are due for a retry."""
        place = {"destination": target.destination.name, "subscription": target.name}
        with self._store.begin(locks=SEGMENT_LOCK) as transaction:
            batches = _DUE_RETRIES.rows(transaction, **place, now=now)
        for batch in batches:
            with self._store.begin(locks=SEGMENT_LOCK) as transaction:
                reject_missing_of_batch(transaction, batch.id, at=now)
                rows = _OF_BATCH.rows(transaction, batch_id=batch.id)
                events, damaged = readable(rows)
                reject_damaged(transaction, damaged, at=now)
                if not events and reject_without_events(transaction, batch.id, at=now):
                    continue
            size = sum(row.bytes for row in rows)
            yield Batch(
                events=tuple(events), size=size, batch_id=batch.id, attempts=batch.attempts, first_at=batch.first_at
            )

    def save(self, target: DeliveryTarget, batch: Batch, attempt: Attempt) -> None:
        """Records an attempt: the outcome of the batch, if there was one, and of each delivery.

        The caller journals it, which puts it on disk.
        """
        with self._store.begin(locks=SEGMENT_LOCK, synced=False) as transaction:
            batch_id = _save_batch(transaction, target, batch, attempt)
            for change in attempt.updates:
                outcome = {
                    "new_outcome": change.outcome,
                    "new_reason": change.reason,
                    "new_message": change.message,
                    "at": attempt.at,
                }
                if change.in_batch:
                    _SETTLE_IN_BATCH.run_matching(transaction, change.ids, **outcome, batch=batch_id)
                else:
                    _SETTLE.run_matching(transaction, change.ids, **outcome)

    def replay(
        self,
        transaction: Transaction,
        dead: Sequence[ColumnElement[bool]],
        targets: Sequence[DeliveryTarget],
        at: int,
    ) -> int:
        """Queues dead letters again, as if just emitted; returns how many."""
        again = update(DELIVERIES).where(*dead, or_(false(), *map(_of, targets)))
        fresh = dict.fromkeys(("outcome", "reason", "message", "batch_id", "settled_at"))
        return transaction.execute(again.values(fresh | {"queued_at": at})).rowcount


_BATCH = (
    "destination",
    "subscription",
    "outcome",
    "reason",
    "message",
    "locations",
    "status",
    "response",
    "trace_id",
    "attempts",
    "first_at",
    "last_at",
    "next_at",
)
_PLACE = (DELIVERIES.c.destination == bindparam("destination")) & (
    DELIVERIES.c.subscription == bindparam("subscription")
)
_UNSENT = _PLACE & DELIVERIES.c.outcome.is_(None) & (DELIVERIES.c.id > bindparam("after"))
# Of no more than fit in a batch: thousands may wait, and each batch of them asks.
_FIRST = select(DELIVERIES.c.bytes, DELIVERIES.c.queued_at).where(_UNSENT).limit(bindparam("most")).subquery()
_WAITING = Prepared(
    select(
        func.count().label("number"),
        func.sum(_FIRST.c.bytes).label("together"),
        func.min(_FIRST.c.queued_at).label("oldest"),
    )
)
_ALL_WAITING = Prepared(select(func.count()).where(DELIVERIES.c.outcome.is_(None)))
_QUEUED = select(DELIVERIES.c.id, DELIVERIES.c.bytes, PAYLOAD).join_from(
    DELIVERIES, EMITTED, DELIVERIES.c.event_id == EVENTS.c.id
)
_HEAD = Prepared(_QUEUED.where(_UNSENT).order_by(DELIVERIES.c.id).limit(bindparam("most")))
# The deliveries of a batch that are still to be retried, in the order of its document.
_OF_BATCH = Prepared(
    _QUEUED.where(DELIVERIES.c.batch_id == bindparam("batch_id"), DELIVERIES.c.outcome == RETRYING).order_by(
        DELIVERIES.c.id
    )
)
_DUE_RETRIES = Prepared(
    select(BATCHES.c.id, BATCHES.c.attempts, BATCHES.c.first_at)
    .where(BATCHES.c.next_at <= bindparam("now"))
    .where(BATCHES.c.destination == bindparam("destination"), BATCHES.c.subscription == bindparam("subscription"))
    .order_by(BATCHES.c.next_at, BATCHES.c.id)
)
_ADD_BATCH = Prepared(insert(BATCHES).values({name: bindparam(name) for name in _BATCH}).returning(BATCHES.c.id))


def _settle(**more: Any) -> Prepared:
    return Prepared(
        update(DELIVERIES)
        .where(DELIVERIES.c.id.in_(keys()))
        .values(
            outcome=bindparam("new_outcome"),
            reason=bindparam("new_reason"),
            message=bindparam("new_message"),
            settled_at=bindparam("at"),
            **more,
        )
    )


_SETTLE = _settle()
_SETTLE_IN_BATCH = _settle(batch_id=bindparam("batch"))


def _of(target: DeliveryTarget) -> ColumnElement[bool]:
    return (DELIVERIES.c.destination == target.destination.name) & (DELIVERIES.c.subscription == target.name)


def _fitting(rows: Sequence[Any]) -> list[Any]:
    """The selected deliveries: the first, and those after it as long as all together fit in a batch."""
    together = accumulate(row.bytes for row in rows)
    return [row for row, size in zip(rows, together, strict=True) if row is rows[0] or size <= BATCH_BYTES]


def _save_batch(transaction: Transaction, target: DeliveryTarget, batch: Batch, attempt: Attempt) -> int | None:
    """The id of the batch of the attempt, a new one the first time."""
    if attempt.batch is None:
        return None
    row = {
        "outcome": attempt.batch.outcome,
        "reason": attempt.batch.reason,
        "message": attempt.batch.message,
        "locations": json.dumps(attempt.batch.locations),
        "status": attempt.batch.status,
        "response": attempt.batch.response,
        "trace_id": attempt.batch.trace_id,
        "attempts": batch.attempts + attempt.requests,
        "last_at": attempt.at,
        "next_at": attempt.next_at,
    }
    if batch.batch_id is not None:
        transaction.execute(update(BATCHES).where(BATCHES.c.id == batch.batch_id).values(row))
        return batch.batch_id
    place = {"destination": target.destination.name, "subscription": target.name, "first_at": attempt.at}
    return int(_ADD_BATCH.value(transaction, **row, **place))
