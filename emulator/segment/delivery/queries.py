"""Calls, events, deliveries and batches with their outcomes, read from the store as dicts of JSON values."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy import Connection as Transaction

from emulator.errors import InputError, nearest
from emulator.segment.delivery.response import (
    DISCARDED,
    FAILED,
    REJECTED,
    RETRYING,
    SENT,
    segment_code,
    segment_reports,
)
from emulator.segment.delivery.steps import StepQueries, at_step
from emulator.segment.delivery.undeliverable import ended_by_change
from emulator.segment.event_contents import as_sent, as_stored
from emulator.segment.event_payload import EMITTED, PAYLOAD
from emulator.segment.lookups import check_destination
from emulator.segment.tables import BATCHES, CONTENTS, DELIVERIES, EVENTS, FORMS, INGEST, UNSENT
from emulator.stored_values import StoredValues
from emulator.workspace import Workspace

# The outcome of an event that was not sent yet, null in the store.
QUEUED = "queued"
OUTCOMES = (QUEUED, SENT, DISCARDED, REJECTED, RETRYING, FAILED)

_EVENTS_IN_SUMMARY = 10


class DeliveryQueries:
    """Reads deliveries. `begin` starts a transaction on a store in which everything due has been done."""

    def __init__(self, workspace: Workspace, begin: Callable[[], AbstractContextManager[Transaction]]) -> None:
        self._workspace = workspace
        self._begin = begin
        self.steps = StepQueries(workspace, begin)

    def deliveries(
        self,
        outcome: str | None = None,
        step: str | None = None,
        reason: str | None = None,
        destination: str | None = None,
        user_id: str | None = None,
        email: str | None = None,
        message_id: str | None = None,
        newest: bool = False,
        limit: int = 100,
        offset: int = 0,
    ) -> list[dict[str, Any]]:
        """One entry for each event and subscription with outcome and reason, oldest first, or the `newest` first.

        `step` is a step of Delivery Overview, or `refused`. Raises InputError for an unknown outcome or step, NotFound
        for an unknown destination instance.
        """
        if outcome is not None and outcome not in OUTCOMES:
            raise InputError(
                f"unknown outcome {outcome!r}",
                where="outcome",
                allowed=", ".join(OUTCOMES),
                hint=nearest(outcome, OUTCOMES),
            )
        wanted: list[ColumnElement[bool]] = []
        if outcome is not None:
            wanted.append(DELIVERIES.c.outcome.is_(None) if outcome == QUEUED else DELIVERIES.c.outcome == outcome)
            if outcome not in (QUEUED, SENT):
                wanted.append(UNSENT)
        if step is not None:
            wanted.append(at_step(step))
        if reason is not None:
            wanted.append(DELIVERIES.c.reason == reason)
        wanted += _about(user_id, email)
        if message_id is not None:
            wanted.append(EVENTS.c.message_id == as_stored(message_id))
        if destination is not None:
            check_destination(self._workspace, destination)
            wanted.append(DELIVERIES.c.destination == destination)
        return self._deliveries(wanted, limit, offset, newest=newest)

    def dead_letters(
        self,
        destination: str | None = None,
        reason: str | None = None,
        user_id: str | None = None,
        email: str | None = None,
        limit: int = 100,
        offset: int = 0,
    ) -> list[dict[str, Any]]:
        """The deliveries that ended `rejected` or `failed`, or that a change of the workspace ended, oldest first.

        Raises NotFound for an unknown destination instance.
        """
        wanted = [*dead(self._workspace, destination=destination, reason=reason), *_about(user_id, email)]
        return self._deliveries(wanted, limit, offset)

    def unsent(self) -> Iterator[Sequence[Any]]:
        """User id, email in lower case, reason and message of every event that ended without being sent, oldest first;
        read in one go, as for a whole population.
        """
        columns = (CONTENTS.c.user_id, CONTENTS.c.found_by_email, DELIVERIES.c.reason, DELIVERIES.c.message)
        joined = DELIVERIES.join(EVENTS, DELIVERIES.c.event_id == EVENTS.c.id).join(
            CONTENTS, EVENTS.c.content_id == CONTENTS.c.id
        )
        with self._begin() as transaction:
            yield from transaction.execute(
                select(*columns).select_from(joined).where(UNSENT).order_by(DELIVERIES.c.id)
            ).all()

    def batches(
        self,
        failed: bool | None = None,
        destination: str | None = None,
        newest: bool = False,
        limit: int = 100,
        offset: int = 0,
    ) -> list[dict[str, Any]]:
        """One entry for each request with the message ids of its events, oldest first, or the `newest` first.

        `failed` selects those that failed, or the others. Raises NotFound for an unknown destination instance.
        """
        found = select(BATCHES).order_by(_in_order(BATCHES.c.id, newest=newest)).limit(limit).offset(offset)
        if failed is not None:
            found = found.where((BATCHES.c.outcome == FAILED) if failed else (BATCHES.c.outcome != FAILED))
        if destination is not None:
            check_destination(self._workspace, destination)
            found = found.where(BATCHES.c.destination == destination)
        with self._begin() as transaction:
            rows = transaction.execute(found).all()
            events = _events_of(transaction, [row.id for row in rows])
        return [_batch(row, events.get(row.id, [])) for row in rows]

    def counts(self) -> dict[str, Any]:
        """Calls accepted and rejected by reason, events emitted, deliveries by outcome and by reason."""
        by_reason = select(INGEST.c.reason, func.sum(INGEST.c.calls).label("calls")).group_by(INGEST.c.reason)
        grouped = select(DELIVERIES.c.outcome, DELIVERIES.c.reason, func.count().label("deliveries"))
        outcomes: dict[str, int] = {}
        reasons: dict[str, dict[str, int]] = {}
        with self._begin() as transaction:
            calls = {row.reason: int(row.calls) for row in transaction.execute(by_reason)}
            for row in transaction.execute(grouped.group_by(DELIVERIES.c.outcome, DELIVERIES.c.reason)):
                outcome = row.outcome or QUEUED
                outcomes[outcome] = outcomes.get(outcome, 0) + row.deliveries
                if row.reason:
                    reasons.setdefault(outcome, {})[row.reason] = row.deliveries
            events = transaction.scalar(select(func.count()).select_from(EVENTS)) or 0
        accepted = calls.pop("", 0)
        return {
            "calls": {"accepted": accepted, "failed": calls},
            "events": events,
            "outcomes": outcomes,
            "reasons": reasons,
        }

    def _deliveries(
        self, wanted: Sequence[ColumnElement[bool]], limit: int, offset: int, *, newest: bool = False
    ) -> list[dict[str, Any]]:
        order = _in_order(DELIVERIES.c.id, newest=newest)
        found = _DELIVERIES.where(*wanted).order_by(order).limit(limit).offset(offset)
        with self._begin() as transaction:
            return [_delivery(row) for row in transaction.execute(found)]


def _in_order(column: ColumnElement[int], *, newest: bool) -> ColumnElement[int]:
    return column.desc() if newest else column


def _about(user_id: str | None, email: str | None) -> Iterator[ColumnElement[bool]]:
    """The deliveries about a person."""
    if user_id is not None:
        yield _with_content(CONTENTS.c.user_id == user_id)
    if email is not None:
        yield _with_content(CONTENTS.c.found_by_email == email.lower())


def _with_content(wanted: ColumnElement[bool]) -> ColumnElement[bool]:
    """The deliveries of events whose contents are wanted, found by indexes."""
    contents = select(CONTENTS.c.id).where(wanted)
    return DELIVERIES.c.event_id.in_(select(EVENTS.c.id).where(EVENTS.c.content_id.in_(contents)))


def dead(
    workspace: Workspace,
    *,
    destination: str | None = None,
    reason: str | None = None,
    message_ids: Sequence[str] | None = None,
) -> list[ColumnElement[bool]]:
    """The conditions on a delivery to be a dead letter, and one of these.

    Raises NotFound for an unknown destination instance.
    """
    # The outcomes once more on their own, for the index.
    outcome, outcomes = DELIVERIES.c.outcome, (REJECTED, FAILED)
    wanted = [outcome.in_((*outcomes, DISCARDED)), outcome.in_(outcomes) | ended_by_change(), UNSENT]
    if destination is not None:
        check_destination(workspace, destination)
        wanted.append(DELIVERIES.c.destination == destination)
    if reason is not None:
        wanted.append(DELIVERIES.c.reason == reason)
    if message_ids is not None:
        stored = [as_stored(message_id) for message_id in message_ids]
        wanted.append(DELIVERIES.c.event_id.in_(select(EVENTS.c.id).where(EVENTS.c.message_id.in_(stored))))
    return wanted


_DELIVERIES = (
    select(
        DELIVERIES,
        EVENTS.c.message_id,
        FORMS.c.type,
        FORMS.c.event,
        CONTENTS.c.user_id,
        FORMS.c.audience_key,
        PAYLOAD,
        BATCHES.c.attempts,
        BATCHES.c.status,
        BATCHES.c.response,
        BATCHES.c.trace_id,
        BATCHES.c.next_at,
    )
    .outerjoin(EVENTS, DELIVERIES.c.event_id == EVENTS.c.id)
    .outerjoin(FORMS, EVENTS.c.form_id == FORMS.c.id)
    .outerjoin(CONTENTS, EVENTS.c.content_id == CONTENTS.c.id)
    .outerjoin(BATCHES, DELIVERIES.c.batch_id == BATCHES.c.id)
)


def _delivery(row: Any) -> dict[str, Any]:
    stored = StoredValues()
    payload = stored.object("payload", row.payload)
    item = {
        # A delivery whose event is missing is shown, too.
        "messageId": stored.read("messageId", lambda: as_sent(row.message_id or ""), ""),
        "type": row.type or "",
        "event": row.event or _event_of_call(row, payload),
        "userId": row.user_id,
        "audienceKey": row.audience_key or "",
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
        "segmentCode": segment_code(row.outcome, row.reason, row.status),
        "at": stored.time("at", row.settled_at or row.queued_at),
        "nextAt": stored.time_or_none("nextAt", row.next_at),
        "payload": payload,
    }
    return stored.shown(item)


def _event_of_call(row: Any, payload: dict[str, Any]) -> str | None:
    """The event's name in a track call of a source: a form, which outlives a user's data, does not have it."""
    name = payload.get("event") if row.type == "track" else None
    return name if isinstance(name, str) else None


def _events_of(transaction: Transaction, batches: Sequence[int]) -> dict[int, list[Any]]:
    rows = transaction.execute(
        select(DELIVERIES.c.batch_id, EVENTS.c.message_id, FORMS.c.type, FORMS.c.event, CONTENTS.c.user_id)
        .join_from(DELIVERIES, EMITTED, DELIVERIES.c.event_id == EVENTS.c.id)
        .where(DELIVERIES.c.batch_id.in_(batches))
        .order_by(DELIVERIES.c.id)
    )
    events: dict[int, list[Any]] = {}
    for row in rows:
        events.setdefault(row.batch_id, []).append(row)
    return events


def _batch(row: Any, events: Sequence[Any]) -> dict[str, Any]:
    stored = StoredValues()
    locations = stored.read("locations", lambda: _locations(row.locations), [])
    item = {
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
        "segmentCode": segment_code(row.outcome, row.reason, row.status),
        "firstAt": stored.time("firstAt", row.first_at),
        "lastAt": stored.time("lastAt", row.last_at),
        "nextAt": stored.time_or_none("nextAt", row.next_at),
        "events": stored.read("events", lambda: [as_sent(event.message_id) for event in events], []),
        "summary": stored.read("summary", lambda: _summary(row, locations, events), ""),
    }
    return stored.shown(item)


def _locations(text: str) -> list[dict[str, int]]:
    return [{"line": int(place["line"]), "column": int(place["column"])} for place in json.loads(text)]


def _summary(row: Any, locations: Sequence[dict[str, int]], events: Sequence[Any]) -> str:
    """A batch in one paragraph: destination, outcome, response, events."""
    # A batch had at least one event.
    content = _plural(len(events), "event") if events else "its events replayed or deleted since"
    parts = [f"Batch {row.id} to {row.destination!r} ({row.subscription}), {content}: {row.outcome}"]
    if row.reason:
        parts.append(f", {row.reason}")
    parts += [f", line {place['line']} column {place['column']}" for place in locations[:1]]
    if row.message:
        parts.append(f": {row.message.rstrip('.')}")
    parts.append(f". Segment reports {segment_reports(row.outcome, row.status)}")
    parts.append(f" after {_plural(row.attempts, 'attempt')}.")
    named = ", ".join(_named(event) for event in events[:_EVENTS_IN_SUMMARY])
    rest = len(events) - _EVENTS_IN_SUMMARY
    parts.append(f" Events: {named}{f' and {rest} more' if rest > 0 else ''}." if named else "")
    return "".join(parts)


def _named(event: Any) -> str:
    name = f"{event.type} {event.event!r}" if event.event else event.type
    return f"{name} of {event.user_id or 'a profile without user id'} ({as_sent(event.message_id)})"


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
