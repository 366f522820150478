"""`Segment`: the company as one object. Calls go in, audience events come out at the destinations."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from emulator.errors import InputError
from emulator.events import CallReceived
from emulator.sandbox import Sandbox
from emulator.segment.delivery import deletion as regulations
from emulator.segment.delivery import queries as reports
from emulator.segment.delivery.dispatcher import Dispatcher
from emulator.segment.delivery.queue import Queue
from emulator.segment.delivery.subscriptions import delivery_targets, integrations
from emulator.segment.engage import queries as space
from emulator.segment.engage.audience_events import AudienceEvent
from emulator.segment.engage.engine import Computed, Engage, email_in
from emulator.segment.lookups import check_audience, check_connected, check_destination
from emulator.segment.profiles.profile import EMAIL, USER_ID
from emulator.segment.tables import TABLES
from emulator.segment.tracking.calls import Call, RejectedCall, read_calls
from emulator.segment.tracking.deduplication import deduplicate
from emulator.segment.tracking.request_body import parse_body
from emulator.timestamps import from_millis, to_millis
from emulator.transport import Transport
from emulator.workspace import Destination


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What became of the calls in one body: how many were accepted, and those that failed on ingest."""

    accepted: int
    failed: tuple[RejectedCall, ...]


class Segment:
    """One workspace's sources, Engage space and destination instances.

    `transport_for` gives the way to a destination's endpoint; it is asked when something is sent, not before. Raises
    WorkspaceError for a condition or a subscription that makes no sense.
    """

    def __init__(self, sandbox: Sandbox, transport_for: Callable[[Destination], Transport]) -> None:
        self._sandbox = sandbox
        self._store = sandbox.store
        self._store.create(TABLES)
        self._channels = tuple(delivery_targets(sandbox.workspace))
        self._engage = Engage(sandbox.workspace, sandbox.ids, integrations(sandbox.workspace))
        self._transport_for = transport_for
        self._queue = Queue(self._store)
        self._delivery = Dispatcher(sandbox, self._queue, self._channels, transport_for)

    def ingest(self, route: str, body: bytes | Mapping[str, Any], *, source: str | None = None) -> Receipt:
        """Takes a body as posted to `/v1/<route>` (`identify`, `track`, …, `batch`, `import`), by source name.

        Sends what is due before it returns. Raises BadRequest where the Tracking API answers 400, InputError for a
        mapping that is not JSON.
        """
        return self.take(route, parse_body(route, body if isinstance(body, bytes) else _as_json(body)), source=source)

    def take(self, route: str, body: Mapping[str, Any], *, source: str | None = None) -> Receipt:
        """The same for a body that `parse_body` gave."""
        at = self._sandbox.clock.now()
        source = source or self._first_source()
        self._apply_due(at)
        receptions = read_calls(route, body, received_at=at, ids=self._sandbox.ids)
        with self._store.begin() as transaction:
            receptions = deduplicate(transaction, receptions, source=source, at=to_millis(at))
            calls = [reception for reception in receptions if isinstance(reception, Call)]
            computed = self._engage.take(transaction, calls, at=at)
            self._queue.offer(transaction, computed.events, self._channels)
        for reception in receptions:
            self._sandbox.journal.append(
                CallReceived(
                    at=at,
                    source=source,
                    call=reception.type,
                    message_id=reception.message_id,
                    accepted=isinstance(reception, Call),
                    reason=reception.reason if isinstance(reception, RejectedCall) else None,
                )
            )
        self._announce(computed)
        self._delivery.process_due()
        return Receipt(
            accepted=len(calls),
            failed=tuple(reception for reception in receptions if isinstance(reception, RejectedCall)),
        )

    def set_membership(
        self,
        audience_key: str,
        *,
        entered: bool,
        user_id: str | None = None,
        email: str | None = None,
        traits: Mapping[str, Any] | None = None,
    ) -> list[dict[str, Any]]:
        """Puts a person into an audience by hand, or takes them out, as if Engage had just computed it so.

        The email may be told as a trait as well, as in an identify call.
        Gives the events that were emitted: `{"messageId", "type", "event", "destination"}`. Sends what is due before
        it returns. Raises NotFound for an unknown audience, InputError for a person without user id and email.
        """
        check_audience(self._sandbox.workspace, audience_key)
        told = ((USER_ID, user_id), (EMAIL, email), (EMAIL, email_in(traits)))
        identifiers = [(kind, value) for kind, value in told if value]
        if not identifiers:
            raise InputError("a person has a user id or an email", where="body", allowed="userId, email")
        at = self._sandbox.clock.now()
        known = {**({"email": email} if email else {}), **(traits or {})}
        self._apply_due(at)
        with self._store.begin() as transaction:
            computed = self._engage.set_membership(
                transaction, audience_key, identifiers, known, entered=entered, at=at
            )
            self._queue.offer(transaction, computed.events, self._channels)
        self._announce(computed)
        self._delivery.process_due()
        return [_emitted(event) for event in computed.events]

    def delete(self, user_id: str) -> dict[str, Any]:
        """Carries out a deletion regulation: `{"userId", "deleted", "destinations"}`.

        `deleted` tells whether the space had such a profile; `destinations` what came of asking each.
        """
        with self.paused(), self._store.begin() as transaction:
            deleted = regulations.delete_user(transaction, user_id)
        asked = regulations.forward(self._sandbox.workspace.destinations, user_id, self._transport_for)
        return {"userId": user_id, "deleted": deleted, "destinations": asked}

    def source_named_by(self, write_key: str) -> str | None:
        """The name of the source with this write key."""
        source = self._sandbox.workspace.source(write_key)
        return source.name if source else None

    def process_due(self) -> None:
        """Does what is due on the sandbox's clock: after each call, and whenever the clock was moved.

        Time may have changed who is in an audience; then what is due is sent.
        """
        self._apply_due(self._sandbox.clock.now())
        self._delivery.process_due()

    def next_delivery(self) -> datetime | None:
        """When a delivery will be due next, if one waits: whoever moves the clock stops there, and ticks."""
        moment = self._delivery.next_moment()
        return None if moment is None else from_millis(moment)

    def next_change(self, *, until: datetime, stops: int) -> datetime | None:
        """When to stop next for what time alone changes in audiences and journeys, up to `until`; None when nowhere.

        It is the very moment of the next change, unless there are more than `stops` of them: then the moment at which
        the next share of them, a `stops`-th, is over.
        """
        if not (self._engage.depends_on_time and stops):
            return None
        with self._store.begin() as transaction:
            moment = self._engage.next_stop(transaction, after=self._sandbox.clock.now(), until=until, stops=stops)
        return None if moment is None else from_millis(moment)

    def compute(self, key: str, destination: str | None = None) -> dict[str, int]:
        """Computes an audience for everybody who is stored (the historical backfill), and sends what changed.

        With `destination`, the name of a destination instance connected to it, every present member is sent there too.
        Returns how many profiles were computed, entered and left, and of how many members, old and new, `destination`
        is told: `sent`. Raises NotFound for an unknown name.
        """
        check_connected(self._sandbox.workspace, key, destination)
        counts = {"profiles": 0, "entered": 0, "left": 0} | ({} if destination is None else {"sent": 0})
        last = 0
        while True:
            at = self._sandbox.clock.now()
            self._apply_due(at)
            with self._store.begin() as transaction:
                people = space.keys_after(transaction, last)
                if not people:
                    return counts
                computed = self._engage.backfill(transaction, key, people, at=at, destination=destination)
                self._queue.offer(transaction, computed.events, self._channels)
            self._announce(computed)
            self._delivery.process_due()
            last = people[-1]
            of_audience = [change.entered for change in computed.changes if change.audience_key == key]
            counts["profiles"] += len(people)
            counts["entered"] += of_audience.count(True)
            counts["left"] += of_audience.count(False)
            if destination is not None:
                counts["sent"] += computed.sent

    def paused(self) -> AbstractContextManager[None]:
        """Nothing is being delivered meanwhile: for whoever replaces the rows that a delivery would settle.

        Waits for the batches that are due; none of them takes longer than the transport's timeout.
        """
        return self._delivery.paused()

    def reset(self) -> None:
        """Forgets all profiles, events and deliveries."""
        with self.paused():
            self._store.clear(TABLES)

    def deliveries(
        self,
        outcome: str | None = None,
        destination: str | None = None,
        user_id: str | None = None,
        email: str | None = None,
        limit: int = 100,
        offset: int = 0,
    ) -> list[dict[str, Any]]:
        """One entry for each event and subscription it was offered to, oldest first, with its outcome and reason.

        Raises InputError for an unknown outcome, NotFound for a destination that the workspace does not have.
        """
        self._check_destination(destination)
        with self._store.begin() as transaction:
            return reports.deliveries(
                transaction,
                outcome=outcome,
                destination=destination,
                user_id=user_id,
                email=email,
                limit=limit,
                offset=offset,
            )

    def batches(self, failed: bool | None = None, limit: int = 100, offset: int = 0) -> list[dict[str, Any]]:
        """One entry for each request, oldest first; `events` are the message ids of those that it carried last."""
        with self._store.begin() as transaction:
            return reports.batches(transaction, failed=failed, limit=limit, offset=offset)

    def dead_letters(
        self, destination: str | None = None, reason: str | None = None, limit: int = 100, offset: int = 0
    ) -> list[dict[str, Any]]:
        """The deliveries that ended `rejected` or `failed`, oldest first.

        Raises NotFound for a destination that the workspace does not have.
        """
        self._check_destination(destination)
        with self._store.begin() as transaction:
            return reports.dead_letters(transaction, destination=destination, reason=reason, limit=limit, offset=offset)

    def replay(
        self,
        destination: str | None = None,
        reason: str | None = None,
        message_ids: Sequence[str] | None = None,
    ) -> int:
        """Sends dead letters once more, as new events that meet the mappings of today; answers how many.

        Raises NotFound for a destination that the workspace does not have.
        """
        self._check_destination(destination)
        dead = reports.dead(destination=destination, reason=reason, message_ids=message_ids)
        with self._store.begin() as transaction:
            replayed = self._queue.replay(transaction, dead, self._channels, to_millis(self._sandbox.clock.now()))
        self.process_due()
        return replayed

    def profiles(
        self, user_id: str | None = None, email: str | None = None, limit: int = 100, offset: int = 0
    ) -> list[dict[str, Any]]:
        """The space's profiles with identifiers, traits and audiences, oldest first; or the one with these identifiers.

        Identifiers are compared as Engage compares them: letter case counts.
        """
        identifiers = [(kind, value) for kind, value in ((USER_ID, user_id), (EMAIL, email)) if value is not None]
        with self._store.begin() as transaction:
            return space.profiles(transaction, identifiers=identifiers, limit=limit, offset=offset)

    def audiences(self) -> list[dict[str, Any]]:
        """The audiences with their sizes and warnings."""
        with self._store.begin() as transaction:
            return space.audiences(transaction, self._sandbox.workspace)

    def members(self, key: str, limit: int = 100, offset: int = 0) -> list[dict[str, Any]]:
        """The profiles in an audience. Raises NotFound for an unknown key."""
        with self._store.begin() as transaction:
            return space.members(transaction, self._sandbox.workspace, key, limit=limit, offset=offset)

    def counts(self) -> dict[str, Any]:
        """Calls accepted and failed by reason, events emitted, deliveries by outcome and by reason."""
        with self._store.begin() as transaction:
            return reports.counts(transaction)

    def journeys(self) -> list[dict[str, Any]]:
        """The journeys with how many have joined each step, and warnings."""
        with self._store.begin() as transaction:
            return space.journeys(transaction, self._sandbox.workspace)

    def _apply_due(self, now: datetime) -> None:
        """Lets time have its effect on audiences and journeys."""
        while self._engage.depends_on_time:
            with self._store.begin() as transaction:
                computed = self._engage.apply_due(transaction, now=now)
                if computed is None:
                    return
                self._queue.offer(transaction, computed.events, self._channels)
            self._announce(computed)

    def _check_destination(self, name: str | None) -> None:
        if name is not None:
            check_destination(self._sandbox.workspace, name)

    def _announce(self, computed: Computed) -> None:
        for change in computed.changes:
            self._sandbox.journal.append(change)

    def _first_source(self) -> str:
        sources = self._sandbox.workspace.sources
        return sources[0].name if sources else "unknown"


def _emitted(event: AudienceEvent) -> dict[str, Any]:
    return {
        "messageId": event.message_id,
        "type": event.payload["type"],
        "event": event.payload.get("event"),
        "destination": event.destination,
    }


def _as_json(body: Mapping[str, Any]) -> bytes:
    try:
        return json.dumps(body).encode()
    except (TypeError, ValueError) as error:
        raise InputError(f"the body is not JSON: {error}", where="body") from None
