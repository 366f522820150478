"""Deleting profiles, by the caller's own ids or by email, and keeping deleted people out for good."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, delete, select, update

from emulator.stackadapt.ingestion.profile_lists import forget_members
from emulator.stackadapt.rules.reasons import PROFILE_DELETED
from emulator.stackadapt.rules.records import PENDING, REJECTED
from emulator.stackadapt.tables import (
    BATCHES,
    EXTERNAL_IDS,
    MEMBERSHIPS,
    PROFILE_INTEGRATIONS,
    PROFILE_LIST_ITEMS,
    PROFILES,
    RECORDS,
    RECORDS_OF_BATCHES,
    SUPPRESSIONS,
)
from emulator.stackadapt.upsert import upsert
from emulator.store import portions


def delete_external_ids(
    connection: Connection, advertiser_id: str, *, provider: str, external_ids: Sequence[str], now: int
) -> list[Row[Any]]:
    """Deletes the profiles that have one of the ids; ids that nothing has are skipped.

    Records that wait for one of them are rejected and returned.
    """
    rejected: list[Row[Any]] = []
    for part in portions(external_ids):
        owners = connection.scalars(
            select(EXTERNAL_IDS.c.profile_id).where(
                EXTERNAL_IDS.c.advertiser_id == advertiser_id,
                EXTERNAL_IDS.c.provider == provider,
                EXTERNAL_IDS.c.external_id.in_(part),
            )
        )
        ids = sorted(set(owners))
        emails = connection.scalars(select(PROFILES.c.email).where(PROFILES.c.id.in_(ids))).all()
        forget_members(connection, advertiser_id, emails)
        _delete_profiles(connection, ids)
        rejected += _reject_waiting(connection, advertiser_id, provider, part, now)
    return rejected


def delete_emails(
    connection: Connection, advertiser_id: str, *, emails: Sequence[str], compliance: bool, now: int
) -> None:
    """Deletes the profiles with these normalised emails; on a compliance request nobody of them comes back."""
    for part in portions(emails):
        query = select(PROFILES.c.id).where(PROFILES.c.advertiser_id == advertiser_id, PROFILES.c.email.in_(part))
        _delete_profiles(connection, list(connection.scalars(query)))
    forget_members(connection, advertiser_id, emails)
    if compliance:
        rows = [{"advertiser_id": advertiser_id, "email": email, "since": now} for email in emails]
        upsert(connection, SUPPRESSIONS, rows, update=())


def _delete_profiles(connection: Connection, profile_ids: Sequence[int]) -> None:
    for table in (PROFILE_LIST_ITEMS, EXTERNAL_IDS, PROFILE_INTEGRATIONS, MEMBERSHIPS):
        connection.execute(delete(table).where(table.c.profile_id.in_(profile_ids)))
    connection.execute(delete(PROFILES).where(PROFILES.c.id.in_(profile_ids)))


def _reject_waiting(
    connection: Connection, advertiser_id: str, provider: str, external_ids: Sequence[str], now: int
) -> Sequence[Row[Any]]:
    query = (
        select(RECORDS.c.id, BATCHES.c.request_id, BATCHES.c.advertiser_id)
        .select_from(RECORDS_OF_BATCHES)
        .where(
            RECORDS.c.outcome == PENDING,
            BATCHES.c.advertiser_id == advertiser_id,
            BATCHES.c.provider == provider,
            RECORDS.c.waits_for.in_(external_ids),
        )
        .order_by(RECORDS.c.id)
    )
    waiting: list[Row[Any]] = [*connection.execute(query)]
    for part in portions(waiting):
        rejected = update(RECORDS).where(RECORDS.c.id.in_([record.id for record in part]))
        connection.execute(rejected.values(outcome=REJECTED, reason=PROFILE_DELETED, waits_for=None, settled_at=now))
    return waiting
