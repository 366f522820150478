"""What a space holds, read from the store for whoever asks: profiles, audiences, journeys, as dicts of JSON values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection as Transaction
from sqlalchemy import func, select

from emulator.segment.conditions.compile import requires
from emulator.segment.lookups import check_audience, connected_destinations
from emulator.segment.profiles.profile import EMAIL, USER_ID, Identifier, Profile, profile_id
from emulator.segment.profiles.store import read_profiles
from emulator.segment.tables import IDENTIFIERS, JOURNEYS, MEMBERSHIPS, PROFILES
from emulator.workspace import ALL, Audience, Destination, Journey, Step, StepConnection, Workspace

_PEOPLE_AT_ONCE = 1_000


def profiles(
    transaction: Transaction, *, identifiers: Sequence[Identifier], limit: int, offset: int
) -> list[dict[str, Any]]:
    """Profiles, oldest first; with identifiers, such as `("email", "a@b.com")`, the one that has them all."""
    found = select(PROFILES.c.id)
    for kind, value in identifiers:
        owner = select(IDENTIFIERS.c.profile_id).where(IDENTIFIERS.c.type == kind, IDENTIFIERS.c.value == value)
        found = found.where(PROFILES.c.id.in_(owner))
    return _read(
        transaction, transaction.execute(found.order_by(PROFILES.c.id).limit(limit).offset(offset)).scalars().all()
    )


def members(
    transaction: Transaction, workspace: Workspace, key: str, *, limit: int, offset: int
) -> list[dict[str, Any]]:
    """The members of an audience, oldest profile first. Raises NotFound for an unknown key."""
    check_audience(workspace, key)
    found = select(MEMBERSHIPS.c.profile_id).where(MEMBERSHIPS.c.audience_key == key)
    page = found.order_by(MEMBERSHIPS.c.profile_id).limit(limit).offset(offset)
    return _read(transaction, transaction.execute(page).scalars().all())


def audiences(transaction: Transaction, workspace: Workspace) -> list[dict[str, Any]]:
    """The audiences of the workspace with their sizes, and what should make their owner think."""
    grouped = select(MEMBERSHIPS.c.audience_key, func.count().label("size")).group_by(MEMBERSHIPS.c.audience_key)
    sizes = {row.audience_key: row.size for row in transaction.execute(grouped)}
    return [
        {
            "key": audience.key,
            "id": audience.id,
            "name": audience.name,
            "size": sizes.get(audience.key, 0),
            "condition": dict(audience.condition),
            "destinations": list(connected_destinations(workspace, audience.key)),
            "warnings": list(_warnings(workspace, audience)),
        }
        for audience in workspace.audiences
    ]


def journeys(transaction: Transaction, workspace: Workspace) -> list[dict[str, Any]]:
    """The journeys of the workspace; each step with how many have joined it and not left the journey."""
    grouped = select(JOURNEYS.c.journey_id, JOURNEYS.c.step, func.count().label("size")).where(
        JOURNEYS.c.exited.is_(False)
    )
    reached: dict[tuple[str, int], int] = {
        (row.journey_id, row.step): row.size
        for row in transaction.execute(grouped.group_by(JOURNEYS.c.journey_id, JOURNEYS.c.step))
    }
    return [
        {
            "id": journey.id,
            "name": journey.name,
            "size": sum(size for (of_journey, _), size in reached.items() if of_journey == journey.id),
            "steps": [
                {
                    "key": step.key,
                    "name": step.name,
                    "size": sum(reached.get((journey.id, later), 0) for later in range(position, len(journey.steps))),
                    "destinations": [destination.name for destination, _ in _step_connections(workspace, step)],
                    "warnings": list(_step_warnings(workspace, journey, position)),
                }
                for position, step in enumerate(journey.steps)
            ],
        }
        for journey in workspace.journeys
    ]


def keys_after(transaction: Transaction, last: int) -> list[int]:
    """The keys of the next stored profiles, as many as are worked on at once."""
    found = select(PROFILES.c.id).where(PROFILES.c.id > last).order_by(PROFILES.c.id).limit(_PEOPLE_AT_ONCE)
    return list(transaction.execute(found).scalars())


def _read(transaction: Transaction, keys: Sequence[int]) -> list[dict[str, Any]]:
    return [_shown(profile) for profile in read_profiles(transaction, keys)]


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


def _warnings(workspace: Workspace, audience: Audience) -> Iterator[str]:
    if not requires(audience.condition, EMAIL, _conditions(workspace)):
        yield (
            "No condition requires an email: members without one are sent, and StackAdapt takes no profile without"
            " email. Add {trait: email, operator: exists}."
        )
    connections = [
        (destination.name, connection)
        for destination in workspace.destinations
        for connection in destination.connections
        if connection.audience_key == audience.key
    ]
    if not connections:
        yield "No destination is connected to this audience: nothing is sent."
    for name, connection in connections:
        if not (connection.send_identify or connection.send_track):
            yield f"Destination {name!r} is connected with Send Identify and Send Track both off: nothing is sent."
        elif not connection.email and EMAIL not in connection.traits.values():
            yield _no_email(name)


def _step_warnings(workspace: Workspace, journey: Journey, position: int) -> Iterator[str]:
    passed = [journey.entry, *(step.condition for step in journey.steps[: position + 1] if step.condition)]
    if not any(requires(condition, EMAIL, _conditions(workspace)) for condition in passed):
        yield (
            "No condition up to this step requires an email: people without one are sent, and StackAdapt takes no"
            " profile without email. Add {trait: email, operator: exists}."
        )
    for destination, connection in _step_connections(workspace, journey.steps[position]):
        if not connection.email and EMAIL not in connection.traits.values():
            yield _no_email(destination.name)
        if connection.events != ALL:
            yield (
                f"Destination {destination.name!r} gets events without the step's boolean, which StackAdapt Audiences"
                " takes for leaving: choose events: all."
            )


def _step_connections(workspace: Workspace, step: Step) -> Iterator[tuple[Destination, StepConnection]]:
    for destination in workspace.destinations:
        for connection in destination.step_connections:
            if connection.step_key == step.key:
                yield destination, connection


def _conditions(workspace: Workspace) -> dict[str, Mapping[str, Any]]:
    return {audience.key: audience.condition for audience in workspace.audiences}


def _no_email(destination: str) -> str:
    return f"Destination {destination!r} gets no email: switch it on with email: true."
