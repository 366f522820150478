"""Streams of generated events, in blocks that any process can make in any order.

A block has `BLOCK` events. Duplicates, members who leave and changes of order stay within a block, so that an event
depends only on the seed, its position and the options. The people of a block are numbered from its position on; numbers
are skipped where an event is not of a new person.
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
from emulator.segment import (
    EMAIL,
    USER_ID,
    AudienceRoute,
    Profile,
    audience_events,
    audience_routes,
    integrations,
)
from emulator.timestamps import from_millis, to_millis
from emulator.workspace import Workspace

BLOCK = 1000
LATEST_HOURS = 24
# How many positions later a duplicate, or an event out of order, arrives at most.
DISPLACED = 20

# Most members who leave do so within a hundred positions, so that a short stream has some.
_SOON = 4
_SECOND = 1000
_HOUR = 3600
_START = to_millis(FIRST_CALL)

Event = dict[str, Any]
Arrival = tuple[float, Event]
Draw = Callable[[], float]


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamOptions:
    """How a stream departs from each event once and in order. Shares between 0 and 1.

    `duplicates`: events that are repeated soon after, byte for byte. `late`: people whose first events are up to 24
    hours old when they arrive. `out_of_order`: events up to 20 positions too late. `churn`: members who leave again.
    Raises InputError for an invalid share.
    """

    duplicates: float = 0.0
    late: float = 0.0
    out_of_order: float = 0.0
    churn: float = 0.0

    def __post_init__(self) -> None:
        for share in fields(self):
            check_share(share.name.replace("_", "-"), getattr(self, share.name))


class EventSource(Protocol):
    """Makes the events of a person who enters or leaves the audience; `at` is in milliseconds since 1970."""

    def events(self, person: Person, *, entered: bool, at: int, ids: Ids) -> Sequence[Event]:
        """At least one."""
        ...


@dataclass(frozen=True, slots=True)
class IdentifyCalls:
    """The app's identify calls, one each; on leaving with a `total_spent` below the audience's condition."""

    def events(self, person: Person, *, entered: bool, at: int, ids: Ids) -> Sequence[Event]:
        return (identify(person if entered else no_longer_vip(person), sequence=0 if entered else 1, at=at),)


@dataclass(frozen=True, slots=True)
class MembershipEvents:
    """Engage's audience events as destinations get them, along one of the routes for each person."""

    routes: tuple[AudienceRoute, ...]

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
    """The events of a population in order of arrival, about one a second. `block(n)` has the n-th thousand."""

    population: Population
    source: EventSource
    options: StreamOptions = StreamOptions()

    def block(self, number: int) -> list[Event]:
        """The events from number `number * BLOCK` on."""
        ids = Ids(self.population.seed).apart("events", number)
        draw = ids.stream("story").random  # wording: exempt - the label seeds the draws
        arrivals: list[Arrival] = []
        for person in islice(self.population.people(first=number * BLOCK), BLOCK):
            of_person = self._arrivals(person, number * BLOCK + len(arrivals), draw, ids)
            # The end of a block may cut them off after those of entering.
            arrivals += of_person[: BLOCK - len(arrivals)]
            if len(arrivals) == BLOCK:
                break
        arrivals.sort(key=itemgetter(0))
        return [event for _, event in arrivals]

    def _arrivals(self, person: Person, position: int, draw: Draw, ids: Ids) -> list[Arrival]:
        """A person's events: entering, then leaving, then duplicates."""
        options = self.options
        arrivals: list[Arrival] = []
        entered = position - draw() * LATEST_HOURS * _HOUR if draw() < options.late else position
        for event in self.source.events(person, entered=True, at=_millis_at(entered), ids=ids):
            arrivals.append((self._arrival(position, draw), event))
        if person.vip and draw() < options.churn:
            left = position + draw() ** _SOON * (BLOCK - position % BLOCK)
            for event in self.source.events(person, entered=False, at=_millis_at(left), ids=ids):
                arrivals.append((self._arrival(left, draw), event))
        again = [(arrival + draw() * DISPLACED, event) for arrival, event in arrivals if draw() < options.duplicates]
        return arrivals + again

    def _arrival(self, position: float, draw: Draw) -> float:
        return position + draw() * DISPLACED if draw() < self.options.out_of_order else position


def members(population: Population) -> Population:
    """The same people, all in the default workspace's audience."""
    return replace(population, vips=1.0)


def membership_events(workspace: Workspace) -> MembershipEvents:
    """The audience events of a workspace's connected audiences. Raises InputError when none sends any."""
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


def _millis_at(position: float) -> int:
    """The time of an event at a position, in milliseconds since 1970."""
    return _START + int(position * _SECOND)
