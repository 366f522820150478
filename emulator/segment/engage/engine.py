"""Engage: every call updates a profile, every audience is computed at once, every change of membership is emitted.

Documented under "Using Engage data" and "Engage Audiences": a member has at least a `user_id` or an `email`; only
identify calls set traits, while `context.traits.email` of any call becomes an identifier; a new external id on a member
is sent although the membership did not change; alias calls do not merge profiles ("Spec: Alias").

Where a condition depends on time, people are also computed at the very moment at which it may change for them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection as Transaction
from sqlalchemy import bindparam, func, select

from emulator.clock import LATEST
from emulator.events import MembershipChanged
from emulator.ids import Ids
from emulator.segment.engage.audience_events import AudienceEvent, audience_events
from emulator.segment.engage.computations import Computation, computations
from emulator.segment.engage.event_retention import EventRetention, event_of
from emulator.segment.engage.journey_events import step_events
from emulator.segment.engage.journeys import CompiledJourney, advance, journeys
from emulator.segment.profiles.facts import ProfileFacts
from emulator.segment.profiles.profile import ANONYMOUS_ID, EMAIL, USER_ID, Identifier, Profile, profile_id
from emulator.segment.profiles.store import ProfileSession
from emulator.segment.tables import DUE
from emulator.segment.tracking.calls import Call
from emulator.timestamps import from_millis, to_millis
from emulator.workspace import Workspace

_SENT_IDENTIFIERS = frozenset({USER_ID, EMAIL})
_PEOPLE_AT_ONCE = 500
_NEVER = to_millis(LATEST)

# Built once: asked before every call of a space in which time matters.
_DUE = (
    select(DUE.c.profile_id, DUE.c.at)
    .where(DUE.c.at <= bindparam("now"))
    .order_by(DUE.c.at, DUE.c.profile_id)
    .limit(_PEOPLE_AT_ONCE)
)
_DUE_BETWEEN = select(DUE.c.at).distinct().where(DUE.c.at > bindparam("after"), DUE.c.at <= bindparam("until"))
_HOW_MANY = select(func.count()).select_from(_DUE_BETWEEN.subquery())
_AT_POSITION = _DUE_BETWEEN.order_by(DUE.c.at).limit(1).offset(bindparam("position"))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Change:
    at: datetime
    profile: Profile
    key: str
    entered: bool


@dataclass(slots=True)
class Computed:
    """What a group of calls, or time, led to, in order. `sent`: members of whom a backfill tells its destination."""

    events: list[AudienceEvent] = field(default_factory=list)
    changes: list[MembershipChanged] = field(default_factory=list)
    sent: int = 0


class Engage:
    """The audiences and journeys of one space.

    `integrations` has, for each destination instance, the name by which its events are routed. Raises WorkspaceError
    for a condition that makes no sense.
    """

    def __init__(self, workspace: Workspace, ids: Ids, integrations: dict[str, str]) -> None:
        self._ids = ids
        self._computations = computations(workspace, integrations)
        self._journeys = journeys(workspace, integrations)
        conditions = [computation.condition for computation in self._computations]
        conditions += [condition for journey in self._journeys for condition in journey.conditions]
        self._needs = EventRetention(conditions)
        self._timed = tuple(computation for computation in self._computations if computation.condition.moments)
        self.depends_on_time = bool(self._timed) or any(journey.timed for journey in self._journeys)
        self._remembers = bool(self._needs) or bool(self._journeys) or self.depends_on_time

    def take(self, transaction: Transaction, calls: Sequence[Call], *, at: datetime) -> Computed:
        """Applies calls in order and computes every audience after each of them."""
        identified = [(call, identifiers_of(call)) for call in calls if call.type != "alias"]
        concerned = (identifier for _, found in identified for identifier in found)
        book = ProfileSession(transaction, concerned, remember=self._remembers)
        computed = Computed()
        changed: list[_Change] = []
        for call, identifiers in identified:
            profile, new = book.resolve(identifiers, to_millis(at))
            if call.type == "identify":
                book.set_traits(profile, _object(call.message.get("traits")), to_millis(call.timestamp))
            if self._needs and (done := self._needs.performed(call)):
                known = [*profile.performed.get(done.event, ()), done]
                profile.performed[done.event] = self._needs.kept(done.event, known, to_millis(at))
            resend = any(kind in _SENT_IDENTIFIERS for kind, _ in new)
            changed += self._compute(profile, computed, at, resend=resend, call=call)
        self._reschedule(book.profiles(), to_millis(at))
        return _saved(book, computed, changed)

    def apply_due(self, transaction: Transaction, *, now: datetime) -> Computed | None:
        """Computes people for whom time has changed something, the earliest first and each at their moment.

        Some at a time; None when there is nobody left.
        """
        due = transaction.execute(_DUE, {"now": to_millis(now)}).all()
        if not due:
            return None
        book = ProfileSession(transaction, keys=[row.profile_id for row in due], remember=True)
        profiles = {profile.key: profile for profile in book.profiles()}
        computed = Computed()
        changed: list[_Change] = []
        for row in due:
            profile = profiles[row.profile_id]
            changed += self._compute(profile, computed, from_millis(row.at), resend=False)
            self._reschedule([profile], row.at)
        return _saved(book, computed, changed)

    def next_stop(self, transaction: Transaction, *, after: datetime, until: datetime, stops: int) -> int | None:
        """The first moment, in milliseconds, at which time alone may change something for somebody; None for none.

        When there are more such moments than `stops`, the last of as many as one stop has to stand for.
        """
        span = {"after": to_millis(after), "until": to_millis(until)}
        moments = transaction.execute(_HOW_MANY, span).scalar_one()
        if not moments:
            return None
        moment: int = transaction.execute(_AT_POSITION, span | {"position": (moments - 1) // stops}).scalar_one()
        return moment

    def backfill(
        self, transaction: Transaction, key: str, people: Sequence[int], *, at: datetime, destination: str | None
    ) -> Computed:
        """Computes one audience for stored profiles, and whatever depends on it.

        With `destination` those who are and stay members are sent there too, as when it is connected later.
        """
        concerned = self._dependent_on(key)
        routes = [route for route in self._computation(key).routes if route.destination == destination]
        book = ProfileSession(transaction, keys=people, remember=self._remembers)
        computed = Computed()
        changed: list[_Change] = []
        for profile in book.profiles():
            was_member, before = key in profile.audiences, len(computed.events)
            changed += self._compute(profile, computed, at, resend=False, only=concerned)
            if was_member and key in profile.audiences:
                for route in routes:
                    computed.events += audience_events(route, profile, entered=True, at=at, ids=self._ids)
            told = {(event.audience_key, event.destination) for event in computed.events[before:]}
            computed.sent += key in profile.audiences and (key, destination) in told
        self._reschedule(book.profiles(), to_millis(at))
        return _saved(book, computed, changed)

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
        """Puts a person into the audience with this key, or takes them out, and emits it, whatever the condition says.

        The other audiences, and this one, are computed again with the next call for the person, or when it is time.
        """
        book = ProfileSession(transaction, identifiers, remember=self._remembers)
        profile, _ = book.resolve(identifiers, to_millis(at))
        book.set_traits(profile, traits, to_millis(at))
        computed = Computed()
        for route in self._computation(key).routes:
            computed.events += audience_events(route, profile, entered=entered, at=at, ids=self._ids)
        changes = (key in profile.audiences) != entered
        (profile.audiences.add if entered else profile.audiences.discard)(key)
        changed = [_Change(at=at, profile=profile, key=key, entered=entered)] if changes else []
        self._reschedule(book.profiles(), to_millis(at))
        return _saved(book, computed, changed)

    def _compute(
        self,
        profile: Profile,
        computed: Computed,
        at: datetime,
        *,
        resend: bool,
        call: Call | None = None,
        only: frozenset[str] | None = None,
    ) -> Iterator[_Change]:
        """Computes audiences and journeys for one profile; with `only` those with these keys and ids."""
        eligible = bool(profile.values(USER_ID) or profile.values(EMAIL))
        known = _known(profile, at)
        for computation in self._computations:
            key = computation.audience.key
            if only is not None and key not in only:
                continue
            before, now = key in profile.audiences, eligible and computation.condition.holds(known)
            if before == now and not (now and resend):
                continue
            for route in computation.routes:
                computed.events += audience_events(route, profile, entered=now, at=at, ids=self._ids)
            if before != now:
                (profile.audiences.add if now else profile.audiences.remove)(key)
                yield _Change(at=at, profile=profile, key=key, entered=now)
        if eligible:
            for journey in self._journeys:
                if only is None or journey.journey.id in only:
                    yield from self._travel(journey, profile, computed, known, at, call)

    def _travel(
        self,
        journey: CompiledJourney,
        profile: Profile,
        computed: Computed,
        known: ProfileFacts,
        at: datetime,
        call: Call | None,
    ) -> Iterator[_Change]:
        name, event = journey.journey.id, event_of(call) if call else None
        progress, passages = advance(
            journey, profile.journeys.get(name), known, epoch=lambda: self._ids.ksuid(at), event=event
        )
        if progress is not None:
            profile.journeys[name] = progress
        for passage in passages:
            for route in passage.step.routes:
                computed.events += step_events(
                    route, profile, passage.progress, entered=passage.entered, at=at, ids=self._ids
                )
            yield _Change(at=at, profile=profile, key=passage.step.step.key, entered=passage.entered)

    def _reschedule(self, profiles: Iterable[Profile], now: int) -> None:
        """Forgets events that are of no more use, and decides when to look at people again."""
        if self._remembers:
            for profile in profiles:
                profile.performed = {
                    event: self._needs.kept(event, performed, now) for event, performed in profile.performed.items()
                }
                profile.due = self._due(profile, now)

    def _due(self, profile: Profile, now: int) -> int | None:
        """The next moment at which time alone may change something for somebody."""
        if not self.depends_on_time:
            return None
        known = _known(profile, from_millis(now))
        moments = [
            moment
            for computation in self._timed
            if computation.condition.moments
            for moment in computation.condition.moments(known)
        ]
        for journey in self._journeys:
            moments += journey.moments(profile.journeys.get(journey.journey.id), known)
        return min((moment for moment in moments if now < moment <= _NEVER), default=None)

    def _computation(self, key: str) -> Computation:
        return next(computation for computation in self._computations if computation.audience.key == key)

    def _dependent_on(self, key: str) -> frozenset[str]:
        """The audience with this key, and the audiences and journeys whose conditions ask for it, at any remove."""
        found = {key}
        for computation in self._computations:
            if computation.condition.audiences & found:
                found.add(computation.audience.key)
        for journey in self._journeys:
            if any(condition.audiences & found for condition in journey.conditions):
                found.add(journey.journey.id)
        return frozenset(found)


def identifiers_of(call: Call) -> list[Identifier]:
    """The external ids that Segment promotes from a call, highest priority first ("External IDs")."""
    found = [(USER_ID, call.user_id)]
    if call.type == "identify":
        found.append((EMAIL, email_in(call.message.get("traits"))))
    found.append((EMAIL, email_in(_object(call.message.get("context")).get("traits"))))
    found.append((ANONYMOUS_ID, call.anonymous_id))
    return [(kind, value) for kind, value in found if value]


def _saved(book: ProfileSession, computed: Computed, changed: Iterable[_Change]) -> Computed:
    book.save()
    computed.changes = [
        MembershipChanged(
            at=change.at,
            audience_key=change.key,
            profile_id=profile_id(book.key_of(change.profile)),
            entered=change.entered,
        )
        for change in changed
    ]
    return computed


def _known(profile: Profile, at: datetime) -> ProfileFacts:
    return ProfileFacts(
        traits=profile.traits, now=to_millis(at), audiences=profile.audiences, performed=profile.performed
    )


def email_in(traits: object) -> str | None:
    """The email among traits that becomes an identifier."""
    value = _object(traits).get("email")
    return value if isinstance(value, str) else None


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
