"""How many calls, events and deliveries are at each step of Delivery Overview, with their reasons and some samples.

The steps are those of `contracts/reason-codes.yaml`. Segment takes every status from 200 to 299 for success, so a
delivery that failed with one is successful here.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, case, func, or_, select
from sqlalchemy import Connection as Transaction

from emulator.errors import InputError, nearest
from emulator.segment.delivery.response import DISCARDED, FAILED, REJECTED, RETRYING, SENT
from emulator.segment.event_contents import as_sent
from emulator.segment.lookups import check_destination
from emulator.segment.tables import BATCHES, CONTENTS, DELIVERIES, EVENTS, FORMS, INGEST, UNSENT
from emulator.statements import Prepared, keys
from emulator.stored_values import StoredValues, text_or_none
from emulator.timestamps import to_millis
from emulator.workspace import Workspace

FILTERED: Final = "filteredAtDestination"
QUEUED: Final = "queued"
PENDING_RETRY: Final = "pendingRetry"
FAILED_DELIVERY: Final = "failedDelivery"
SUCCESSFUL: Final = "successfulDelivery"
FROM_AUDIENCE: Final = "eventsFromAudience"
FROM_SOURCE: Final = "eventsFromSource"

# Of the successful deliveries, those that StackAdapt refused with an error in the response.
REFUSED: Final = "refused"

# Delivery Overview shows as many of each step.
SAMPLES = 10

_DELIVERED = BATCHES.c.status.between(200, 299)
_REFUSED = and_(DELIVERIES.c.outcome == FAILED, UNSENT, _DELIVERED)
_STEPS: Mapping[str, ColumnElement[bool]] = MappingProxyType(
    {
        FILTERED: and_(DELIVERIES.c.outcome == DISCARDED, UNSENT),
        QUEUED: DELIVERIES.c.outcome.is_(None),
        PENDING_RETRY: and_(DELIVERIES.c.outcome == RETRYING, UNSENT),
        SUCCESSFUL: or_(DELIVERIES.c.outcome == SENT, _REFUSED),
        FAILED_DELIVERY: and_(DELIVERIES.c.outcome.in_((REJECTED, FAILED)), UNSENT, _DELIVERED.is_not(True)),
    }
)
_WITH_BATCHES = DELIVERIES.outerjoin(BATCHES, DELIVERIES.c.batch_id == BATCHES.c.id)
_STEP = case(*((condition, step) for step, condition in _STEPS.items()))
_FROM = case((FORMS.c.audience_key != "", FROM_AUDIENCE), else_=FROM_SOURCE)
_SENT_WITH = Prepared(
    select(BATCHES.c.trace_id, EVENTS.c.message_id, CONTENTS.c.user_id)
    .select_from(DELIVERIES)
    .join(BATCHES, DELIVERIES.c.batch_id == BATCHES.c.id)
    .join(EVENTS, DELIVERIES.c.event_id == EVENTS.c.id)
    .join(CONTENTS, EVENTS.c.content_id == CONTENTS.c.id)
    .where(BATCHES.c.trace_id.in_(keys()), or_(DELIVERIES.c.outcome == SENT, DELIVERIES.c.outcome == FAILED))
    .order_by(DELIVERIES.c.id)
)

Sample = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class StepCounts:
    """The deliveries of one destination instance, or of all.

    `events` are the events by step. `deliveries` is how many there are, `steps` how many of them by step and reason
    (None for none); each was queued at the given time or later. `samples` are the newest of each step, and of those
    that StackAdapt refused. `requests` are the successful ones: trace id, how many deliveries, and the reason code
    where it refused them all the same.

    `without_delivery` is how many events of all times have none.
    """

    events: Mapping[str, int]
    deliveries: int
    steps: Mapping[tuple[str | None, str | None], int]
    samples: Mapping[str, Sequence[Sample]]
    requests: Sequence[tuple[str | None, int, str | None]]
    without_delivery: int


class StepQueries:
    """Reads deliveries by step. `begin` starts a transaction on a store in which everything due has been done."""

    def __init__(self, workspace: Workspace, begin: Callable[[], AbstractContextManager[Transaction]]) -> None:
        self._workspace = workspace
        self._begin = begin

    def calls(self) -> dict[tuple[str, str], int]:
        """How many calls came in by source (empty for none) and reason (empty for accepted), of all times."""
        with self._begin() as transaction:
            return {
                (text_or_none(row.source) or "", text_or_none(row.reason) or ""): _number(row.calls)
                for row in transaction.execute(select(INGEST))
            }

    def counted(self, destination: str | None = None, since: datetime | None = None) -> StepCounts:
        """The steps of one destination instance, or of all, from a time on. Raises NotFound for an unknown one."""
        wanted: list[ColumnElement[bool]] = []
        if destination is not None:
            check_destination(self._workspace, destination)
            wanted.append(DELIVERIES.c.destination == destination)
        lost = select(func.count()).select_from(EVENTS.join(FORMS, EVENTS.c.form_id == FORMS.c.id))
        lost = lost.where(EVENTS.c.id.not_in(select(DELIVERIES.c.event_id)))
        if destination is not None:
            lost = lost.where(FORMS.c.destination == destination)
        if since is not None:
            wanted.append(DELIVERIES.c.queued_at >= to_millis(since))
        with self._begin() as transaction:
            return StepCounts(
                events=_events(transaction, wanted),
                deliveries=transaction.scalar(select(func.count()).select_from(DELIVERIES).where(*wanted)) or 0,
                steps=_steps(transaction, wanted),
                samples={
                    step: _samples(transaction, [*wanted, condition])
                    for step, condition in {**_STEPS, REFUSED: _REFUSED}.items()
                },
                requests=_requests(transaction, wanted),
                without_delivery=transaction.scalar(lost) or 0,
            )

    def sent_with(self, trace_ids: Iterable[str]) -> dict[str, list[tuple[str, str | None]]]:
        """Message id and user id of the events of requests, by trace id, in the order of the request."""
        found: dict[str, list[tuple[str, str | None]]] = {}
        with self._begin() as transaction:
            for row in _SENT_WITH.matching(transaction, trace_ids):
                sent = StoredValues().read("messageId", functools.partial(as_sent, row.message_id), "")
                found.setdefault(row.trace_id, []).append((sent, row.user_id))
        return found


def at_step(step: str) -> ColumnElement[bool]:
    """The deliveries at a step, joined with their batches. Raises InputError for an unknown one."""
    conditions = {**_STEPS, REFUSED: _REFUSED}
    if step not in conditions:
        raise InputError(
            f"unknown step {step!r}", where="step", allowed=", ".join(conditions), hint=nearest(step, conditions)
        )
    return conditions[step]


def _events(transaction: Transaction, wanted: Sequence[ColumnElement[bool]]) -> dict[str, int]:
    counted = (
        select(_FROM.label("step"), func.count(DELIVERIES.c.event_id.distinct()).label("events"))
        .select_from(DELIVERIES)
        .join(EVENTS, DELIVERIES.c.event_id == EVENTS.c.id)
        .join(FORMS, EVENTS.c.form_id == FORMS.c.id)
        .where(*wanted)
        .group_by("step")
    )
    return {FROM_AUDIENCE: 0, FROM_SOURCE: 0} | {row.step: row.events for row in transaction.execute(counted)}


def _steps(transaction: Transaction, wanted: Sequence[ColumnElement[bool]]) -> dict[tuple[str | None, str | None], int]:
    counted = select(_STEP.label("step"), DELIVERIES.c.reason, func.count().label("deliveries"))
    grouped = counted.select_from(_WITH_BATCHES).where(*wanted).group_by("step", DELIVERIES.c.reason)
    return {(row.step, text_or_none(row.reason)): row.deliveries for row in transaction.execute(grouped)}


def _requests(
    transaction: Transaction, wanted: Sequence[ColumnElement[bool]]
) -> list[tuple[str | None, int, str | None]]:
    counted = select(BATCHES.c.trace_id, func.count().label("deliveries"), DELIVERIES.c.reason)
    grouped = (
        counted.select_from(_WITH_BATCHES)
        .where(*wanted, _STEPS[SUCCESSFUL])
        .group_by(BATCHES.c.id, BATCHES.c.trace_id, DELIVERIES.c.reason)
    )
    return [
        (text_or_none(row.trace_id), row.deliveries, text_or_none(row.reason)) for row in transaction.execute(grouped)
    ]


def _samples(transaction: Transaction, wanted: Sequence[ColumnElement[bool]]) -> list[Sample]:
    newest = (
        select(
            EVENTS.c.message_id,
            CONTENTS.c.user_id,
            DELIVERIES.c.reason,
            DELIVERIES.c.message,
            DELIVERIES.c.queued_at,
            DELIVERIES.c.settled_at,
        )
        .select_from(_WITH_BATCHES)
        .outerjoin(EVENTS, DELIVERIES.c.event_id == EVENTS.c.id)
        .outerjoin(CONTENTS, EVENTS.c.content_id == CONTENTS.c.id)
        .where(*wanted)
        .order_by(DELIVERIES.c.id.desc())
        .limit(SAMPLES)
    )
    return [_sample(row) for row in transaction.execute(newest)]


def _number(value: Any) -> int:
    """A count; 0 where a damaged row has something else."""
    return value if isinstance(value, int) else 0


def _sample(row: Any) -> Sample:
    stored = StoredValues()
    item = {
        "messageId": stored.read("messageId", lambda: row.message_id and as_sent(row.message_id), None),
        "userId": row.user_id,
        "at": stored.time("at", row.settled_at or row.queued_at),
        "reason": row.reason,
        "message": row.message,
    }
    return stored.shown(item)
