"""Deleting profiles by external id or by email, and suppressing people permanently."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Row, delete, select, update

from emulator.stackadapt.rules.outcomes import PENDING, PROFILE_DELETED, REJECTED
from emulator.stackadapt.tables import (
    BATCHES,
    EXTERNAL_IDS,
    LIST_MEMBERS,
    MEMBERSHIPS,
    PROFILE_INTEGRATIONS,
    PROFILE_LIST_ITEMS,
    PROFILE_LISTS,
    PROFILES,
    RECORDS,
    RECORDS_OF_BATCHES,
    SUPPRESSIONS,
)
from emulator.stackadapt.upsert import rows_in, upsert
from emulator.store import portions


def suppressed_emails(connection: Connection, advertiser_id: str, emails: Iterable[str]) -> set[str]:
    """Which of these normalised emails were deleted permanently."""
    query = select(SUPPRESSIONS.c.email).where(SUPPRESSIONS.c.advertiser_id == advertiser_id)
    return {row.email for row in rows_in(connection, query, SUPPRESSIONS.c.email, emails)}


def delete_external_ids(
    connection: Connection, advertiser_id: str, *, provider: str, external_ids: Sequence[str], now: int
) -> list[Row[Any]]:
    """Deletes the profiles that have one of the ids; unknown ids are skipped.

    Records that wait for one of them are rejected and returned.
    """
    owners = select(PROFILES.c.id, PROFILES.c.email).where(
        EXTERNAL_IDS.c.profile_id == PROFILES.c.id,
        EXTERNAL_IDS.c.advertiser_id == advertiser_id,
        EXTERNAL_IDS.c.provider == provider,
    )
    profiles = {row.id: row.email for row in rows_in(connection, owners, EXTERNAL_IDS.c.external_id, external_ids)}
    _remove_from_lists(connection, advertiser_id, list(profiles.values()))
    _delete_profiles(connection, list(profiles))
    query = (
        select(RECORDS.c.id, BATCHES.c.request_id, BATCHES.c.advertiser_id)
        .select_from(RECORDS_OF_BATCHES)
        .where(RECORDS.c.outcome == PENDING, BATCHES.c.advertiser_id == advertiser_id, BATCHES.c.provider == provider)
    )
    waiting = sorted(rows_in(connection, query, RECORDS.c.waits_for, external_ids), key=lambda record: record.id)
    for part in portions([record.id for record in waiting]):
        rejected = update(RECORDS).where(RECORDS.c.id.in_(part))
        connection.execute(rejected.values(outcome=REJECTED, reason=PROFILE_DELETED, waits_for=None, settled_at=now))
    return waiting


def delete_emails(
    connection: Connection, advertiser_id: str, *, emails: Sequence[str], compliance: bool, now: int
) -> None:
    """Deletes the profiles with these normalised emails; a compliance request also suppresses them permanently."""
    query = select(PROFILES.c.id).where(PROFILES.c.advertiser_id == advertiser_id)
    _delete_profiles(connection, [row.id for row in rows_in(connection, query, PROFILES.c.email, emails)])
    _remove_from_lists(connection, advertiser_id, emails)
    if compliance:
        rows = [{"advertiser_id": advertiser_id, "email": email, "since": now} for email in emails]
        upsert(connection, SUPPRESSIONS, rows)


def _delete_profiles(connection: Connection, profile_ids: Sequence[int]) -> None:
    for ids in portions(profile_ids):
        for table in (PROFILE_LIST_ITEMS, EXTERNAL_IDS, PROFILE_INTEGRATIONS, MEMBERSHIPS):
            connection.execute(delete(table).where(table.c.profile_id.in_(ids)))
        connection.execute(delete(PROFILES).where(PROFILES.c.id.in_(ids)))


def _remove_from_lists(connection: Connection, advertiser_id: str, emails: Sequence[str]) -> None:
    lists = select(PROFILE_LISTS.c.id).where(PROFILE_LISTS.c.advertiser_id == advertiser_id)
    for part in portions(emails):
        connection.execute(
            delete(LIST_MEMBERS).where(LIST_MEMBERS.c.list_id.in_(lists), LIST_MEMBERS.c.email.in_(part))
        )
