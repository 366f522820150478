"""Profile lists as the control API shows them: with their sizes, and one with a page of its members."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from sqlalchemy import Connection, Row, and_, func, select

from emulator.errors import NotFound, unknown
from emulator.stackadapt.ingestion.profile_lists import integrations_of_list, list_by_id, size_of
from emulator.stackadapt.tables import LIST_MEMBERS, PROFILE_LISTS, PROFILES
from emulator.stored_values import StoredValues

JsonObject = dict[str, Any]
Transaction = Callable[[], AbstractContextManager[Connection]]


class ListQueries:
    """Reads the lists of a sandbox. `transaction` opens a transaction in which every due job has been applied."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def lists(self, *, advertiser_id: str | None = None, limit: int, offset: int) -> list[JsonObject]:
        """Lists, oldest first: `id`, `advertiserId`, `name`, `size` (profiles), `emails` (with those that have no
        profile yet), `integrations`, `createdAt`, `updatedAt`.
        """
        query = select(PROFILE_LISTS).order_by(PROFILE_LISTS.c.id).limit(limit).offset(offset)
        if advertiser_id is not None:
            query = query.where(PROFILE_LISTS.c.advertiser_id == advertiser_id)
        with self._transaction() as connection:
            return [_shown(connection, row) for row in connection.execute(query).all()]

    def profile_list(self, list_id: str, *, limit: int, offset: int) -> JsonObject:
        """A list with a page of its sorted `members`: `email`, and if it is `visible`. Raises NotFound."""
        with self._transaction() as connection:
            row = list_by_id(connection, list_id)
            if row is None:
                known = map(str, connection.scalars(select(PROFILE_LISTS.c.id).order_by(PROFILE_LISTS.c.id)))
                raise unknown("list", list_id, list(known), where="listId", error=NotFound)
            profile = and_(PROFILES.c.advertiser_id == row.advertiser_id, PROFILES.c.email == LIST_MEMBERS.c.email)
            query = select(LIST_MEMBERS.c.email, PROFILES.c.id.is_not(None).label("visible"))
            query = query.outerjoin(PROFILES, profile).where(LIST_MEMBERS.c.list_id == row.id)
            found = connection.execute(query.order_by(LIST_MEMBERS.c.email).limit(limit).offset(offset)).all()
            members = [{"email": each.email, "visible": bool(each.visible)} for each in found]
            return {**_shown(connection, row), "members": members}


def _shown(connection: Connection, row: Row[Any]) -> JsonObject:
    stored = StoredValues()
    emails = select(func.count()).where(LIST_MEMBERS.c.list_id == row.id)
    return stored.shown(
        {
            "id": str(row.id),
            "advertiserId": row.advertiser_id,
            "name": row.name,
            "size": size_of(connection, row),
            "emails": connection.scalar(emails) or 0,
            "integrations": integrations_of_list(connection, row.id),
            "createdAt": stored.time("createdAt", row.created_at),
            "updatedAt": stored.time("updatedAt", row.updated_at),
        }
    )
