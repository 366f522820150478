"""Streams of generated events, in blocks that can each be made alone, by any process, in any order.

A block holds `BLOCK` events. Whatever relates events to each other, a repetition, a member who leaves, an exchange of
places, stays within a block, so that an event depends on the seed, its place and the options alone. People are numbered
from the block's place on: numbers are left out where events are not of new people.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from itertools import islice
from operator import itemgetter
from typing import Any, Protocol

from emulator.errors import InputError
from emulator.generator.people import FIRST_CALL, Person, Population, check_share, identify, no_longer_vip
from emulator.ids import Ids
from emulator.segment.delivery.subscriptions import integrations
from emulator.segment.engage.audience_events import Route, audience_events
from emulator.segment.engage.routes import audience_routes
from emulator.segment.profiles.profile import EMAIL, USER_ID, Profile
from emulator.timestamps import from_millis, to_millis
from emulator.workspace import Workspace

BLOCK = 1000
LATEST_HOURS = 24
# How many places a repetition, or an event that is out of order, comes later at most.
DISPLACED = 20

# Most members who leave do so within a hundred places, so that a short stream shows some.
_SOON = 4
_SECOND = 1000
_HOUR = 3600
_START = to_millis(FIRST_CALL)

Event = dict[str, Any]
Arrival = tuple[float, Event]
Draw = Callable[[], float]


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamOptions:
    """How a stream differs from one event after the other, each once. Shares between 0 and 1.

    `duplicates`: events that come again soon, the same to the byte. `late`: people whose first events tell of a moment
    up to 24 hours before they arrive. `out_of_order`: events that come up to 20 places too late. `churn`: members who
    leave again later. Raises InputError for a share that is none.
    """

    duplicates: float = 0.0
    late: float = 0.0
    out_of_order: float = 0.0
    churn: float = 0.0

    def __post_init__(self) -> None:
        for share in fields(self):
            check_share(share.name.replace("_", "-"), getattr(self, share.name))


class EventSource(Protocol):
    """Who speaks of a person: makes the events of entering, or of leaving, at a moment in milliseconds since 1970."""

    def events(self, person: Person, *, entered: bool, at: int, ids: Ids) -> Sequence[Event]:
        """At least one."""
        ...


@dataclass(frozen=True, slots=True)
class IdentifyCalls:
    """The person's own app: one identify call; who leaves has spent too little for the audience."""

    def events(self, person: Person, *, entered: bool, at: int, ids: Ids) -> Sequence[Event]:
        return (identify(person if entered else no_longer_vip(person), sequence=0 if entered else 1, at=at),)


@dataclass(frozen=True, slots=True)
class MembershipEvents:
    """Engage: audience events as they reach destinations, along one of the routes for each person."""

    routes: tuple[Route, ...]

    def events(self, person: Person, *, entered: bool, at: int, ids: Ids) -> Sequence[Event]:
        identifiers = {(USER_ID, person.user_id): 0}
        if person.email is not None:
            identifiers[EMAIL, person.email] = 1
        profile = Profile(key=None, created_at=at, identifiers=identifiers, traits=dict(person.traits))
        route = self.routes[person.index % len(self.routes)]
        return [
            dict(event.payload)
            for event in audience_events(route, profile, entered=entered, at=from_millis(at), ids=ids)
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class EventStream:
    """Events of a crowd in the order of their arrival, about one a second. `block(n)` has the n-th thousand."""

    crowd: Population
    voice: EventSource
    disorder: StreamOptions = StreamOptions()

    def block(self, number: int) -> list[Event]:
        """The events from number `number * BLOCK` on."""
        ids = Ids(self.crowd.seed).apart("events", number)
        draw = ids.stream("story").random
        arrivals: list[Arrival] = []
        for person in islice(self.crowd.people(first=number * BLOCK), BLOCK):
            told = self._story(person, number * BLOCK + len(arrivals), draw, ids)
            # At the end of a block there may be room for the first of them only, which are of entering.
            arrivals += told[: BLOCK - len(arrivals)]
            if len(arrivals) == BLOCK:
                break
        arrivals.sort(key=itemgetter(0))
        return [event for _, event in arrivals]

    def _story(self, person: Person, place: int, draw: Draw, ids: Ids) -> list[Arrival]:
        """A person's events: entering, then leaving, then repetitions."""
        disorder = self.disorder
        told: list[Arrival] = []
        happened = place - draw() * LATEST_HOURS * _HOUR if draw() < disorder.late else place
        for event in self.voice.events(person, entered=True, at=_moment(happened), ids=ids):
            told.append((self._arrival(place, draw), event))
        if person.vip and draw() < disorder.churn:
            left = place + draw() ** _SOON * (BLOCK - place % BLOCK)
            for event in self.voice.events(person, entered=False, at=_moment(left), ids=ids):
                told.append((self._arrival(left, draw), event))
        again = [(arrival + draw() * DISPLACED, event) for arrival, event in told if draw() < disorder.duplicates]
        return told + again

    def _arrival(self, place: float, draw: Draw) -> float:
        return place + draw() * DISPLACED if draw() < self.disorder.out_of_order else place


def members(crowd: Population) -> Population:
    """The same people, all of them in the default workspace's audience."""
    return replace(crowd, vips=1.0)


def membership_events(workspace: Workspace) -> MembershipEvents:
    """Engage's voice in a workspace: every audience along its connections. Raises InputError when none sends."""
    routes = tuple(
        route
        for route in audience_routes(workspace, integrations(workspace))
        if route.connection.send_identify or route.connection.send_track
    )
    if not routes:
        raise InputError(
            "no audience of this workspace sends anything to a destination",
            where=workspace.name,
            hint="Connect one under destinations[].audiences.",
        )
    return MembershipEvents(routes)


def _moment(place: float) -> int:
    """The moment at which what belongs at a place happens, in milliseconds since 1970."""
    return _START + int(place * _SECOND)
