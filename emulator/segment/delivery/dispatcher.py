"""Delivery: trigger, mapping, batch, request, retry; one outcome for every event queued for a subscription.

`process_due` does what is due on the sandbox's clock. No transaction is open during a
request, since the StackAdapt service may use the same database.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import timedelta
from functools import partial
from itertools import groupby, takewhile

from emulator.clock import stopwatch
from emulator.events import BatchDelivered
from emulator.mapping import EngineError, Invalid, OutgoingRequest, PreparedEvent, Ready
from emulator.patience import patience_seconds
from emulator.sandbox import Sandbox
from emulator.segment.delivery.grouping import Group, checks_by_batch, grouped, in_order
from emulator.segment.delivery.queue import Attempt, Batch, OutcomeUpdate, Queue
from emulator.segment.delivery.response import (
    DISCARDED,
    FAILED,
    REJECTED,
    RETRYING,
    SENT,
    DeliveryResult,
    classify_failure,
    classify_response,
)
from emulator.segment.delivery.retry_policy import next_attempt
from emulator.segment.delivery.sender import Sender
from emulator.segment.delivery.subscriptions import DeliveryTarget
from emulator.segment.delivery.worker_pool import run_concurrently
from emulator.store_failures import StoreFailure
from emulator.text import whole_characters
from emulator.timestamps import to_millis
from emulator.transport import Transport, TransportError
from emulator.workspace import TOGETHER, Destination

# Delivery Overview's code for an event that the trigger does not match, and the engine's for an invalid payload.
NOT_TRIGGERED = "NO_MATCHING_MAPPING"
INVALID_PAYLOAD = "PAYLOAD_VALIDATION_FAILED"

_CLOSING_SECONDS = 5.0
# A time that never comes, in milliseconds.
_NEVER = 1 << 62
_LOG = logging.getLogger(__name__)


class Dispatcher:
    """Sends the queued events of each subscription through the transport of its destination instance."""

    def __init__(
        self,
        sandbox: Sandbox,
        queue: Queue,
        targets: Iterable[DeliveryTarget],
        transport_for: Callable[[Destination], Transport],
    ) -> None:
        self._sandbox = sandbox
        self._queue = queue
        self._targets = tuple(targets)
        self._transport_for = transport_for
        self._senders = [
            Sender(sandbox.store, destination, partial(self._send_due, destination, tuple(of_destination)))
            for destination, of_destination in groupby(self._targets, key=lambda target: target.destination)
        ]

    def process_due(self) -> None:
        """Retries what is due and sends every batch that is full or old enough.

        Returns early when it takes longer than the current `patience`; it goes on all the same. Leaves it to another
        thread that moves the clock.
        """
        if self._sandbox.clock.moved_elsewhere:
            return
        passes = [(sender, sender.ask()) for sender in self._senders]
        elapsed, seconds = stopwatch(), patience_seconds()
        for sender, number in passes:
            sender.wait(number, None if seconds is None else max(seconds - elapsed() / 1000, 0))

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Nothing is being sent within the block; waits for the batches that are being sent."""
        with ExitStack() as pauses:
            for sender in self._senders:
                pauses.enter_context(sender.paused())
            yield

    @property
    def sending(self) -> bool:
        """Whether a pass is being made for a destination instance."""
        return any(sender.busy for sender in self._senders)

    def end(self) -> None:
        """Begins no further batch, ever."""
        for sender in self._senders:
            sender.end()

    def close(self) -> None:
        """Begins no further batch; waits a few seconds for those that are being sent."""
        self.end()
        elapsed = stopwatch()
        for sender in self._senders:
            sender.join(max(_CLOSING_SECONDS - elapsed() / 1000, 0))

    def process_stored(self) -> None:
        """Sends what is due, for a call that is stored: one that failed now would be made again, and stored twice."""
        try:
            self.process_due()
        except StoreFailure as failure:
            _LOG.error("stored, but sent later: %s", failure)

    def next_due(self, *, overdue: bool = False) -> int | None:
        """The next time, in milliseconds, at which something will be due; None when nothing is queued.

        `overdue`: the time of what is due already and not sent yet counts, too.
        """
        after = 0 if overdue else self._now()
        times = (
            self._queue.next_due(target, after=after, age_millis=self._age_millis(target)) for target in self._targets
        )
        return min((at for at in times if at is not None), default=None)

    def _send_due(self, destination: Destination, targets: Iterable[DeliveryTarget], sender: Sender) -> None:
        due = ((target, group) for target in targets for group in self._groups(target))
        unless_ended = takewhile(lambda _: not sender.ending, due)
        run_concurrently(unless_ended, lambda due: self._attempt(*due), at_once=_workers(destination))

    def _groups(self, target: DeliveryTarget) -> Iterator[Group]:
        """The batches that are due, each group to be sent in one request."""
        if target.destination.batch_retries == TOGETHER:
            yield from ((batch,) for batch in self._due(target))
        elif any(self._queue.due_retries(target, self._now())):
            # When one is retried, everything that waits goes with it.
            yield from grouped(self._due(target, retries_until=_NEVER), target.destination.batch_size)
        else:
            yield from ((batch,) for batch in self._due(target))

    def _due(self, target: DeliveryTarget, *, retries_until: int | None = None) -> Iterator[Batch]:
        yield from self._queue.due_retries(target, self._now() if retries_until is None else retries_until)
        # Earlier batches may still be on their way.
        last = 0
        while batch := self._queue.next_batch(target, after=last, queued_until=self._now() - self._age_millis(target)):
            last = batch.events[-1].id
            yield batch

    def _attempt(self, target: DeliveryTarget, group: Group) -> None:
        """Sends the batches of a group in one request; each keeps its own attempts, and its own four hours."""
        at, events = self._now(), in_order(group)
        try:
            prepared = target.subscription.prepare([queued.event for queued in events], batch=True)
        except EngineError as error:
            attempts = [_rejected(target, batch, error, at) for batch in group]
        else:
            result = None if prepared.request is None else self._post(target, prepared.request)
            checks = checks_by_batch(group, events, prepared.events)
            attempts = [
                self._attempt_of(target, batch, of_batch, result, at)
                for batch, of_batch in zip(group, checks, strict=True)
            ]
        for batch, attempt in zip(group, attempts, strict=True):
            self._queue.save(target, batch, attempt)
            self._sandbox.journal.append(_journal_entry(target, batch, attempt, self._sandbox))

    def _attempt_of(
        self,
        target: DeliveryTarget,
        batch: Batch,
        checks: Sequence[PreparedEvent],
        result: DeliveryResult | None,
        at: int,
    ) -> Attempt:
        updates = list(_left_out(target, batch, checks))
        if result is None or not any(isinstance(check, Ready) for check in checks):
            # Nothing is left of a batch sent before when its subscription was changed or its users were deleted.
            closed = DeliveryResult(outcome=DISCARDED) if batch.batch_id is not None else None
            return Attempt(at=at, updates=tuple(updates), batch=closed)
        next_at = self._next_attempt(batch, at) if result.outcome == RETRYING else None
        if result.outcome == RETRYING and next_at is None:
            result = replace(result, outcome=FAILED)
        sent = (queued.id for queued, check in zip(batch.events, checks, strict=True) if isinstance(check, Ready))
        updates.append(_update_of(sent, result))
        return Attempt(at=at, updates=tuple(updates), requests=1, batch=result, next_at=next_at)

    def _post(self, target: DeliveryTarget, request: OutgoingRequest) -> DeliveryResult:
        try:
            result = classify_response(self._transport_for(target.destination).post(request.headers, request.body))
        except TransportError as error:
            result = classify_failure(error)
        message, response = result.message, result.response
        return replace(
            result,
            message=_shown(target, message) if message else message,
            response=_shown(target, response) if response else response,
        )

    def _next_attempt(self, batch: Batch, at: int) -> int | None:
        attempts = batch.attempts + 1
        chance = self._sandbox.ids.stream("retry", batch.events[0].id, attempts).random()
        first_at = batch.first_at if batch.batch_id is not None else at
        return next_attempt(first_at=first_at, now=at, attempts=attempts, chance=chance)

    def _now(self) -> int:
        return to_millis(self._sandbox.clock.now())

    def _age_millis(self, target: DeliveryTarget) -> int:
        return self._sandbox.workspace.batch_age(target.destination) // timedelta(milliseconds=1)


def _workers(destination: Destination) -> int:
    """How many batches of a destination instance may be sent at once."""
    # In process, a request takes no time on the clock: concurrency would only lose the order.
    return destination.batch_concurrency if destination.endpoint else 1


def _shown(target: DeliveryTarget, text: str) -> str:
    """The text without tokens, and without halves of surrogate pairs, which no database stores."""
    return whole_characters(target.destination.masked(text))


def _left_out(target: DeliveryTarget, batch: Batch, checks: Sequence[PreparedEvent]) -> Iterator[OutcomeUpdate]:
    """The events that are not part of the request, grouped by outcome and message."""
    groups: dict[tuple[str, str, str], list[int]] = {}
    for queued, check in zip(batch.events, checks, strict=True):
        if isinstance(check, Ready):
            continue
        outcome, reason = (REJECTED, INVALID_PAYLOAD) if isinstance(check, Invalid) else (DISCARDED, NOT_TRIGGERED)
        groups.setdefault((outcome, reason, _shown(target, check.message)), []).append(queued.id)
    for (outcome, reason, message), ids in groups.items():
        yield OutcomeUpdate(ids=tuple(ids), outcome=outcome, reason=reason, message=message)


def _rejected(target: DeliveryTarget, batch: Batch, error: EngineError, at: int) -> Attempt:
    """The attempt of a batch that the mapping engine rejected: the same events would fail again."""
    reason, message = error.code or error.name, _shown(target, error.message)
    result = DeliveryResult(outcome=REJECTED, reason=reason, message=message)
    return Attempt(at=at, updates=(_update_of([queued.id for queued in batch.events], result),), batch=result)


def _update_of(ids: Iterable[int], result: DeliveryResult) -> OutcomeUpdate:
    """The outcome of the deliveries that were part of a batch."""
    return OutcomeUpdate(
        ids=tuple(ids), outcome=result.outcome, reason=result.reason, message=result.message, in_batch=True
    )


def _journal_entry(target: DeliveryTarget, batch: Batch, attempt: Attempt, sandbox: Sandbox) -> BatchDelivered:
    events = {queued.id: queued.event for queued in batch.events}
    outcomes: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    for change in attempt.updates:
        outcomes[change.outcome] += len(change.ids)
        if change.reason:
            reasons[change.reason] += len(change.ids)
    unsent = (change.message for change in attempt.updates if change.outcome != SENT)
    messages = (attempt.batch.message if attempt.batch else None, *unsent)
    users = (events[id_].get("userId") for change in attempt.updates if change.outcome != SENT for id_ in change.ids)
    in_request = (id_ for change in attempt.updates if change.in_batch for id_ in change.ids)
    return BatchDelivered(
        at=sandbox.clock.now(),
        destination=target.destination.name,
        subscription=target.name,
        outcomes=dict(outcomes),
        status=attempt.batch.status if attempt.batch else None,
        error=next((message for message in messages if message), None),
        reasons=dict(reasons),
        user_ids=tuple(dict.fromkeys(user for user in users if user)),
        message_ids=tuple(events[id_]["messageId"] for id_ in in_request),
        trace_id=attempt.batch.trace_id if attempt.batch else None,
    )
