"""`Segment`, the Segment service as one object: ingests calls and delivers events to destinations."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection as Transaction

from emulator.errors import InputError, NotFound
from emulator.events import BatchDelivered, CallReceived
from emulator.sandbox import Sandbox
from emulator.segment.delivery.dispatcher import Dispatcher
from emulator.segment.delivery.enqueue import Discarded
from emulator.segment.delivery.event_intake import EventIntake
from emulator.segment.delivery.queries import DeliveryQueries, dead
from emulator.segment.delivery.queue import Queue
from emulator.segment.delivery.regulator import Regulator
from emulator.segment.delivery.response import DISCARDED
from emulator.segment.delivery.subscriptions import delivery_targets, integrations
from emulator.segment.delivery.switches import recipients
from emulator.segment.delivery.undeliverable import discard_undeliverable
from emulator.segment.engage.audience_preview import Previews
from emulator.segment.engage.changed_workspace import forget_removed, reschedule
from emulator.segment.engage.due_times import next_stop, number_due
from emulator.segment.engage.emitted_events import EmittedEvent
from emulator.segment.engage.engine import Computed, Engage
from emulator.segment.engage.identifiers import email_in
from emulator.segment.engage.profile_keys import keys_with, page_after
from emulator.segment.engage.queries import SpaceQueries, keys_after
from emulator.segment.lookups import check_audience, check_connected
from emulator.segment.profiles.profile import EMAIL, USER_ID
from emulator.segment.received_calls import content_of, received
from emulator.segment.tables import TABLES
from emulator.segment.tracking.calls import (
    SOURCE_DISABLED,
    Call,
    RejectedCall,
    dropped,
    read_calls,
    refused_calls,
    sender_in,
)
from emulator.segment.tracking.deduplication import count_calls, deduplicate
from emulator.segment.tracking.request_body import ParsedBody, parse_body
from emulator.segment.tracking.screening import Screening
from emulator.segment.tracking.suppression import without_suppressed
from emulator.store import SEGMENT_LOCK
from emulator.timestamps import from_millis, to_millis
from emulator.transport import Transport
from emulator.workspace import Destination


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """The calls of one body: how many were accepted, and those that failed on ingest."""

    accepted: int
    failed: tuple[RejectedCall, ...]


class Segment:
    """The sources, the Engage space and the destination instances of one workspace.

    `transport_for` returns the transport to a destination's endpoint; it is called when something is sent. Raises
    WorkspaceError for an invalid condition or subscription. Queries do what is due before they read.
    """

    def __init__(self, sandbox: Sandbox, transport_for: Callable[[Destination], Transport]) -> None:
        self._sandbox = sandbox
        self._store = sandbox.store
        self._store.create(TABLES)
        self._targets = tuple(delivery_targets(sandbox.workspace))
        self._intake = EventIntake(sandbox.workspace, sandbox.ids)
        self._engage = Engage(sandbox.workspace, sandbox.ids, integrations(sandbox.workspace))
        self._screening = Screening(sandbox.workspace)
        self._disabled_sources = {source.name for source in sandbox.workspace.sources if not source.enabled}
        self._queue = Queue(self._store)
        self._dispatcher = Dispatcher(sandbox, self._queue, self._targets, transport_for)
        self._successor: Segment | None = None
        space = SpaceQueries(sandbox.workspace, self._up_to_date)
        self.profiles, self.members, self.performed = space.profiles, space.members, space.performed
        self.profile_page, self.member_page, self.step_page = space.profile_page, space.member_page, space.step_page
        self.audiences, self.journeys = space.audiences, space.journeys
        self.preview = Previews(sandbox, self._up_to_date).preview
        delivery = DeliveryQueries(sandbox.workspace, self._up_to_date)
        self.deliveries, self.dead_letters = delivery.deliveries, delivery.dead_letters
        self.batches, self.counts, self.steps = delivery.batches, delivery.counts, delivery.steps
        self.unsent = delivery.unsent
        regulator = Regulator(sandbox, transport_for, self.paused)
        self.delete, self.regulate = regulator.delete, regulator.regulate
        self.regulations, self.suppressions = regulator.regulations, regulator.suppressions

    def ingest(self, route: str, body: bytes | Mapping[str, Any], *, source: str | None = None) -> Receipt:
        """Takes a body as posted to `/v1/<route>` (`identify`, `track`, …, `batch`, `import`), by source name.

        Sends what is due before it returns. A disabled source drops every call. Raises BadRequest where the Tracking
        API answers 400, InputError for a mapping that is not JSON.
        """
        parsed = body if isinstance(body, ParsedBody) else parse_body(route, body)
        at = self._sandbox.clock.now()
        source = source or self._first_source()
        self._apply_due(at)
        results = read_calls(route, parsed, received_at=at, ids=self._sandbox.ids)
        if source in self._disabled_sources:
            results = list(dropped(results, SOURCE_DISABLED))
        with self._store.begin(locks=SEGMENT_LOCK, synced=False) as transaction:
            results = list(without_suppressed(transaction, results))
            screened = self._screening.screen(results, source)
            results = deduplicate(transaction, screened.results, source=source, at=to_millis(at))
            calls = [result for result in results if isinstance(result, Call)]
            computed = self._engage.apply_calls(transaction, calls, at=at)
            discarded = self._intake.queue(transaction, computed.events, calls=calls, source=source)
            if screened.forwarded:
                count_calls(transaction, screened.forwarded_to, "", len(screened.forwarded))
                discarded += self._intake.queue(transaction, (), calls=screened.forwarded, source=screened.forwarded_to)
        space = self._sandbox.workspace.space
        calls_received = [received(result, source, at, space) for result in results]
        calls_received += [received(call, screened.forwarded_to, at, space) for call in screened.forwarded]
        self._publish(computed, discarded, calls_received)
        self._dispatcher.process_stored()
        failed = tuple(result for result in results if isinstance(result, RejectedCall))
        return Receipt(accepted=len(calls), failed=failed)

    def refuse(
        self,
        route: str,
        body: Mapping[str, Any],
        *,
        status: int,
        reason: str,
        message: str,
        source: str | None = None,
        credential: str | None = None,
    ) -> None:
        """Journals and counts the calls of a request that was refused with `status`; nothing else happens to them.

        `body` is empty where it could not be read; `source` is the name of the source whose write key it has.
        """
        at = self._sandbox.clock.now()
        calls = list(refused_calls(route, body))
        # A sandbox that is deleted meanwhile counts nothing.
        with suppress(NotFound), self._store.begin(locks=SEGMENT_LOCK) as transaction:
            count_calls(transaction, source or "", reason, len(calls))
        refused = []
        for call, given in calls:
            user_id, email = sender_in(given)
            message_id = given.get("messageId")
            refused.append(
                CallReceived(
                    at=at,
                    source=source,
                    call=call,
                    message_id=message_id if isinstance(message_id, str) and message_id else None,
                    accepted=False,
                    reason=reason,
                    user_id=user_id,
                    email=email,
                    status=status,
                    message=message,
                    credential=credential,
                    content=content_of(given, call),
                )
            )
        self._sandbox.journal.extend(refused)

    def set_membership(
        self,
        audience_key: str,
        *,
        entered: bool,
        user_id: str | None = None,
        email: str | None = None,
        traits: Mapping[str, Any] | None = None,
    ) -> list[dict[str, Any]]:
        """Adds a user to an audience or removes them, as if Engage had computed it; `traits` may have the email.

        Returns the events emitted: `{"messageId", "type", "event", "destination"}`. Sends what is due before it
        returns. Raises NotFound for an unknown audience, InputError without user id and email.
        """
        check_audience(self._sandbox.workspace, audience_key)
        given = ((USER_ID, user_id), (EMAIL, email), (EMAIL, email_in(traits)))
        identifiers = [(kind, value) for kind, value in given if value]
        if not identifiers:
            raise InputError("a user needs a user id or an email", where="body", allowed="userId, email")
        at = self._sandbox.clock.now()
        traits = {**({"email": email} if email else {}), **(traits or {})}
        self._apply_due(at)
        with self._store.begin(locks=SEGMENT_LOCK) as transaction:
            computed = self._engage.set_membership(
                transaction, audience_key, identifiers, traits, entered=entered, at=at
            )
            discarded = self._intake.queue(transaction, computed.events)
        self._publish(computed, discarded)
        self._dispatcher.process_stored()
        return [_emitted(event) for event in computed.events]

    def source_named_by(self, write_key: str) -> str | None:
        """The name of the source with this write key."""
        source = self._sandbox.workspace.source(write_key)
        return source.name if source else None

    def process_due(self) -> None:
        """Does what is due on the sandbox's clock: changes of membership through time, then deliveries."""
        self._apply_due(self._sandbox.clock.now())
        self._dispatcher.process_due()

    def next_delivery(self, *, overdue: bool = False) -> datetime | None:
        """When the next delivery is due, if one is queued; moving the clock must stop there. `overdue`: or was due."""
        at = self._dispatcher.next_due(overdue=overdue)
        return None if at is None else from_millis(at)

    def next_change(self, *, until: datetime, stops: int) -> datetime | None:
        """Where moving the clock must stop next for changes of membership through time; None for nowhere by `until`.

        It is the time of the next change. With more than `stops` changes ahead, one stop covers several of them.
        """
        if not (self._engage.depends_on_time and stops):
            return None
        with self._store.begin(locks=SEGMENT_LOCK) as transaction:
            at = next_stop(transaction, after=self._sandbox.clock.now(), until=until, stops=stops)
        return None if at is None else from_millis(at)

    def remaining(self, *, until: datetime) -> tuple[int, int]:
        """How many profiles are due by `until`, and how many events are queued."""
        with self._store.begin(locks=SEGMENT_LOCK) as transaction:
            return number_due(transaction, until=until), self._queue.waiting(transaction)

    def compute(self, key: str, destination: str | None = None, *, resync: bool = False) -> dict[str, int]:
        """Computes an audience for all stored profiles (the historical backfill) and sends the changes.

        With `destination`, a connected destination instance, present members are sent there as well, those of an
        audience without historical data only with `resync`. Returns how many profiles were computed, entered and left,
        how many `events` were emitted, and how many members `destination` gets: `sent`. Raises NotFound for an unknown
        name.
        """
        check_connected(self._sandbox.workspace, key, destination)
        counts = {"profiles": 0, "entered": 0, "left": 0, "events": 0} | ({} if destination is None else {"sent": 0})
        last = 0
        while True:
            at = self._sandbox.clock.now()
            self._apply_due(at)
            with self._store.begin(locks=SEGMENT_LOCK) as transaction:
                profiles = keys_after(transaction, last)
                if not profiles:
                    return counts
                computed = self._engage.backfill(
                    transaction, key, profiles, at=at, destination=destination, resync=resync
                )
                discarded = self._intake.queue(transaction, computed.events)
            self._publish(computed, discarded)
            self._dispatcher.process_stored()
            last = profiles[-1]
            entered = [change.entered for change in computed.changes if change.audience_key == key]
            counts["profiles"] += len(profiles)
            counts["entered"] += entered.count(True)
            counts["left"] += entered.count(False)
            counts["events"] += len(computed.events)
            if destination is not None:
                counts["sent"] += computed.sent

    def compute_all(self) -> list[dict[str, Any]]:
        """Computes every audience: `{"audience"}` and what `compute` returns, for each."""
        keys = [audience.key for audience in self._sandbox.workspace.audiences]
        return [{"audience": key, **self.compute(key)} for key in keys]

    def explain_audiences(self, *, limit: int = 100, after: int = 0, **identifiers: str | None) -> list[dict[str, Any]]:
        """Why the profiles with these identifiers are in each audience and journey or not, oldest profile first.

        `{"profile", "audience", "journey", "name", "member", "conditions", "failed", "change"}` for each: `audience`
        is a key or None, `journey` an id or None, `conditions` the tree of clauses (of a journey, its entry), `failed`
        the clauses that do not hold, a line each, `change` the traits and events after which the condition would hold.
        `limit` is the number of profiles, `after` a position of `profile_page`; identifiers are as there.
        """
        with self._up_to_date() as transaction:
            profiles, _ = page_after(transaction, keys_with(**identifiers), after, limit=limit)
            return self._engage.explain(transaction, profiles, at=self._sandbox.clock.now())

    def paused(self) -> AbstractContextManager[None]:
        """Nothing is being delivered within the block, so that rows can be replaced.

        Waits for the batches that are being sent, each at most as long as the transport's timeout.
        """
        return self._dispatcher.paused()

    @property
    def delivering(self) -> bool:
        """Whether batches are being sent."""
        return self._dispatcher.sending

    def close(self) -> None:
        """Sends nothing more; waits a few seconds for the batches that are being sent."""
        self._dispatcher.close()

    def succeed(self, before: Segment, *, recomputed: bool, use: Callable[[], None]) -> None:
        """Takes over from the service of the workspace before, over the same store; then sends what is due.

        Calls that have begun finish with that one. `use` is called when the data fits this one: later calls must come
        here. `recomputed`: conditions or the timing have changed. Raises StoreFailure; the one before goes on then.
        """
        with before.paused():
            # First: what a call stores after the data was made to fit is left to this one.
            before._successor = self
            try:
                self.fit_data(recomputed=recomputed)
            except BaseException:
                before._successor = None
                raise
            use()
            before._dispatcher.end()
        self._dispatcher.process_stored()

    def fit_data(self, *, recomputed: bool) -> None:
        """Ends what is stored for destinations, audiences and journeys that the workspace does not have any more."""
        at = self._sandbox.clock.now()
        with self._store.begin(locks=SEGMENT_LOCK) as transaction:
            discarded = discard_undeliverable(transaction, tuple(recipients(self._sandbox.workspace)), at=to_millis(at))
            forget_removed(transaction, self._sandbox.workspace)
            if recomputed:
                reschedule(transaction, self._engage, at)
        self._publish(Computed(), discarded)

    def reset(self) -> None:
        """Deletes all profiles, events and deliveries."""
        with self.paused():
            self._store.clear(TABLES)

    def replay(
        self,
        destination: str | None = None,
        reason: str | None = None,
        message_ids: Sequence[str] | None = None,
    ) -> int:
        """Queues dead letters again as new events, with the present mappings; returns how many.

        Raises NotFound for an unknown destination instance.
        """
        wanted = dead(self._sandbox.workspace, destination=destination, reason=reason, message_ids=message_ids)
        with self._store.begin(locks=SEGMENT_LOCK) as transaction:
            replayed = self._queue.replay(transaction, wanted, self._targets, to_millis(self._sandbox.clock.now()))
        self._hand_over()
        self._dispatcher.process_stored()
        return replayed

    @contextmanager
    def _up_to_date(self) -> Iterator[Transaction]:
        self.process_due()
        with self._store.begin(locks=SEGMENT_LOCK) as transaction:
            yield transaction

    def _apply_due(self, now: datetime) -> None:
        """Applies the changes of membership that time has caused."""
        while self._engage.depends_on_time and not self._sandbox.clock.moved_elsewhere:
            with self._store.begin(locks=SEGMENT_LOCK) as transaction:
                computed = self._engage.apply_due(transaction, now=now)
                if computed is None:
                    return
                discarded = self._intake.queue(transaction, computed.events)
            self._publish(computed, discarded)

    def _publish(self, computed: Computed, discarded: Discarded, calls: Sequence[CallReceived] = ()) -> None:
        """Reports calls, changes of membership and the deliveries that were discarded at once."""
        at_once = [
            BatchDelivered(
                at=self._sandbox.clock.now(),
                destination=destination,
                subscription=subscription,
                outcomes={DISCARDED: count},
                status=None,
                error=message,
            )
            for (destination, subscription, message), count in discarded.items()
        ]
        self._sandbox.journal.extend([*calls, *computed.changes, *at_once])
        self._hand_over()

    def _hand_over(self) -> None:
        """Leaves to the successor what a call has stored that began before it took over."""
        if self._successor is not None:
            self._successor.fit_data(recomputed=False)
            self._successor._dispatcher.process_stored()

    def _first_source(self) -> str:
        sources = self._sandbox.workspace.sources
        return sources[0].name if sources else "unknown"


def _emitted(event: EmittedEvent) -> dict[str, Any]:
    return {
        "messageId": event.message_id,
        "type": event.form.type,
        "event": event.form.event,
        "destination": event.destination,
    }
