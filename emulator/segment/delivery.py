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
from emulator.segment.answers import DISCARDED, FAILED, REJECTED, RETRYING, Judgement, judge, judge_silence
from emulator.segment.bodies import whole_characters
from emulator.segment.channels import Channel
from emulator.segment.concurrency import for_each
from emulator.segment.moments import to_millis
from emulator.segment.queue import Attempt, Queue, Settlement, Work
from emulator.segment.retries import next_attempt
from emulator.transport import Transport, TransportError
from emulator.workspace import Destination

# Delivery Overview's code for an event that no trigger lets through, and the engine's for a payload that does not fit.
NOT_TRIGGERED = "NO_MATCHING_MAPPING"
INVALID_PAYLOAD = "PAYLOAD_VALIDATION_FAILED"


class Delivery:
    """Empties the queue of each channel through the transport of its destination."""

    def __init__(
        self,
        sandbox: Sandbox,
        queue: Queue,
        channels: Iterable[Channel],
        transport_for: Callable[[Destination], Transport],
    ) -> None:
        self._sandbox = sandbox
        self._queue = queue
        self._instances = [
            (destination, tuple(its_channels))
            for destination, its_channels in groupby(channels, key=lambda channel: channel.destination)
        ]
        self._transport_for = transport_for
        self._turn = Lock()

    def tick(self) -> None:
        """Tries again what is due and sends every batch that is full or old enough."""
        with self.at_rest():
            for destination, channels in self._instances:
                due = ((channel, work) for channel in channels for work in self._due(channel))
                for_each(due, lambda due: self._attempt(*due), at_once=_lanes(destination))

    @contextmanager
    def at_rest(self) -> Iterator[None]:
        """Nothing is under way meanwhile, but for what is done within."""
        with self._turn, self._sandbox.store.alone("delivery"):
            yield

    def next_moment(self) -> int | None:
        """The next moment, in milliseconds, at which something will be due; None when nothing waits."""
        now = self._now()
        moments = (
            self._queue.next_moment(channel, after=now, age_millis=_age_millis(channel))
            for _, channels in self._instances
            for channel in channels
        )
        return min((moment for moment in moments if moment is not None), default=None)

    def _due(self, channel: Channel) -> Iterator[Work]:
        yield from self._queue.due_retries(channel, self._now())
        # What was taken before may still be under way.
        behind = 0
        while work := self._queue.ripe(channel, behind=behind, queued_until=self._now() - _age_millis(channel)):
            behind = work.offers[-1].id
            yield work

    def _attempt(self, channel: Channel, work: Work) -> None:
        at = self._now()
        try:
            prepared = channel.subscription.prepare([offer.event for offer in work.offers], batch=True)
        except EngineError as error:
            attempt = _refused(channel, work, error, at)
        else:
            attempt = self._carried_out(channel, work, prepared, at)
        self._queue.settle(channel, work, attempt)
        self._sandbox.journal.append(_journal_entry(channel, attempt, self._sandbox))

    def _carried_out(self, channel: Channel, work: Work, prepared: Prepared, at: int) -> Attempt:
        settlements = list(_left_out(channel, work, prepared))
        if prepared.request is None:
            # A batch that was sent before has nothing left when its subscription was changed, or its people deleted.
            closed = Judgement(outcome=DISCARDED) if work.batch_id is not None else None
            return Attempt(at=at, settlements=tuple(settlements), batch=closed)
        judgement = self._sent(channel, prepared.request)
        next_at = self._next_attempt(work, at) if judgement.outcome == RETRYING else None
        if judgement.outcome == RETRYING and next_at is None:
            judgement = replace(judgement, outcome=FAILED)
        settlements.append(
            Settlement(
                ids=tuple(
                    offer.id
                    for offer, verdict in zip(work.offers, prepared.verdicts, strict=True)
                    if isinstance(verdict, Ready)
                ),
                outcome=judgement.outcome,
                reason=judgement.reason,
                message=judgement.message,
                in_batch=True,
            )
        )
        return Attempt(at=at, settlements=tuple(settlements), requests=1, batch=judgement, next_at=next_at)

    def _sent(self, channel: Channel, request: OutgoingRequest) -> Judgement:
        try:
            judgement = judge(self._transport_for(channel.destination).post(request.headers, request.body))
        except TransportError as error:
            judgement = judge_silence(error)
        message, response = judgement.message, judgement.response
        return replace(
            judgement,
            message=_shown(channel, message) if message else message,
            response=_shown(channel, response) if response else response,
        )

    def _next_attempt(self, work: Work, at: int) -> int | None:
        attempts = work.attempts + 1
        chance = self._sandbox.ids.stream("retry", work.offers[0].id, attempts).random()
        first_at = work.first_at if work.batch_id is not None else at
        return next_attempt(first_at=first_at, now=at, attempts=attempts, chance=chance)

    def _now(self) -> int:
        return to_millis(self._sandbox.clock.now())


def _age_millis(channel: Channel) -> int:
    return channel.destination.batch_age // timedelta(milliseconds=1)


def _lanes(destination: Destination) -> int:
    """How many batches of an instance may be under way at once."""
    # In process a request takes no time on the clock: side by side nothing would be gained and the order be lost.
    return destination.batch_concurrency if destination.endpoint else 1


def _shown(channel: Channel, text: str) -> str:
    """What is kept of a text from outside: no token, and no half of a surrogate pair, which no database takes."""
    return whole_characters(channel.destination.masked(text))


def _left_out(channel: Channel, work: Work, prepared: Prepared) -> Iterator[Settlement]:
    """The events that do not go into the request, grouped by what is said of them."""
    groups: dict[tuple[str, str, str], list[int]] = {}
    for offer, verdict in zip(work.offers, prepared.verdicts, strict=True):
        if isinstance(verdict, Ready):
            continue
        outcome = (REJECTED, INVALID_PAYLOAD) if isinstance(verdict, Invalid) else (DISCARDED, NOT_TRIGGERED)
        groups.setdefault((*outcome, _shown(channel, verdict.message)), []).append(offer.id)
    for (outcome_, reason, message), ids in groups.items():
        yield Settlement(ids=tuple(ids), outcome=outcome_, reason=reason, message=message)


def _refused(channel: Channel, work: Work, error: EngineError, at: int) -> Attempt:
    """The mapping engine gave up on the whole batch: the same events would fail the same way again."""
    reason, message = error.code or error.name, _shown(channel, error.message)
    return Attempt(
        at=at,
        settlements=(
            Settlement(
                ids=tuple(offer.id for offer in work.offers),
                outcome=REJECTED,
                reason=reason,
                message=message,
                in_batch=True,
            ),
        ),
        batch=Judgement(outcome=REJECTED, reason=reason, message=message),
    )


def _journal_entry(channel: Channel, attempt: Attempt, sandbox: Sandbox) -> BatchDelivered:
    outcomes: Counter[str] = Counter()
    for settlement in attempt.settlements:
        outcomes[settlement.outcome] += len(settlement.ids)
    return BatchDelivered(
        at=sandbox.clock.now(),
        destination=channel.destination.name,
        subscription=channel.name,
        outcomes=dict(outcomes),
        status=attempt.batch.status if attempt.batch else None,
        error=attempt.batch.message if attempt.batch else None,
    )
