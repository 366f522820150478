"""Profile lists: named sets of profiles of one advertiser, edited manually or filled by a mapping or an upload.

Members are kept by email, so an address that is on a list before its profile arrives becomes a member with it (assumed;
whether the service ignores or queues such an address is not public).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, delete, func, select, update

from emulator.stackadapt.ingestion.deletions import suppressed_emails
from emulator.stackadapt.relay import CursorOrder
from emulator.stackadapt.tables import LIST_INTEGRATIONS, LIST_MEMBERS, PROFILE_LISTS, PROFILES, row_id
from emulator.stackadapt.upsert import upsert
from emulator.statements import insert_row
from emulator.store import portions

PROFILE_LIST_LISTING: CursorOrder[Row[Any]] = CursorOrder(name="profileLists", position=lambda row: (row.id,))


def list_by_id(connection: Connection, list_id: str | int) -> Row[Any] | None:
    """The list with this id: `id`, `advertiser_id`, `name`, `created_at`, `updated_at`."""
    number = list_id if isinstance(list_id, int) else row_id(list_id)
    return connection.execute(select(PROFILE_LISTS).where(PROFILE_LISTS.c.id == number)).one_or_none()


def lists_of(connection: Connection, advertiser_id: str) -> Sequence[Row[Any]]:
    """Every list of an advertiser, oldest first."""
    query = select(PROFILE_LISTS).where(PROFILE_LISTS.c.advertiser_id == advertiser_id)
    return connection.execute(query.order_by(PROFILE_LISTS.c.id)).all()


def create_list(connection: Connection, advertiser_id: str, name: str, *, now: int) -> int:
    """Creates a list and returns its id. Names need not be unique (assumed)."""
    return insert_row(connection, PROFILE_LISTS, advertiser_id=advertiser_id, name=name, created_at=now, updated_at=now)


def list_named(connection: Connection, advertiser_id: str, name: str, *, now: int) -> int:
    """The oldest list with this name, created if there is none (assumed)."""
    named = (PROFILE_LISTS.c.advertiser_id == advertiser_id, PROFILE_LISTS.c.name == name)
    found = connection.scalar(select(func.min(PROFILE_LISTS.c.id)).where(*named))
    return found or create_list(connection, advertiser_id, name, now=now)


def rename_list(connection: Connection, list_id: int, name: str, *, now: int) -> None:
    """Renames a list."""
    connection.execute(update(PROFILE_LISTS).where(PROFILE_LISTS.c.id == list_id).values(name=name, updated_at=now))


def delete_list(connection: Connection, list_id: int) -> None:
    """Deletes a list; its profiles stay."""
    for table in (LIST_MEMBERS, LIST_INTEGRATIONS):
        connection.execute(delete(table).where(table.c.list_id == list_id))
    connection.execute(delete(PROFILE_LISTS).where(PROFILE_LISTS.c.id == list_id))


def size_of(connection: Connection, row: Row[Any]) -> int:
    """How many profiles are on a list."""
    query = select(func.count()).where(
        LIST_MEMBERS.c.list_id == row.id,
        PROFILES.c.advertiser_id == row.advertiser_id,
        PROFILES.c.email == LIST_MEMBERS.c.email,
    )
    return connection.scalar(query) or 0


def is_on_list(advertiser_id: str, list_id: str) -> ColumnElement[bool]:
    """The condition that a row of `PROFILES` is on a list of its advertiser."""
    members = (
        select(LIST_MEMBERS.c.email)
        .join(PROFILE_LISTS, PROFILE_LISTS.c.id == LIST_MEMBERS.c.list_id)
        .where(PROFILE_LISTS.c.id == row_id(list_id), PROFILE_LISTS.c.advertiser_id == advertiser_id)
    )
    return PROFILES.c.email.in_(members)


def integrations_of_list(connection: Connection, list_id: int) -> list[dict[str, Any]]:
    """The connections that put profiles on a list: `integrationId` and `source`."""
    query = select(LIST_INTEGRATIONS).where(LIST_INTEGRATIONS.c.list_id == list_id)
    ordered = query.order_by(LIST_INTEGRATIONS.c.mapping_id, LIST_INTEGRATIONS.c.source)
    return [integration_of(row) for row in connection.execute(ordered)]


def integration_of(row: Any) -> dict[str, Any]:
    """A connection as the schema's `CdpIntegration`: `integrationId`, the id of its mapping or None, and `source`."""
    return {"integrationId": str(row.mapping_id) if row.mapping_id else None, "source": row.source}


def fill_list(
    connection: Connection, list_id: int, emails: Sequence[str], *, source: str, mapping_id: int, now: int
) -> None:
    """Puts the profiles that a connection sent on a list, unless the list was deleted in the meantime."""
    if not emails or list_by_id(connection, list_id) is None:
        return
    _add(connection, list_id, emails)
    upsert(connection, LIST_INTEGRATIONS, [{"list_id": list_id, "source": source, "mapping_id": mapping_id}])
    _touch(connection, [list_id], now)


def change_members(
    connection: Connection,
    advertiser_id: str,
    *,
    list_ids: Sequence[int],
    add: Sequence[str],
    remove: Sequence[str],
    now: int,
) -> None:
    """Adds normalised addresses to lists and removes others. Suppressed people and deleted lists are skipped."""
    suppressed = suppressed_emails(connection, advertiser_id, add)
    present = [list_id for list_id in list_ids if list_by_id(connection, list_id) is not None]
    for list_id in present:
        _add(connection, list_id, [email for email in add if email not in suppressed])
        for part in portions(remove):
            connection.execute(
                delete(LIST_MEMBERS).where(LIST_MEMBERS.c.list_id == list_id, LIST_MEMBERS.c.email.in_(part))
            )
    _touch(connection, present, now)


def _add(connection: Connection, list_id: int, emails: Sequence[str]) -> None:
    upsert(connection, LIST_MEMBERS, [{"list_id": list_id, "email": email} for email in dict.fromkeys(emails)])


def _touch(connection: Connection, list_ids: Sequence[int], now: int) -> None:
    connection.execute(update(PROFILE_LISTS).where(PROFILE_LISTS.c.id.in_(list_ids)).values(updated_at=now))
