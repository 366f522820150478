"""The delivery queue in the store: events offered to channels, the batches they went out in, what became of them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, func, insert, select, update
from sqlalchemy import Connection as Transaction

from emulator.segment.answers import RETRYING, Judgement
from emulator.segment.audience_events import AudienceEvent
from emulator.segment.channels import Channel
from emulator.segment.tables import BATCHES, DELIVERIES, EVENTS
from emulator.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """An event on its way through a channel. `id` is that of its delivery."""

    id: int
    event: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """Events that go out together. `batch_id` is set when they did before; moments are in milliseconds."""

    offers: tuple[Offer, ...]
    batch_id: int | None = None
    attempts: int = 0
    first_at: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """An outcome for some deliveries of a work: `ids` are theirs; `in_batch` when they were part of its request."""

    ids: tuple[int, ...]
    outcome: str
    reason: str | None = None
    message: str | None = None
    in_batch: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What came of one try. `batch` is None when nothing had to be sent, `next_at` unless it will be tried again."""

    at: int
    settlements: tuple[Settlement, ...]
    batch: Judgement | None = None
    next_at: int | None = None


class Queue:
    """Reads and writes the queue of one store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def offer(
        self, transaction: Transaction, events: Sequence[AudienceEvent], channels: Sequence[Channel], at: int
    ) -> None:
        """Puts each event into the queue of every channel of its destination."""
        if not events:
            return
        statement = insert(EVENTS).returning(EVENTS.c.id, sort_by_parameter_order=True)
        keys = transaction.execute(statement, [_event_row(event) for event in events]).scalars().all()
        rows = [
            {
                "event_id": key,
                "destination": event.destination,
                "subscription": channel.name,
                "queued_at": at,
            }
            for key, event in zip(keys, events, strict=True)
            for channel in channels
            if channel.destination.name == event.destination
        ]
        if rows:
            transaction.execute(insert(DELIVERIES), rows)

    def waiting(self, channel: Channel) -> tuple[int, int | None]:
        """How many events wait in a channel, and since when the first of them."""
        found = select(func.count(), func.min(DELIVERIES.c.queued_at)).where(_waits_in(channel))
        with self._store.begin() as transaction:
            count, oldest = transaction.execute(found).one()
        return count, oldest

    def next_work(self, channel: Channel) -> Work:
        """The events at the head of a channel's queue, as many as fit in a batch."""
        found = _OFFERS.where(_waits_in(channel)).order_by(DELIVERIES.c.id).limit(channel.destination.batch_size)
        with self._store.begin() as transaction:
            return Work(offers=_offers(transaction, found))

    def due_retries(self, channel: Channel, now: int) -> list[Work]:
        """The batches of a channel whose time to be tried again has come."""
        due = (
            select(BATCHES.c.id, BATCHES.c.attempts, BATCHES.c.first_at)
            .where(BATCHES.c.next_at <= now)
            .where(BATCHES.c.destination == channel.destination.name, BATCHES.c.subscription == channel.name)
            .order_by(BATCHES.c.next_at, BATCHES.c.id)
        )
        with self._store.begin() as transaction:
            return [
                Work(
                    offers=_offers(transaction, _retrying(row.id)),
                    batch_id=row.id,
                    attempts=row.attempts,
                    first_at=row.first_at,
                )
                for row in transaction.execute(due).all()
            ]

    def settle(self, channel: Channel, work: Work, attempt: Attempt) -> None:
        """Records an attempt: what became of the batch, if there was one, and of each delivery."""
        with self._store.begin() as transaction:
            batch_id = _save_batch(transaction, channel, work, attempt)
            for settlement in attempt.settlements:
                row: dict[str, Any] = {
                    "outcome": settlement.outcome,
                    "reason": settlement.reason,
                    "message": settlement.message,
                    "settled_at": attempt.at,
                }
                if settlement.in_batch:
                    row["batch_id"] = batch_id
                transaction.execute(update(DELIVERIES).where(DELIVERIES.c.id.in_(settlement.ids)).values(row))


_OFFERS = select(DELIVERIES.c.id, EVENTS.c.payload).join(EVENTS, DELIVERIES.c.event_id == EVENTS.c.id)


def _event_row(event: AudienceEvent) -> dict[str, Any]:
    return {
        "message_id": event.message_id,
        "destination": event.destination,
        "type": event.payload["type"],
        "event": event.payload.get("event"),
        "user_id": event.payload.get("userId"),
        "audience_key": event.audience_key,
        "payload": json.dumps(event.payload),
    }


def _waits_in(channel: Channel) -> ColumnElement[bool]:
    return (
        DELIVERIES.c.outcome.is_(None)
        & (DELIVERIES.c.destination == channel.destination.name)
        & (DELIVERIES.c.subscription == channel.name)
    )


def _retrying(batch_id: int) -> Select[Any]:
    """The deliveries of a batch that are still under way, in the order in which they stand in its document."""
    same = (DELIVERIES.c.batch_id == batch_id) & (DELIVERIES.c.outcome == RETRYING)
    return _OFFERS.where(same).order_by(DELIVERIES.c.id)


def _offers(transaction: Transaction, found: Select[Any]) -> tuple[Offer, ...]:
    return tuple(Offer(id=row.id, event=json.loads(row.payload)) for row in transaction.execute(found))


def _save_batch(transaction: Transaction, channel: Channel, work: Work, attempt: Attempt) -> int | None:
    """The id of the batch that the attempt belongs to; a new one the first time."""
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
        "attempts": work.attempts + 1,
        "last_at": attempt.at,
        "next_at": attempt.next_at,
    }
    if work.batch_id is not None:
        transaction.execute(update(BATCHES).where(BATCHES.c.id == work.batch_id).values(row))
        return work.batch_id
    place = {"destination": channel.destination.name, "subscription": channel.name, "first_at": attempt.at}
    batch_id: int = transaction.execute(insert(BATCHES).returning(BATCHES.c.id), row | place).scalar_one()
    return batch_id
