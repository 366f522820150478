"""Engage: each call updates a profile, computes all audiences at once and emits every change of membership.

"Using Engage data" and "Engage Audiences" in Segment's documentation: a member has a `user_id` or an `email`; only
identify calls set traits, while `context.traits.email` of any call becomes an identifier; a new external id of a member
is sent although the membership did not change; alias calls do not merge profiles ("Spec: Alias").

Where a condition depends on time, a profile is also computed at the time at which the outcome may change. A batch
audience is left out, except at the times of `batches`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache, partial
from typing import Any, NamedTuple

from sqlalchemy import Connection as Transaction

from emulator.clock import LATEST
from emulator.errors import NotFound
from emulator.events import MembershipChanged
from emulator.ids import Ids
from emulator.segment.engage.batches import BatchSchedule, computed_from
from emulator.segment.engage.computations import Computation, computation_of, computations
from emulator.segment.engage.due_times import first_due
from emulator.segment.engage.emitted_events import EmittedEvent, Emitter, EmittingRoute
from emulator.segment.engage.event_retention import EventRetention, event_of
from emulator.segment.engage.explanations import explanations, unless_damaged
from emulator.segment.engage.history import AudienceStarts
from emulator.segment.engage.identifiers import promotion
from emulator.segment.engage.journeys import CompiledJourney, advance, journeys
from emulator.segment.profiles.facts import ProfileFacts
from emulator.segment.profiles.profile import EMAIL, USER_ID, Identifier, Profile, profile_id
from emulator.segment.profiles.store import ProfileSession, key_of
from emulator.segment.tracking.calls import Call
from emulator.timestamps import from_millis, to_millis
from emulator.workspace import BATCH, Workspace

_SENT_IDENTIFIERS = frozenset({USER_ID, EMAIL})
_LATEST = to_millis(LATEST)


class _Change(NamedTuple):
    at: datetime
    profile: Profile
    key: str
    entered: bool


@dataclass(slots=True)
class Computed:
    """Events and changes of membership, in order. `sent` is how many members a backfill sends to its destination."""

    events: list[EmittedEvent] = field(default_factory=list)
    changes: list[MembershipChanged] = field(default_factory=list)
    sent: int = 0


class Engage:
    """The audiences and journeys of one space.

    `integrations` has the name by which the events of each destination instance are routed. Raises WorkspaceError for
    an invalid condition.
    """

    def __init__(self, workspace: Workspace, ids: Ids, integrations: dict[str, str]) -> None:
        self._ids = ids
        self._promote = promotion(workspace.space)
        self._starts = AudienceStarts(workspace.audiences)
        self._computations = computations(workspace, integrations, self._starts)
        self._journeys = journeys(workspace, integrations)
        conditions = [computation.condition for computation in self._computations]
        conditions += [condition for journey in self._journeys for condition in journey.conditions]
        self._retention = EventRetention(conditions, everything=workspace.space.keep_all_events)
        timed = any(computation.condition.next_changes for computation in self._computations)
        self._batches = BatchSchedule(
            [audience.key for audience in workspace.audiences if computation_of(workspace, audience) == BATCH]
        )
        self.depends_on_time = timed or bool(self._batches.keys) or any(journey.timed for journey in self._journeys)
        self._history = bool(self._retention) or bool(self._journeys) or self.depends_on_time

    def apply_calls(self, transaction: Transaction, calls: Sequence[Call], *, at: datetime) -> Computed:
        """Applies calls in order and computes every audience after each."""
        identified = [(call, self._promote(call)) for call in calls if call.type != "alias"]
        all_identifiers = (identifier for _, found in identified for identifier in found)
        session = ProfileSession(transaction, all_identifiers, history=self._history)
        computed = Computed()
        changed = self._catch_up(transaction, session, computed, to_millis(at))
        for call, identifiers in identified:
            # All of its identifiers are blocked: it belongs to no profile.
            if not identifiers:
                continue
            profile, new = session.resolve(identifiers, to_millis(at))
            if call.type == "identify":
                session.set_traits(profile, _object(call.message.get("traits")), to_millis(call.timestamp))
            if self._retention and (done := self._retention.performed(call)):
                events = [*profile.performed.get(done.event, ()), done]
                profile.performed[done.event] = self._retention.kept(done.event, events, to_millis(at))
            resend = any(kind in _SENT_IDENTIFIERS for kind, _ in new)
            changed += self._compute(profile, computed, at, resend=resend, call=call)
        self._reschedule(transaction, session.profiles(), to_millis(at))
        return _saved(session, computed, changed)

    def apply_due(self, transaction: Transaction, *, now: datetime) -> Computed | None:
        """Computes some of the profiles that are due by `now`, the earliest first, each at the time it is due.

        None when none is due.
        """
        due = first_due(transaction, by=now)
        if not due:
            return None
        session = ProfileSession(transaction, keys=[row.profile_id for row in due], history=True)
        profiles = {profile.key: profile for profile in session.profiles()}
        start = self._batches.start(transaction, to_millis(now))
        self._starts.load(transaction)
        computed = Computed()
        changed: list[_Change] = []
        for row in due:
            changed += self._compute_due(profiles[row.profile_id], computed, row.at, start)
        return _saved(session, computed, changed)

    def backfill(
        self,
        transaction: Transaction,
        key: str,
        profiles: Sequence[int],
        *,
        at: datetime,
        destination: str | None,
        resync: bool,
    ) -> Computed:
        """Computes one audience, and those that depend on it, for stored profiles.

        With `destination`, present members are sent there as well, as when it is connected later: those of an audience
        without historical data only with `resync`.
        """
        affected, computation = self._dependent_on(key), self._computation(key)
        present = resync or computation.audience.include_history
        routes = [each for each in computation.routes if present and each.route.destination == destination]
        session = ProfileSession(transaction, keys=profiles, history=self._history)
        computed = Computed()
        changed = self._catch_up(transaction, session, computed, to_millis(at))
        for profile in session.profiles():
            was_member, before = key in profile.audiences, len(computed.events)
            changed += self._compute(profile, computed, at, resend=False, only=affected, batches=frozenset({key}))
            if was_member and key in profile.audiences:
                emitter = Emitter(profile, at, self._ids)
                computed.events += emitter.audiences((route, True) for route in routes)
            emitted = {(event.audience_key, event.destination) for event in computed.events[before:]}
            computed.sent += key in profile.audiences and (key, destination) in emitted
        self._reschedule(transaction, session.profiles(), to_millis(at))
        return _saved(session, computed, changed)

    def reschedule(self, transaction: Transaction, profiles: Sequence[int], *, at: datetime) -> None:
        """Sets when these stored profiles are due next, and computes nothing."""
        session = ProfileSession(transaction, keys=profiles, history=True)
        self._reschedule(transaction, session.profiles(), to_millis(at))
        session.save()

    def explain(self, transaction: Transaction, profiles: Sequence[int], *, at: datetime) -> list[dict[str, Any]]:
        """Why these stored profiles are in each audience and journey or not: see `explanations`."""
        coming = self._batches.coming(transaction, to_millis(at))
        self._starts.load(transaction)

        def explained(keys: Sequence[int]) -> list[dict[str, Any]]:
            session = ProfileSession(transaction, keys=keys, history=self._history)
            return [
                each
                for profile in session.profiles()
                for each in explanations(profile, _facts(profile, at), self._computations, self._journeys, coming)
            ]

        try:
            return explained(profiles)
        except (ValueError, TypeError, AttributeError, RecursionError):
            # One of the profiles is damaged.
            return [each for key in profiles for each in unless_damaged(key, partial(explained, [key]))]

    def set_membership(
        self,
        transaction: Transaction,
        key: str,
        identifiers: Sequence[Identifier],
        traits: Mapping[str, Any],
        *,
        entered: bool,
        at: datetime,
    ) -> Computed:
        """Adds a profile to an audience or removes it, whatever the condition says, and emits the change.

        All audiences are computed again with the next call for the profile, or when it is due.
        """
        session = ProfileSession(transaction, identifiers, history=self._history)
        computed = Computed()
        changed = self._catch_up(transaction, session, computed, to_millis(at))
        profile, _ = session.resolve(identifiers, to_millis(at))
        session.set_traits(profile, traits, to_millis(at))
        emitter = Emitter(profile, at, self._ids)
        computed.events += emitter.audiences((route, entered) for route in self._computation(key).routes)
        if (key in profile.audiences) != entered:
            changed.append(_Change(at=at, profile=profile, key=key, entered=entered))
        (profile.audiences.add if entered else profile.audiences.discard)(key)
        self._reschedule(transaction, session.profiles(), to_millis(at))
        return _saved(session, computed, changed)

    def _catch_up(
        self, transaction: Transaction, session: ProfileSession, computed: Computed, now: int
    ) -> list[_Change]:
        """Computes the profiles that are overdue, each at the times at which it was due.

        There are some only while the clock is being moved: a call need not wait until all others are computed.
        """
        self._starts.load(transaction)
        changed: list[_Change] = []
        if self.depends_on_time:
            start = self._batches.start(transaction, now)
            for profile in session.profiles():
                while profile.due is not None and profile.due <= now:
                    changed += self._compute_due(profile, computed, profile.due, start)
        return changed

    def _compute_due(self, profile: Profile, computed: Computed, at: int, start: int) -> list[_Change]:
        """Computes a profile at the time at which it is due, in milliseconds."""
        batches = self._batches.at(at, start)
        changed = list(self._compute(profile, computed, from_millis(at), resend=False, batches=batches))
        self._set_due(profile, at, start)
        return changed

    def _compute(
        self,
        profile: Profile,
        computed: Computed,
        at: datetime,
        *,
        resend: bool,
        call: Call | None = None,
        only: frozenset[str] | None = None,
        batches: frozenset[str] = frozenset(),
    ) -> Iterator[_Change]:
        """Computes the audiences and journeys of one profile; with `only`, those with these keys and ids.

        Of the batch audiences only those in `batches`; of the others, members stay members.
        """
        eligible = _eligible(profile)
        facts = _facts(profile, at)
        emitter = Emitter(profile, at, self._ids)
        sent: list[tuple[EmittingRoute, bool]] = []
        for computation in self._computations:
            key = computation.audience.key
            if only is not None and key not in only:
                continue
            before = now = key in profile.audiences
            if key not in self._batches.keys or key in batches:
                now = eligible and computation.condition.holds(facts)
            if before == now and not (now and resend):
                continue
            sent += [(route, now) for route in computation.routes]
            if before != now:
                (profile.audiences.add if now else profile.audiences.remove)(key)
                yield _Change(at, profile, key, now)
        computed.events += emitter.audiences(sent)
        if eligible:
            for journey in self._journeys:
                if only is None or journey.journey.id in only:
                    yield from self._advance(journey, profile, computed, facts, emitter, at, call)

    def _advance(
        self,
        journey: CompiledJourney,
        profile: Profile,
        computed: Computed,
        facts: ProfileFacts,
        emitter: Emitter,
        at: datetime,
        call: Call | None,
    ) -> Iterator[_Change]:
        name, event = journey.journey.id, event_of(call) if call else None
        progress, transitions = advance(
            journey, profile.journeys.get(name), facts, epoch=lambda: self._ids.ksuid(at), event=event
        )
        if progress is not None:
            profile.journeys[name] = progress
        for transition in transitions:
            entered = transition.entered
            for route in transition.step.routes:
                computed.events += emitter.step(route, transition.progress, entered=entered)
            yield _Change(at=at, profile=profile, key=transition.step.step.key, entered=entered)

    def _reschedule(self, transaction: Transaction, profiles: Iterable[Profile], now: int) -> None:
        """Drops events that no condition can count any more, and sets when each profile is due next."""
        start = self._batches.start(transaction, now)
        if self._history:
            for profile in profiles:
                self._set_due(profile, now, start)

    def _set_due(self, profile: Profile, now: int, start: int) -> None:
        profile.performed = {
            event: self._retention.kept(event, performed, now) for event, performed in profile.performed.items()
        }
        profile.due = self._due(profile, now, start)

    def _due(self, profile: Profile, now: int, start: int) -> int | None:
        """When time alone may next change something for a profile, in milliseconds."""
        if not self.depends_on_time:
            return None
        facts = _facts(profile, from_millis(now))
        times: list[int] = []
        for computation in self._computations:
            key, condition = computation.audience.key, computation.condition
            changes = [at for at in condition.next_changes(facts) if at > now] if condition.next_changes else []
            if key in self._batches.keys:
                pending = _eligible(profile) and condition.holds(facts) != (key in profile.audiences)
                changes = [computed_from(at, start) for at in (*changes, *([now + 1] if pending else []))]
            times += changes
        for journey in self._journeys:
            times += journey.next_changes(profile.journeys.get(journey.journey.id), facts)
        return min((at for at in times if now < at <= _LATEST), default=None)

    def _computation(self, key: str) -> Computation:
        if found := [each for each in self._computations if each.audience.key == key]:
            return found[0]
        raise NotFound("this audience was removed from the workspace meanwhile", where="audience", found=key)

    def _dependent_on(self, key: str) -> frozenset[str]:
        """The audience with this key, and the audiences and journeys that depend on it, directly or indirectly."""
        found = {key}
        for computation in self._computations:
            if computation.condition.audiences & found:
                found.add(computation.audience.key)
        for journey in self._journeys:
            if any(condition.audiences & found for condition in journey.conditions):
                found.add(journey.journey.id)
        return frozenset(found)


def _saved(session: ProfileSession, computed: Computed, changed: Iterable[_Change]) -> Computed:
    session.save()

    @cache
    def who(profile: Profile) -> tuple[str, str | None, str | None]:
        newest = profile.newest()
        return profile_id(key_of(profile)), newest.get(USER_ID), newest.get(EMAIL)

    for change in changed:
        identified_by, user_id, email = who(change.profile)
        computed.changes.append(
            MembershipChanged(
                at=change.at,
                audience_key=change.key,
                profile_id=identified_by,
                entered=change.entered,
                user_id=user_id,
                email=email,
            )
        )
    return computed


def _eligible(profile: Profile) -> bool:
    """Whether audiences are computed for a profile."""
    return any(kind in _SENT_IDENTIFIERS for kind, _ in profile.identifiers)


def _facts(profile: Profile, at: datetime) -> ProfileFacts:
    return ProfileFacts(
        traits=profile.traits, now=to_millis(at), audiences=profile.audiences, performed=profile.performed
    )


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
