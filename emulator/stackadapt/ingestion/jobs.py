"""The queue between an accepted mutation and its effect.

A job is due when the latency has passed, never before an earlier job of the same advertiser; all jobs of one document
are due together.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select

from emulator.faults import RecordRejection
from emulator.stackadapt.ingestion.mappings import active_schemas
from emulator.stackadapt.rules.providers import provider_key
from emulator.stackadapt.rules.records import QUEUED
from emulator.stackadapt.tables import BATCHES, JOBS, RECORDS
from emulator.store import portions

RECORDS_JOB = "records"
MAPPING_JOB = "mapping"
DELETE_EXTERNAL_IDS_JOB = "delete_external_ids"
DELETE_EMAILS_JOB = "delete_emails"
LIST_MEMBERS_JOB = "list_members"


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """When a document arrived and when what it asks for is due, in milliseconds; `request_id` is its trace id."""

    request_id: str
    received_at: int
    due_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordBatch:
    """The profiles of one mutation. `source` is the provider as a member of the schema's `Source`.

    `rejecting` are the records that a fault wants refused. They are read by the mappings in force for the provider, by
    the profile mapping `mapping_id` among them, or by `tied_to` (`schemas_of_upload`) and nothing else.
    """

    advertiser_id: str
    provider: str
    source: str
    sync_id: str | None
    profiles: Sequence[Mapping[str, Any]]
    rejecting: RecordRejection | None = None
    mapping_id: int | None = None
    pinned_schemas: Mapping[str, Any] | None = None


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
    connection.execute(
        insert(JOBS).values(
            kind=kind,
            advertiser_id=advertiser_id,
            request_id=arrival.request_id,
            due_at=due_moment(connection, arrival, advertiser_id),
            mapping_id=mapping_id,
            instructions=dict(instructions),
        )
    )


def due_moment(connection: Connection, arrival: Arrival, advertiser_id: str) -> int:
    """When a job of this arrival is due: never before an earlier one of the advertiser."""
    previous = connection.scalar(select(func.max(JOBS.c.due_at)).where(JOBS.c.advertiser_id == advertiser_id))
    return max(arrival.due_at, previous or 0)


def enqueue_records(connection: Connection, arrival: Arrival, batch: RecordBatch, *, tie_mappings: bool) -> int:
    """Adds the records of a batch and the job that settles them; returns the batch's id.

    `tie_mappings` ties the batch to the mappings in force now, instead of those in force when it is settled.
    """
    provider = provider_key(batch.provider)
    instructions: dict[str, Any] = {"provider": provider, "source": batch.source, "mapping_id": batch.mapping_id}
    if batch.rejecting is not None:
        instructions["rejecting"] = asdict(batch.rejecting)
    if batch.pinned_schemas is not None:
        instructions["tied_to"] = dict(batch.pinned_schemas)
    elif tie_mappings:
        instructions["tied_to"] = active_schemas(connection, batch.advertiser_id, provider, batch.mapping_id)
    due_at = due_moment(connection, arrival, batch.advertiser_id)
    inserted = connection.execute(
        insert(BATCHES).values(
            request_id=arrival.request_id,
            advertiser_id=batch.advertiser_id,
            provider=provider,
            source=batch.source,
            sync_id=batch.sync_id,
            replay=_is_replay(connection, batch.advertiser_id, provider, batch.sync_id),
            received_at=arrival.received_at,
            due_at=due_at,
        )
    ).inserted_primary_key
    instructions["batch_id"] = batch_id = int(inserted[0]) if inserted else 0
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
    """The jobs due by `now`, in arrival order; within one document the mappings come first."""
    jobs = connection.execute(select(JOBS).where(JOBS.c.due_at <= now).order_by(JOBS.c.id)).all()
    first: dict[str, int] = {}
    for job in jobs:
        first.setdefault(job.request_id, job.id)
    return sorted(jobs, key=lambda job: (first[job.request_id], job.kind != MAPPING_JOB, job.id))


def remove_jobs(connection: Connection, jobs: Sequence[Row[Any]]) -> None:
    """Takes jobs that are done off the queue."""
    for ids in portions([job.id for job in jobs]):
        connection.execute(delete(JOBS).where(JOBS.c.id.in_(ids)))


def _is_replay(connection: Connection, advertiser_id: str, provider: str, sync_id: str | None) -> bool:
    """Whether a batch with this id was seen before."""
    if sync_id is None:
        return False
    same = (BATCHES.c.advertiser_id == advertiser_id, BATCHES.c.provider == provider, BATCHES.c.sync_id == sync_id)
    return connection.execute(select(BATCHES.c.id).where(*same).limit(1)).first() is not None
