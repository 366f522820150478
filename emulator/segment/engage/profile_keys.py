"""Which profiles of a space a list is about, as queries of their keys; and lists in pages by position."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection as Transaction
from sqlalchemy import Select, select

from emulator.segment.profiles.profile import EMAIL, USER_ID, key_of_id
from emulator.segment.tables import IDENTIFIERS, JOURNEYS, MEMBERSHIPS, PROFILES

Keys = Select[Any]


def keys_with(
    user_id: str | None = None, email: str | None = None, external_id: str | None = None, profile_id: str | None = None
) -> Keys:
    """The profiles with all of these identifiers; `external_id` is one of any type, `profile_id` the public one."""
    found = select(PROFILES.c.id)
    for kind, value in ((USER_ID, user_id), (EMAIL, email), (None, external_id)):
        if value is not None:
            owner = select(IDENTIFIERS.c.profile_id).where(IDENTIFIERS.c.value == value)
            found = found.where(PROFILES.c.id.in_(owner if kind is None else owner.where(IDENTIFIERS.c.type == kind)))
    return found if profile_id is None else found.where(PROFILES.c.id == key_of_id(profile_id))


def members_of(audience_key: str) -> Keys:
    """The profiles in an audience."""
    return select(MEMBERSHIPS.c.profile_id).where(MEMBERSHIPS.c.audience_key == audience_key)


def joined_step(journey_id: str, position: int) -> Keys:
    """The profiles that have joined a step and not left the journey; some may have gone on to later steps."""
    of_journey = select(JOURNEYS.c.profile_id).where(JOURNEYS.c.journey_id == journey_id)
    return of_journey.where(JOURNEYS.c.step >= position, JOURNEYS.c.exited.is_(False))


def listed(transaction: Transaction, keys: Keys, *, limit: int, offset: int = 0) -> Sequence[int]:
    """The first of the keys after `offset` others, oldest first."""
    (column,) = keys.selected_columns
    return transaction.scalars(keys.order_by(column).limit(limit).offset(offset)).all()


def page_after(
    transaction: Transaction, keys: Keys, after: int, *, limit: int, offset: int = 0
) -> tuple[Sequence[int], int | None]:
    """The first of the keys after a position, and the position to go on from; None on the last page."""
    (column,) = keys.selected_columns
    found = listed(transaction, keys.where(column > after), limit=limit + 1, offset=offset)
    if len(found) <= limit:
        return found, None
    return found[:limit], found[limit - 1] if limit else after
