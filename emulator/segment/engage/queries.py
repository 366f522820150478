"""The profiles, audiences and journeys of a space, read from the store as dicts of JSON values."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, TypeAlias

from sqlalchemy import Connection as Transaction
from sqlalchemy import func, select

from emulator.durations import in_words
from emulator.segment.conditions.compile import requires
from emulator.segment.conditions.condition_text import condition_text
from emulator.segment.engage.computations import computation_of
from emulator.segment.engage.profile_keys import Keys, joined_step, keys_with, listed, members_of, page_after
from emulator.segment.lookups import check_audience, connected_destinations, step_position
from emulator.segment.profiles.profile import EMAIL, USER_ID, Profile, profile_id
from emulator.segment.profiles.store import read_profiles
from emulator.segment.tables import IDENTIFIERS, JOURNEYS, MEMBERSHIPS, PERFORMED, PROFILES
from emulator.stored_values import StoredValues
from emulator.workspace import ALL, Audience, Destination, Journey, Step, StepConnection, Workspace

_PROFILES_AT_ONCE = 1_000

# Profiles, and the position to go on from; None on the last page.
ProfilePage: TypeAlias = tuple[list[dict[str, Any]], int | None]


class SpaceQueries:
    """Reads one space. `begin` starts a transaction on a store in which everything due has been done."""

    def __init__(self, workspace: Workspace, begin: Callable[[], AbstractContextManager[Transaction]]) -> None:
        self._workspace = workspace
        self._begin = begin

    def profiles(
        self,
        user_id: str | None = None,
        email: str | None = None,
        external_id: str | None = None,
        profile_id: str | None = None,
        limit: int = 100,
        offset: int = 0,
    ) -> list[dict[str, Any]]:
        """The profiles with identifiers, traits and audiences, oldest first; or the one with these identifiers.

        Identifiers are compared as Engage compares them, with regard to case. `external_id` is one of any type,
        `profile_id` the public one.
        """
        return self._read(keys_with(user_id, email, external_id, profile_id), limit=limit, offset=offset)

    def profile_page(self, *, after: int, limit: int = 100, offset: int = 0, **identifiers: str | None) -> ProfilePage:
        """The first profiles after a position, and the position to go on from; None on the last page."""
        return self._page(keys_with(**identifiers), after=after, offset=offset, limit=limit)

    def performed(self, user_id: str) -> list[dict[str, Any]]:
        """The stored events of a user that a condition may count, oldest first: `userId`, `event`, `at`, `properties`.

        Properties are those that conditions refer to, by path.
        """
        owner = select(IDENTIFIERS.c.profile_id).where(IDENTIFIERS.c.type == USER_ID, IDENTIFIERS.c.value == user_id)
        found = select(PERFORMED).where(PERFORMED.c.profile_id.in_(owner)).order_by(PERFORMED.c.at, PERFORMED.c.id)
        with self._begin() as transaction:
            return [_performed(user_id, row) for row in transaction.execute(found)]

    def members(self, key: str, limit: int = 100, offset: int = 0) -> list[dict[str, Any]]:
        """The profiles in an audience, oldest first. Raises NotFound for an unknown key."""
        check_audience(self._workspace, key)
        return self._read(members_of(key), limit=limit, offset=offset)

    def member_page(self, key: str, *, after: int = 0, limit: int = 100) -> ProfilePage:
        """The first members after a position, and the position to go on from. Raises NotFound for an unknown key."""
        check_audience(self._workspace, key)
        return self._page(members_of(key), after=after, limit=limit)

    def step_page(self, journey_id: str, step_key: str, *, after: int = 0, limit: int = 100) -> ProfilePage:
        """The same for those who have joined a step of a journey. Raises NotFound for an unknown journey or step."""
        position = step_position(self._workspace, journey_id, step_key)
        return self._page(joined_step(journey_id, position), after=after, limit=limit)

    def audiences(self) -> list[dict[str, Any]]:
        """The audiences with sizes, destinations, and warnings about their set-up."""
        grouped = select(MEMBERSHIPS.c.audience_key, func.count().label("size")).group_by(MEMBERSHIPS.c.audience_key)
        with self._begin() as transaction:
            sizes = {row.audience_key: row.size for row in transaction.execute(grouped)}
        return [
            {
                "key": audience.key,
                "id": audience.id,
                "name": audience.name,
                "size": sizes.get(audience.key, 0),
                "computation": computation_of(self._workspace, audience),
                "condition": dict(audience.condition),
                "conditionText": condition_text(audience.condition),
                "requiresEmail": requires(audience.condition, EMAIL, _conditions(self._workspace)),
                "destinations": list(connected_destinations(self._workspace, audience.key)),
                "warnings": list(warnings_of(self._workspace, audience)),
            }
            for audience in self._workspace.audiences
        ]

    def journeys(self) -> list[dict[str, Any]]:
        """The journeys; the size of a step is how many profiles have joined it and not left the journey."""
        grouped = select(JOURNEYS.c.journey_id, JOURNEYS.c.step, func.count().label("size"))
        present = grouped.where(JOURNEYS.c.exited.is_(False)).group_by(JOURNEYS.c.journey_id, JOURNEYS.c.step)
        with self._begin() as transaction:
            reached = {(row.journey_id, row.step): int(row.size) for row in transaction.execute(present)}
        return [
            {
                "id": journey.id,
                "name": journey.name,
                "entryText": condition_text(journey.entry),
                "exitText": None if journey.exit is None else condition_text(journey.exit),
                "size": sum(size for (of_journey, _), size in reached.items() if of_journey == journey.id),
                "steps": [
                    {
                        "key": step.key,
                        "name": step.name,
                        "wait": in_words(step.wait) if step.wait else None,
                        "conditionText": None if step.condition is None else condition_text(step.condition),
                        "size": sum(reached.get((journey.id, at), 0) for at in range(position, len(journey.steps))),
                        "destinations": [name.name for name, _ in _step_connections(self._workspace, step)],
                        "warnings": list(_step_warnings(self._workspace, journey, position)),
                    }
                    for position, step in enumerate(journey.steps)
                ],
            }
            for journey in self._workspace.journeys
        ]

    def _read(self, keys: Keys, *, limit: int, offset: int) -> list[dict[str, Any]]:
        with self._begin() as transaction:
            return _all_shown(transaction, listed(transaction, keys, limit=limit, offset=offset))

    def _page(self, keys: Keys, *, after: int, limit: int, offset: int = 0) -> ProfilePage:
        with self._begin() as transaction:
            found, following = page_after(transaction, keys, after, limit=limit, offset=offset)
            return _all_shown(transaction, found), following


def _performed(user_id: str, row: Any) -> dict[str, Any]:
    stored = StoredValues()
    item = {
        "userId": user_id,
        "event": row.event,
        "at": stored.time("at", row.at),
        "properties": stored.object("properties", row.properties),
    }
    return stored.shown(item)


def keys_after(transaction: Transaction, last: int) -> Sequence[int]:
    """The keys of the stored profiles after the last one, as many as are worked on at once."""
    found = select(PROFILES.c.id).where(PROFILES.c.id > last).order_by(PROFILES.c.id)
    return transaction.scalars(found.limit(_PROFILES_AT_ONCE)).all()


def _all_shown(transaction: Transaction, keys: Sequence[int]) -> list[dict[str, Any]]:
    try:
        return [_shown(profile) for profile in read_profiles(transaction, keys)]
    except (ValueError, TypeError, AttributeError, RecursionError):
        # One of them is damaged.
        return [_one_shown(transaction, key) for key in keys]


def _one_shown(transaction: Transaction, key: int) -> dict[str, Any]:
    stored, empty = StoredValues(), _shown(Profile(key=key, created_at=0))
    return stored.shown(
        stored.read("profile", lambda: _shown(*read_profiles(transaction, [key])), empty),
    )


def _shown(profile: Profile) -> dict[str, Any]:
    emails, users = profile.values(EMAIL), profile.values(USER_ID)
    return {
        "id": profile_id(profile.key or 0),
        "userId": users[-1] if users else None,
        "email": emails[-1] if emails else None,
        "externalIds": [{"type": kind, "id": value} for kind, value in profile.identifiers],
        "traits": profile.traits,
        "audiences": sorted(profile.audiences),
    }


def warnings_of(workspace: Workspace, audience: Audience) -> Iterator[str]:
    """What about the set-up of an audience keeps its members from arriving."""
    if not requires(audience.condition, EMAIL, _conditions(workspace)):
        yield _no_condition("No condition")
    connections = [
        (destination.name, connection)
        for destination in workspace.destinations
        for connection in destination.connections
        if connection.audience_key == audience.key
    ]
    if not connections:
        yield "The audience is not connected to a destination: nothing is sent."
    for name, connection in connections:
        if not (connection.send_identify or connection.send_track):
            yield f"Destination {name!r} is connected with Send Identify and Send Track both off: nothing is sent."
        elif not connection.email and EMAIL not in connection.traits.values():
            yield _no_email(name)


def _step_warnings(workspace: Workspace, journey: Journey, position: int) -> Iterator[str]:
    passed = [journey.entry, *(step.condition for step in journey.steps[: position + 1] if step.condition)]
    if not any(requires(condition, EMAIL, _conditions(workspace)) for condition in passed):
        yield _no_condition("No condition up to this step")
    for destination, connection in _step_connections(workspace, journey.steps[position]):
        if not connection.email and EMAIL not in connection.traits.values():
            yield _no_email(destination.name)
        if connection.events != ALL:
            yield (
                f"Destination {destination.name!r} gets events without the step's boolean: StackAdapt Audiences reads"
                " them as leaving. Set events: all."
            )


def _step_connections(workspace: Workspace, step: Step) -> Iterator[tuple[Destination, StepConnection]]:
    for destination in workspace.destinations:
        for connection in destination.step_connections:
            if connection.step_key == step.key:
                yield destination, connection


def _conditions(workspace: Workspace) -> dict[str, Mapping[str, Any]]:
    return {audience.key: audience.condition for audience in workspace.audiences}


def _no_condition(which: str) -> str:
    return (
        f"{which} requires an email: members without one are sent and StackAdapt rejects them."
        " Add {trait: email, operator: exists}."
    )


def _no_email(destination: str) -> str:
    return f"Destination {destination!r} gets no email. Set email: true on the connection."
