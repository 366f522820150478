"""What the real service does not show: whole profiles, every record with its outcome, rejections, counts."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import Any
from urllib.parse import unquote

from sqlalchemy import ColumnElement, Connection, Row, func, select

from emulator.errors import InputError, nearest
from emulator.stackadapt.profiles.pages import integrations_of
from emulator.stackadapt.rules.emails import normalise
from emulator.stackadapt.rules.reasons import REASONS
from emulator.stackadapt.rules.records import OUTCOMES, REJECTED
from emulator.stackadapt.tables import (
    BATCHES,
    EXTERNAL_AUDIENCES,
    EXTERNAL_IDS,
    MEMBERSHIPS,
    PROFILES,
    RECORDS,
    RECORDS_OF_BATCHES,
)
from emulator.store import portions
from emulator.timestamps import iso_of_millis

Shown = dict[str, Any]

_RECORDS = select(RECORDS, *(column for column in BATCHES.c if column.name != "id")).select_from(RECORDS_OF_BATCHES)


def profiles(
    connection: Connection, *, advertiser_id: str | None, email: str | None, limit: int, offset: int
) -> list[Shown]:
    """Profiles with everything known about them, oldest first."""
    conditions: list[ColumnElement[bool]] = []
    if advertiser_id is not None:
        conditions.append(PROFILES.c.advertiser_id == advertiser_id)
    if email is not None:
        conditions.append(PROFILES.c.email == normalise(email))
    query = select(PROFILES).where(*conditions).order_by(PROFILES.c.id).limit(limit).offset(offset)
    rows = connection.execute(query).all()
    ids = [row.id for row in rows]
    external_ids, audiences = _external_ids(connection, ids), _audiences(connection, ids)
    integrations = integrations_of(connection, ids)
    return [
        {
            "advertiserId": row.advertiser_id,
            "email": row.email,
            "marketingStatus": row.marketing_status,
            "externalIds": external_ids[row.id],
            "properties": {unquote(stored.partition(":")[2]): value for stored, value in row.properties.items()},
            "audiences": audiences[row.id],
            "visibleAt": iso_of_millis(row.visible_at),
            "sources": list(dict.fromkeys(each["source"] for each in integrations[row.id])),
        }
        for row in rows
    ]


def records(
    connection: Connection,
    *,
    outcome: str | None,
    request_id: str | None,
    email: str | None,
    limit: int,
    offset: int,
) -> list[Shown]:
    """Accepted records with their outcome, in arrival order. Raises InputError for an unknown outcome."""
    if outcome is not None and outcome not in OUTCOMES:
        raise InputError(
            "there is no such outcome",
            where="outcome",
            found=outcome,
            allowed=", ".join(OUTCOMES),
            hint=nearest(outcome, OUTCOMES),
        )
    conditions = [
        column == value
        for column, value in (
            (RECORDS.c.outcome, outcome),
            (BATCHES.c.request_id, request_id),
            (RECORDS.c.email, None if email is None else normalise(email)),
        )
        if value is not None
    ]
    query = _RECORDS.where(*conditions).order_by(RECORDS.c.id).limit(limit).offset(offset)
    return [_record(row) for row in connection.execute(query)]


def rejections(
    connection: Connection, *, advertiser_id: str | None, reason: str | None, limit: int, offset: int
) -> list[Shown]:
    """Records that were rejected, in arrival order. Raises InputError for an unknown reason code."""
    if reason is not None and reason not in REASONS:
        raise InputError(
            "there is no such reason code",
            where="reason",
            found=reason,
            allowed=", ".join(REASONS),
            hint=nearest(reason, REASONS),
        )
    conditions = [RECORDS.c.outcome == REJECTED]
    conditions += [
        column == value
        for column, value in ((BATCHES.c.advertiser_id, advertiser_id), (RECORDS.c.reason, reason))
        if value is not None
    ]
    query = _RECORDS.where(*conditions).order_by(RECORDS.c.id).limit(limit).offset(offset)
    return [
        {
            "reason": row.reason,
            "message": REASONS[row.reason],
            "record": json.loads(row.raw),
            "requestId": row.request_id,
            "at": iso_of_millis(row.settled_at),
            "advertiserId": row.advertiser_id,
            "index": row.position,
        }
        for row in connection.execute(query)
    ]


def counts(connection: Connection) -> Shown:
    """Records by outcome, rejections by reason, and the number of profiles."""
    outcomes = dict.fromkeys(OUTCOMES, 0)
    by_outcome = select(RECORDS.c.outcome, func.count()).group_by(RECORDS.c.outcome)
    outcomes.update({row[0]: row[1] for row in connection.execute(by_outcome)})
    by_reason = (
        select(RECORDS.c.reason, func.count())
        .where(RECORDS.c.outcome == REJECTED)
        .group_by(RECORDS.c.reason)
        .order_by(RECORDS.c.reason)
    )
    return {
        "records": outcomes,
        "rejections": {row[0]: row[1] for row in connection.execute(by_reason)},
        "profiles": connection.scalar(select(func.count()).select_from(PROFILES)) or 0,
    }


def _record(row: Row[Any]) -> Shown:
    return {
        "outcome": row.outcome,
        "reason": row.reason,
        "message": REASONS.get(row.reason),
        "record": json.loads(row.raw),
        "requestId": row.request_id,
        "index": row.position,
        "advertiserId": row.advertiser_id,
        "email": row.email,
        "waitsFor": row.waits_for,
        "warnings": row.warnings or [],
        "syncId": row.sync_id,
        "replay": row.replay,
        "receivedAt": iso_of_millis(row.received_at),
        "dueAt": iso_of_millis(row.due_at),
        "at": iso_of_millis(row.settled_at) if row.settled_at is not None else None,
    }


def _external_ids(connection: Connection, profile_ids: list[int]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = defaultdict(list)
    for part in portions(profile_ids):
        query = select(EXTERNAL_IDS).where(EXTERNAL_IDS.c.profile_id.in_(part)).order_by(EXTERNAL_IDS.c.external_id)
        for row in connection.execute(query):
            found[row.profile_id].append(row.external_id)
    return found


def _audiences(connection: Connection, profile_ids: list[int]) -> dict[int, list[Shown]]:
    found: dict[int, list[Shown]] = defaultdict(list)
    for part in portions(profile_ids):
        query = (
            select(MEMBERSHIPS.c.profile_id, MEMBERSHIPS.c.changed_at, EXTERNAL_AUDIENCES)
            .join(EXTERNAL_AUDIENCES, EXTERNAL_AUDIENCES.c.id == MEMBERSHIPS.c.audience_id)
            .where(MEMBERSHIPS.c.profile_id.in_(part), MEMBERSHIPS.c.active)
            .order_by(EXTERNAL_AUDIENCES.c.id)
        )
        for row in connection.execute(query):
            found[row.profile_id].append(
                {
                    "id": row.external_id,
                    "name": row.name,
                    "provider": row.provider,
                    "since": iso_of_millis(row.changed_at),
                }
            )
    return found
