"""The queue between an accepted mutation and its effect.

A job is due when the ingestion latency has passed, never before an earlier job of the same advertiser; all jobs of one
document are due together.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select

from emulator.durations import parse_duration
from emulator.faults import RecordRejection
from emulator.ids import Ids
from emulator.stackadapt.ingestion.mappings import Schemas, active_schemas
from emulator.stackadapt.rules.outcomes import QUEUED
from emulator.stackadapt.rules.providers import provider_key
from emulator.stackadapt.rules.records import MOVE
from emulator.stackadapt.tables import BATCHES, JOBS, RECORDS
from emulator.stackadapt.upsert import insert_row
from emulator.store import portions

RECORDS_JOB = "records"
MAPPING_JOB = "mapping"
DELETE_EXTERNAL_IDS_JOB = "delete_external_ids"
DELETE_EMAILS_JOB = "delete_emails"
LIST_MEMBERS_JOB = "list_members"

INSTANT = "instant"
REALISTIC = "realistic"
# The service's help speaks of up to four hours.
LONGEST_LATENCY = timedelta(hours=4)


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """When a document arrived and when its jobs are due, in milliseconds; `request_id` is its trace id."""

    request_id: str
    received_at: int
    due_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordBatch:
    """The profiles of one mutation. `source` is the provider as a value of the schema's enum `Source`.

    `rejecting` selects the records that a fault rejects. `waits`: records about an audience without an email wait for
    a profile with their external id, instead of being rejected. `shared_external_id` is that of `Ingestion`. Records
    are read under the provider's active mappings, the profile mapping `mapping_id` if given, or under `pinned_schemas`
    alone.
    """

    advertiser_id: str
    provider: str
    source: str
    sync_id: str | None
    profiles: Sequence[Mapping[str, Any]]
    rejecting: RecordRejection | None = None
    waits: bool = False
    shared_external_id: str = MOVE
    mapping_id: int | None = None
    pinned_schemas: Schemas | None = None


def latency_of(setting: str, ids: Ids, request_id: str) -> timedelta:
    """`instant`, a duration such as `4h`, or `realistic`: up to four hours, fixed by the seed and the request."""
    if setting == INSTANT:
        return timedelta()
    if setting == REALISTIC:
        return LONGEST_LATENCY * ids.stream("latency", request_id).random()
    return parse_duration(setting, where="ingestion.latency")


def enqueue(
    connection: Connection,
    arrival: Arrival,
    kind: str,
    *,
    advertiser_id: str,
    instructions: Mapping[str, Any],
    mapping_id: int | None = None,
) -> None:
    """Adds a job."""
    insert_row(
        connection,
        JOBS,
        kind=kind,
        advertiser_id=advertiser_id,
        request_id=arrival.request_id,
        due_at=_due_at(connection, arrival, advertiser_id),
        mapping_id=mapping_id,
        instructions=dict(instructions),
    )


def enqueue_records(connection: Connection, arrival: Arrival, batch: RecordBatch, *, pin_mappings: bool) -> int:
    """Adds the records of a batch and the job that processes them; returns the batch's id.

    With `pin_mappings` records are read under the mappings active now, instead of those active when they are processed.
    """
    provider = provider_key(batch.provider)
    batch_id = insert_row(
        connection,
        BATCHES,
        request_id=arrival.request_id,
        advertiser_id=batch.advertiser_id,
        provider=provider,
        source=batch.source,
        sync_id=batch.sync_id,
        replay=_is_replay(connection, batch.advertiser_id, provider, batch.sync_id),
        received_at=arrival.received_at,
        due_at=_due_at(connection, arrival, batch.advertiser_id),
    )
    pinned = batch.pinned_schemas
    if pinned is None and pin_mappings:
        pinned = active_schemas(connection, batch.advertiser_id, provider, batch.mapping_id)
    instructions = {
        "batch_id": batch_id,
        "provider": provider,
        "source": batch.source,
        "mapping_id": batch.mapping_id,
        "rejecting": asdict(batch.rejecting) if batch.rejecting else None,
        "waits": batch.waits,
        "shared_external_id": batch.shared_external_id,
        "pinned_schemas": pinned,
    }
    enqueue(connection, arrival, RECORDS_JOB, advertiser_id=batch.advertiser_id, instructions=instructions)
    rows = [
        {
            "batch_id": batch_id,
            "position": position,
            "outcome": QUEUED,
            "raw": json.dumps(profile, separators=(",", ":")),
        }
        for position, profile in enumerate(batch.profiles)
    ]
    if rows:
        connection.execute(insert(RECORDS), rows)
    return batch_id


def due_jobs(connection: Connection, now: int) -> list[Row[Any]]:
    """The jobs due by `now`, by due time, then in arrival order; within one document the mappings come first."""
    jobs = connection.execute(select(JOBS).where(JOBS.c.due_at <= now).order_by(JOBS.c.id)).all()
    first: dict[tuple[int, str], int] = {}
    for job in jobs:
        first.setdefault((job.due_at, job.request_id), job.id)
    return sorted(
        jobs, key=lambda job: (job.due_at, first[job.due_at, job.request_id], job.kind != MAPPING_JOB, job.id)
    )


def next_due(connection: Connection) -> int | None:
    """When the next job is due, in milliseconds; None for no job."""
    at: int | None = connection.scalar(select(func.min(JOBS.c.due_at)))
    return at


def remove_jobs(connection: Connection, jobs: Sequence[Row[Any]]) -> None:
    """Deletes jobs that are done."""
    for ids in portions([job.id for job in jobs]):
        connection.execute(delete(JOBS).where(JOBS.c.id.in_(ids)))


def _due_at(connection: Connection, arrival: Arrival, advertiser_id: str) -> int:
    previous = connection.scalar(select(func.max(JOBS.c.due_at)).where(JOBS.c.advertiser_id == advertiser_id))
    return arrival.due_at if previous is None else max(arrival.due_at, previous)


def _is_replay(connection: Connection, advertiser_id: str, provider: str, sync_id: str | None) -> bool:
    """Whether an earlier batch had this sync id."""
    if sync_id is None:
        return False
    same = (BATCHES.c.advertiser_id == advertiser_id, BATCHES.c.provider == provider, BATCHES.c.sync_id == sync_id)
    return connection.execute(select(BATCHES.c.id).where(*same).limit(1)).first() is not None
