"""What became of calls, events and batches, read from the store for whoever asks: plain dicts of JSON values."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy import Connection as Transaction

from emulator.errors import InputError, nearest
from emulator.segment.delivery.response import DISCARDED, FAILED, REJECTED, RETRYING, SENT, segment_reports
from emulator.segment.tables import BATCHES, DELIVERIES, EVENTS, INGEST
from emulator.timestamps import iso_of_millis

# An event that waits to be sent has no outcome yet.
QUEUED = "queued"
OUTCOMES = (QUEUED, SENT, DISCARDED, REJECTED, RETRYING, FAILED)

_NAMED_IN_SUMMARY = 10


def deliveries(
    transaction: Transaction,
    *,
    outcome: str | None,
    destination: str | None,
    user_id: str | None,
    email: str | None,
    limit: int,
    offset: int,
) -> list[dict[str, Any]]:
    """Events and what became of them, oldest first. Raises InputError for an outcome that is none of `OUTCOMES`."""
    if outcome is not None and outcome not in OUTCOMES:
        raise InputError(
            "there is no such outcome",
            where="outcome",
            found=outcome,
            allowed=", ".join(OUTCOMES),
            hint=nearest(outcome, OUTCOMES),
        )
    wanted: list[ColumnElement[bool]] = []
    if outcome is not None:
        wanted.append(DELIVERIES.c.outcome.is_(None) if outcome == QUEUED else DELIVERIES.c.outcome == outcome)
    if destination is not None:
        wanted.append(DELIVERIES.c.destination == destination)
    if user_id is not None:
        wanted.append(EVENTS.c.user_id == user_id)
    if email is not None:
        wanted.append(EVENTS.c.email == email.lower())
    return _deliveries(transaction, wanted, limit=limit, offset=offset)


def dead_letters(
    transaction: Transaction, *, destination: str | None, reason: str | None, limit: int, offset: int
) -> list[dict[str, Any]]:
    """The events that ended without being delivered, oldest first, each with what was said of it."""
    return _deliveries(transaction, dead(destination=destination, reason=reason), limit=limit, offset=offset)


def dead(
    *, destination: str | None = None, reason: str | None = None, message_ids: Sequence[str] | None = None
) -> list[ColumnElement[bool]]:
    """The conditions on a delivery that make it a dead letter: it was `rejected` or it `failed`."""
    wanted: list[ColumnElement[bool]] = [DELIVERIES.c.outcome.in_((REJECTED, FAILED))]
    if destination is not None:
        wanted.append(DELIVERIES.c.destination == destination)
    if reason is not None:
        wanted.append(DELIVERIES.c.reason == reason)
    if message_ids is not None:
        wanted.append(DELIVERIES.c.event_id.in_(select(EVENTS.c.id).where(EVENTS.c.message_id.in_(message_ids))))
    return wanted


def batches(transaction: Transaction, *, failed: bool | None, limit: int, offset: int) -> list[dict[str, Any]]:
    """Requests and what became of them, oldest first. `failed` keeps those that failed, or the others."""
    found = select(BATCHES).order_by(BATCHES.c.id).limit(limit).offset(offset)
    if failed is not None:
        found = found.where((BATCHES.c.outcome == FAILED) if failed else (BATCHES.c.outcome != FAILED))
    rows = transaction.execute(found).all()
    events = _events_of(transaction, [row.id for row in rows])
    return [_batch(row, events.get(row.id, [])) for row in rows]


def counts(transaction: Transaction) -> dict[str, Any]:
    """Calls by fate, events emitted, deliveries by outcome and by reason."""
    failed: dict[str, int] = {}
    accepted = 0
    for row in transaction.execute(
        select(INGEST.c.reason, func.sum(INGEST.c.calls).label("calls")).group_by(INGEST.c.reason)
    ):
        if row.reason:
            failed[row.reason] = int(row.calls)
        else:
            accepted = int(row.calls)
    outcomes: dict[str, int] = {}
    reasons: dict[str, dict[str, int]] = {}
    grouped = select(DELIVERIES.c.outcome, DELIVERIES.c.reason, func.count().label("deliveries"))
    for row in transaction.execute(grouped.group_by(DELIVERIES.c.outcome, DELIVERIES.c.reason)):
        outcome = row.outcome or QUEUED
        outcomes[outcome] = outcomes.get(outcome, 0) + row.deliveries
        if row.reason:
            reasons.setdefault(outcome, {})[row.reason] = row.deliveries
    return {
        "calls": {"accepted": accepted, "failed": failed},
        "events": transaction.scalar(select(func.count()).select_from(EVENTS)) or 0,
        "outcomes": outcomes,
        "reasons": reasons,
    }


_DELIVERIES = (
    select(
        DELIVERIES,
        EVENTS.c.message_id,
        EVENTS.c.type,
        EVENTS.c.event,
        EVENTS.c.user_id,
        EVENTS.c.audience_key,
        EVENTS.c.payload,
        BATCHES.c.attempts,
        BATCHES.c.status,
        BATCHES.c.response,
        BATCHES.c.trace_id,
    )
    .join(EVENTS, DELIVERIES.c.event_id == EVENTS.c.id)
    .outerjoin(BATCHES, DELIVERIES.c.batch_id == BATCHES.c.id)
)


def _deliveries(
    transaction: Transaction, wanted: Sequence[ColumnElement[bool]], *, limit: int, offset: int
) -> list[dict[str, Any]]:
    found = _DELIVERIES.where(*wanted).order_by(DELIVERIES.c.id).limit(limit).offset(offset)
    return [_delivery(row) for row in transaction.execute(found)]


def _delivery(row: Any) -> dict[str, Any]:
    return {
        "messageId": row.message_id,
        "type": row.type,
        "event": row.event,
        "userId": row.user_id,
        "audienceKey": row.audience_key,
        "destination": row.destination,
        "subscription": row.subscription,
        "outcome": row.outcome or QUEUED,
        "reason": row.reason,
        "message": row.message,
        "attempts": row.attempts or 0,
        "batchId": row.batch_id,
        "status": row.status,
        "response": row.response,
        "traceId": row.trace_id,
        "segmentReports": segment_reports(row.outcome, row.status),
        "at": iso_of_millis(row.settled_at or row.queued_at),
        "payload": json.loads(row.payload),
    }


def _events_of(transaction: Transaction, batches: Sequence[int]) -> dict[int, list[Any]]:
    rows = transaction.execute(
        select(DELIVERIES.c.batch_id, EVENTS.c.message_id, EVENTS.c.type, EVENTS.c.event, EVENTS.c.user_id)
        .join(EVENTS, DELIVERIES.c.event_id == EVENTS.c.id)
        .where(DELIVERIES.c.batch_id.in_(batches))
        .order_by(DELIVERIES.c.id)
    )
    events: dict[int, list[Any]] = {}
    for row in rows:
        events.setdefault(row.batch_id, []).append(row)
    return events


def _batch(row: Any, events: Sequence[Any]) -> dict[str, Any]:
    locations = json.loads(row.locations)
    return {
        "id": row.id,
        "destination": row.destination,
        "subscription": row.subscription,
        "outcome": row.outcome,
        "reason": row.reason,
        "error": row.message,
        "locations": locations,
        "status": row.status,
        "response": row.response,
        "traceId": row.trace_id,
        "attempts": row.attempts,
        "segmentReports": segment_reports(row.outcome, row.status),
        "firstAt": iso_of_millis(row.first_at),
        "lastAt": iso_of_millis(row.last_at),
        "nextAt": iso_of_millis(row.next_at) if row.next_at is not None else None,
        "events": [event.message_id for event in events],
        "summary": _summary(row, locations, events),
    }


def _summary(row: Any, locations: Sequence[dict[str, int]], events: Sequence[Any]) -> str:
    """One paragraph for a person: where the batch went, what was said to it, which events it carried."""
    # A batch always carried some.
    carried = _plural(len(events), "event") if events else "its events replayed or deleted since"
    parts = [f"Batch {row.id} to {row.destination!r} ({row.subscription}), {carried}: {row.outcome}"]
    if row.reason:
        parts.append(f", {row.reason}")
    parts += [f", line {place['line']} column {place['column']}" for place in locations[:1]]
    if row.message:
        parts.append(f": {row.message.rstrip('.')}")
    parts.append(f". Segment reports {segment_reports(row.outcome, row.status)}")
    parts.append(f" after {_plural(row.attempts, 'attempt')}.")
    named = ", ".join(_named(event) for event in events[:_NAMED_IN_SUMMARY])
    rest = len(events) - _NAMED_IN_SUMMARY
    parts.append(f" Events: {named}{f' and {rest} more' if rest > 0 else ''}." if named else "")
    return "".join(parts)


def _named(event: Any) -> str:
    name = f"{event.type} {event.event!r}" if event.event else event.type
    return f"{name} of {event.user_id or 'a profile without user id'} ({event.message_id})"


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
