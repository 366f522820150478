"""What a space holds, read from the store for whoever asks: profiles, audiences, members, as dicts of JSON values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection as Transaction
from sqlalchemy import func, select

from emulator.errors import NotFound, nearest
from emulator.segment.conditions import requires
from emulator.segment.profiles import EMAIL, USER_ID, Profile, profile_id, read_profiles
from emulator.segment.tables import IDENTIFIERS, MEMBERSHIPS, PROFILES
from emulator.workspace import Audience, Workspace


def profiles(
    transaction: Transaction, *, identifier: tuple[str, str] | None, limit: int, offset: int
) -> list[dict[str, Any]]:
    """Profiles, oldest first; with an identifier, `("email", "a@b.com")`, the one that has it."""
    found = select(PROFILES.c.id)
    if identifier is not None:
        kind, value = identifier
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


def check_audience(workspace: Workspace, key: str) -> None:
    """Raises NotFound for a key that no audience has, with the nearest one."""
    if workspace.audience(key) is None:
        known = [audience.key for audience in workspace.audiences]
        raise NotFound(
            "there is no such audience.",
            where="audience",
            found=key,
            allowed=", ".join(known),
            hint=nearest(key, known),
        )


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
            "destinations": list(_connected(workspace, audience)),
            "warnings": list(_warnings(workspace, audience)),
        }
        for audience in workspace.audiences
    ]


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


def _connected(workspace: Workspace, audience: Audience) -> Iterator[str]:
    for destination in workspace.destinations:
        if any(connection.audience_key == audience.key for connection in destination.connections):
            yield destination.name


def _warnings(workspace: Workspace, audience: Audience) -> Iterator[str]:
    if not requires(audience.condition, EMAIL):
        yield (
            "No condition requires an e-mail: members without one are sent, and StackAdapt takes no profile without"
            " e-mail. Add {trait: email, operator: exists}."
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
        elif not connection.email and EMAIL not in connection.traits:
            yield f"Destination {name!r} gets no e-mail: switch it on with email: true."
