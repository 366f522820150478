"""Deleting profiles by external id or by email, and suppressing people permanently."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Table, bindparam, delete, insert, select, true, update

from emulator.stackadapt.profile_counts import change_number
from emulator.stackadapt.rules.emails import normalise
from emulator.stackadapt.rules.outcomes import PENDING, PROFILE_DELETED, REJECTED
from emulator.stackadapt.tables import (
    BATCHES,
    DELETIONS,
    EXTERNAL_IDS,
    LIST_MEMBERS,
    MEMBERSHIPS,
    PROFILE_INTEGRATIONS,
    PROFILE_LIST_ITEMS,
    PROFILE_LISTS,
    PROFILES,
    RECORDS,
    RECORDS_OF_BATCHES,
    SHARED_EXTERNAL_IDS,
    SUPPRESSIONS,
)
from emulator.stackadapt.upsert import rows_in, upsert
from emulator.statements import Prepared, keys
from emulator.store import portions
from emulator.stored_values import StoredValues

_SUPPRESSED = Prepared(
    select(SUPPRESSIONS.c.email).where(
        SUPPRESSIONS.c.advertiser_id == bindparam("advertiser_id"), SUPPRESSIONS.c.email.in_(keys())
    )
)


def suppressed_emails(connection: Connection, advertiser_id: str, emails: Iterable[str]) -> set[str]:
    """Which of these normalised emails were deleted permanently."""
    return {row.email for row in _SUPPRESSED.matching(connection, emails, advertiser_id=advertiser_id)}


@dataclass(frozen=True, slots=True)
class DeletionRequest:
    """The request that a deletion comes from, by its trace id, its advertiser, and when it is applied."""

    request_id: str
    advertiser_id: str
    at: int


def delete_external_ids(
    connection: Connection, request: DeletionRequest, *, provider: str, external_ids: Sequence[str]
) -> list[Row[Any]]:
    """Deletes the profiles that have one of the ids; unknown ids are skipped.

    Records that wait for one of them are rejected and returned. Profiles that came with one of the ids but do not have
    it are kept, and noted.
    """
    advertiser_id = request.advertiser_id
    found = [
        *_holders(connection, EXTERNAL_IDS, advertiser_id, provider, external_ids),
        *_holders(connection, SHARED_EXTERNAL_IDS, advertiser_id, provider, external_ids),
    ]
    profiles = {row.id: row.email for row in found if row.has}
    by_external_id: dict[str, list[Row[Any]]] = defaultdict(list)
    for row in found:
        by_external_id[row.external_id].append(row)
    rows = []
    for each in external_ids:
        own = by_external_id[each]
        kept = sorted({row.email for row in own if row.id not in profiles})
        deleted = list(dict.fromkeys(row.email for row in own if row.has))
        rows += [
            {"provider": provider, "external_id": each, "email": email, "deleted": email is not None, "kept": kept}
            for email in deleted or [None]
        ]
    _note(connection, request, rows)
    _remove_from_lists(connection, advertiser_id, list(profiles.values()))
    _delete_profiles(connection, advertiser_id, list(profiles))
    query = (
        select(RECORDS.c.id, RECORDS.c.position, BATCHES.c.request_id, BATCHES.c.advertiser_id)
        .select_from(RECORDS_OF_BATCHES)
        .where(RECORDS.c.outcome == PENDING, BATCHES.c.advertiser_id == advertiser_id, BATCHES.c.provider == provider)
    )
    waiting = sorted(rows_in(connection, query, RECORDS.c.waits_for, external_ids), key=lambda record: record.id)
    for part in portions([record.id for record in waiting]):
        rejected = update(RECORDS).where(RECORDS.c.id.in_(part))
        connection.execute(
            rejected.values(outcome=REJECTED, reason=PROFILE_DELETED, waits_for=None, settled_at=request.at)
        )
    return waiting


def _holders(
    connection: Connection, table: Table, advertiser_id: str, provider: str, external_ids: Sequence[str]
) -> list[Row[Any]]:
    """Profiles with one of the external ids in a table of them: `id`, `email`, `external_id`, `has`."""
    query = select(
        PROFILES.c.id,
        PROFILES.c.email,
        table.c.external_id,
        table.c.has if "has" in table.c else true().label("has"),
    ).where(table.c.profile_id == PROFILES.c.id, table.c.advertiser_id == advertiser_id, table.c.provider == provider)
    return sorted(rows_in(connection, query, table.c.external_id, external_ids), key=lambda row: row.id)


def delete_emails(connection: Connection, request: DeletionRequest, *, emails: Sequence[str], compliance: bool) -> None:
    """Deletes the profiles with these normalised emails; a compliance request also suppresses them permanently."""
    advertiser_id = request.advertiser_id
    query = select(PROFILES.c.id, PROFILES.c.email).where(PROFILES.c.advertiser_id == advertiser_id)
    profiles = {row.email: row.id for row in rows_in(connection, query, PROFILES.c.email, emails)}
    rows = [{"email": email, "deleted": email in profiles, "suppressed": compliance} for email in emails]
    _note(connection, request, rows)
    _delete_profiles(connection, advertiser_id, list(profiles.values()))
    _remove_from_lists(connection, advertiser_id, emails)
    if compliance:
        rows = [{"advertiser_id": advertiser_id, "email": email, "since": request.at} for email in emails]
        upsert(connection, SUPPRESSIONS, rows)


def deletions(
    connection: Connection,
    *,
    advertiser_id: str | None,
    email: str | None,
    external_id: str | None,
    limit: int,
    offset: int,
) -> list[dict[str, Any]]:
    """What each id or email of the deletions applied so far led to, oldest first: `requestId`, `advertiserId`,
    `provider` and `externalId` for a deletion by external id, `email` of the profile, `deleted`, `kept` (emails of
    profiles that came with the external id and do not have it), `suppressed`, `at`.
    """
    given = (
        (DELETIONS.c.advertiser_id, advertiser_id),
        (DELETIONS.c.email, email and normalise(email)),
        (DELETIONS.c.external_id, external_id),
    )
    query = select(DELETIONS).where(*(column == value for column, value in given if value is not None))
    rows = connection.execute(query.order_by(DELETIONS.c.id).limit(limit).offset(offset))
    return [_shown(row) for row in rows]


def _shown(row: Row[Any]) -> dict[str, Any]:
    stored = StoredValues()
    item = {
        "requestId": row.request_id,
        "advertiserId": row.advertiser_id,
        "provider": row.provider,
        "externalId": row.external_id,
        "email": row.email,
        "deleted": row.deleted,
        "kept": stored.read("kept", lambda: [str(email) for email in row.kept], []),
        "suppressed": row.suppressed,
        "at": stored.time("at", row.at),
    }
    return stored.shown(item)


def _note(connection: Connection, request: DeletionRequest, rows: Sequence[dict[str, Any]]) -> None:
    common: dict[str, Any] = {
        "request_id": request.request_id,
        "advertiser_id": request.advertiser_id,
        "provider": None,
        "external_id": None,
        "kept": [],
        "suppressed": False,
        "at": request.at,
    }
    if rows:
        connection.execute(insert(DELETIONS), [{**common, **row} for row in rows])


def _delete_profiles(connection: Connection, advertiser_id: str, profile_ids: Sequence[int]) -> None:
    change_number(connection, advertiser_id, -len(profile_ids))
    for ids in portions(profile_ids):
        for table in (PROFILE_LIST_ITEMS, EXTERNAL_IDS, SHARED_EXTERNAL_IDS, PROFILE_INTEGRATIONS, MEMBERSHIPS):
            connection.execute(delete(table).where(table.c.profile_id.in_(ids)))
        connection.execute(delete(PROFILES).where(PROFILES.c.id.in_(ids)))


def _remove_from_lists(connection: Connection, advertiser_id: str, emails: Sequence[str]) -> None:
    lists = select(PROFILE_LISTS.c.id).where(PROFILE_LISTS.c.advertiser_id == advertiser_id)
    for part in portions(emails):
        connection.execute(
            delete(LIST_MEMBERS).where(LIST_MEMBERS.c.list_id.in_(lists), LIST_MEMBERS.c.email.in_(part))
        )
