"""Delivery: trigger, mapping, batch, request, retry; one outcome for every event offered to a channel.

Nothing waits and nothing runs in the background: `tick` does whatever is due on the sandbox's clock. No transaction is
open while a request is under way, since the other side may answer from the same database.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from itertools import groupby
from threading import Lock

from emulator.events import BatchDelivered
from emulator.mapping import EngineError, Invalid, OutgoingRequest, Prepared, Ready
from emulator.sandbox import Sandbox
from emulator.segment.delivery.queue import Attempt, Batch, OutcomeUpdate, Queue
from emulator.segment.delivery.response import (
    DISCARDED,
    FAILED,
    REJECTED,
    RETRYING,
    DeliveryResult,
    classify_failure,
    classify_response,
)
from emulator.segment.delivery.retry_policy import next_attempt
from emulator.segment.delivery.subscriptions import DeliveryTarget
from emulator.segment.delivery.worker_pool import run_concurrently
from emulator.segment.tracking.request_body import whole_characters
from emulator.timestamps import to_millis
from emulator.transport import Transport, TransportError
from emulator.workspace import Destination

# Delivery Overview's code for an event that no trigger lets through, and the engine's for a payload that does not fit.
NOT_TRIGGERED = "NO_MATCHING_MAPPING"
INVALID_PAYLOAD = "PAYLOAD_VALIDATION_FAILED"


class Dispatcher:
    """Empties the queue of each channel through the transport of its destination."""

    def __init__(
        self,
        sandbox: Sandbox,
        queue: Queue,
        delivery_targets: Iterable[DeliveryTarget],
        transport_for: Callable[[Destination], Transport],
    ) -> None:
        self._sandbox = sandbox
        self._queue = queue
        self._instances = [
            (destination, tuple(its_channels))
            for destination, its_channels in groupby(delivery_targets, key=lambda target: target.destination)
        ]
        self._transport_for = transport_for
        self._turn = Lock()

    def process_due(self) -> None:
        """Tries again what is due and sends every batch that is full or old enough."""
        with self.paused():
            for destination, delivery_targets in self._instances:
                due = ((target, work) for target in delivery_targets for work in self._due(target))
                run_concurrently(due, lambda due: self._attempt(*due), at_once=_lanes(destination))

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Nothing is under way meanwhile, but for what is done within."""
        with self._turn, self._sandbox.store.alone("delivery"):
            yield

    def next_moment(self) -> int | None:
        """The next moment, in milliseconds, at which something will be due; None when nothing waits."""
        now = self._now()
        moments = (
            self._queue.next_moment(target, after=now, age_millis=_age_millis(target))
            for _, delivery_targets in self._instances
            for target in delivery_targets
        )
        return min((moment for moment in moments if moment is not None), default=None)

    def _due(self, target: DeliveryTarget) -> Iterator[Batch]:
        yield from self._queue.due_retries(target, self._now())
        # What was taken before may still be under way.
        behind = 0
        while work := self._queue.next_batch(target, behind=behind, queued_until=self._now() - _age_millis(target)):
            behind = work.offers[-1].id
            yield work

    def _attempt(self, target: DeliveryTarget, work: Batch) -> None:
        at = self._now()
        try:
            prepared = target.subscription.prepare([offer.event for offer in work.offers], batch=True)
        except EngineError as error:
            attempt = _refused(target, work, error, at)
        else:
            attempt = self._carried_out(target, work, prepared, at)
        self._queue.settle(target, work, attempt)
        self._sandbox.journal.append(_journal_entry(target, attempt, self._sandbox))

    def _carried_out(self, target: DeliveryTarget, work: Batch, prepared: Prepared, at: int) -> Attempt:
        settlements = list(_left_out(target, work, prepared))
        if prepared.request is None:
            # A batch that was sent before has nothing left when its subscription was changed, or its people deleted.
            closed = DeliveryResult(outcome=DISCARDED) if work.batch_id is not None else None
            return Attempt(at=at, settlements=tuple(settlements), batch=closed)
        judgement = self._sent(target, prepared.request)
        next_at = self._next_attempt(work, at) if judgement.outcome == RETRYING else None
        if judgement.outcome == RETRYING and next_at is None:
            judgement = replace(judgement, outcome=FAILED)
        settlements.append(
            OutcomeUpdate(
                ids=tuple(
                    offer.id
                    for offer, verdict in zip(work.offers, prepared.events, strict=True)
                    if isinstance(verdict, Ready)
                ),
                outcome=judgement.outcome,
                reason=judgement.reason,
                message=judgement.message,
                in_batch=True,
            )
        )
        return Attempt(at=at, settlements=tuple(settlements), requests=1, batch=judgement, next_at=next_at)

    def _sent(self, target: DeliveryTarget, request: OutgoingRequest) -> DeliveryResult:
        try:
            judgement = classify_response(self._transport_for(target.destination).post(request.headers, request.body))
        except TransportError as error:
            judgement = classify_failure(error)
        message, response = judgement.message, judgement.response
        return replace(
            judgement,
            message=_shown(target, message) if message else message,
            response=_shown(target, response) if response else response,
        )

    def _next_attempt(self, work: Batch, at: int) -> int | None:
        attempts = work.attempts + 1
        chance = self._sandbox.ids.stream("retry", work.offers[0].id, attempts).random()
        first_at = work.first_at if work.batch_id is not None else at
        return next_attempt(first_at=first_at, now=at, attempts=attempts, chance=chance)

    def _now(self) -> int:
        return to_millis(self._sandbox.clock.now())


def _age_millis(target: DeliveryTarget) -> int:
    return target.destination.batch_age // timedelta(milliseconds=1)


def _lanes(destination: Destination) -> int:
    """How many batches of an instance may be under way at once."""
    # In process a request takes no time on the clock: side by side nothing would be gained and the order be lost.
    return destination.batch_concurrency if destination.endpoint else 1


def _shown(target: DeliveryTarget, text: str) -> str:
    """What is kept of a text from outside: no token, and no half of a surrogate pair, which no database takes."""
    return whole_characters(target.destination.masked(text))


def _left_out(target: DeliveryTarget, work: Batch, prepared: Prepared) -> Iterator[OutcomeUpdate]:
    """The events that do not go into the request, grouped by what is said of them."""
    groups: dict[tuple[str, str, str], list[int]] = {}
    for offer, verdict in zip(work.offers, prepared.events, strict=True):
        if isinstance(verdict, Ready):
            continue
        outcome = (REJECTED, INVALID_PAYLOAD) if isinstance(verdict, Invalid) else (DISCARDED, NOT_TRIGGERED)
        groups.setdefault((*outcome, _shown(target, verdict.message)), []).append(offer.id)
    for (outcome_, reason, message), ids in groups.items():
        yield OutcomeUpdate(ids=tuple(ids), outcome=outcome_, reason=reason, message=message)


def _refused(target: DeliveryTarget, work: Batch, error: EngineError, at: int) -> Attempt:
    """The mapping engine gave up on the whole batch: the same events would fail the same way again."""
    reason, message = error.code or error.name, _shown(target, error.message)
    return Attempt(
        at=at,
        settlements=(
            OutcomeUpdate(
                ids=tuple(offer.id for offer in work.offers),
                outcome=REJECTED,
                reason=reason,
                message=message,
                in_batch=True,
            ),
        ),
        batch=DeliveryResult(outcome=REJECTED, reason=reason, message=message),
    )


def _journal_entry(target: DeliveryTarget, attempt: Attempt, sandbox: Sandbox) -> BatchDelivered:
    outcomes: Counter[str] = Counter()
    for settlement in attempt.settlements:
        outcomes[settlement.outcome] += len(settlement.ids)
    return BatchDelivered(
        at=sandbox.clock.now(),
        destination=target.destination.name,
        subscription=target.name,
        outcomes=dict(outcomes),
        status=attempt.batch.status if attempt.batch else None,
        error=attempt.batch.message if attempt.batch else None,
    )
