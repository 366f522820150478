"""The queue between an accepted mutation and its effect.

A job is due when the ingestion latency has passed, never before an earlier job of the same advertiser; all jobs of one
document are due together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, Select, bindparam, delete, func, select

from emulator.column_rules import LATEST_MILLIS
from emulator.durations import parse_duration
from emulator.faults import RecordRejection
from emulator.ids import Ids
from emulator.json_text import compact
from emulator.stackadapt.ingestion.mappings import Schemas, active_schemas
from emulator.stackadapt.rules.outcomes import QUEUED
from emulator.stackadapt.rules.providers import provider_key
from emulator.stackadapt.rules.records import MOVE
from emulator.stackadapt.tables import BATCHES, JOBS, RECORDS
from emulator.statements import Prepared, insert_row, insert_rows
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


@dataclass(slots=True, kw_only=True)
class Job:
    """The work of an accepted mutation. `id` is 0 until it is stored.

    `records` are those of a batch which is not stored yet, with their positions.
    """

    kind: str
    advertiser_id: str
    request_id: str
    due_at: int
    mapping_id: int | None
    instructions: Mapping[str, Any]
    id: int = 0
    records: Sequence[Mapping[str, Any]] = ()


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


class DocumentJobs:
    """The jobs of one document. At its end, those that are due are applied and the others stored."""

    def __init__(self, connection: Connection, arrival: Arrival) -> None:
        self.connection = connection
        self.arrival = arrival
        self._jobs: list[Job] = []
        self._due_at: dict[str, int] = {}

    def add(
        self,
        kind: str,
        *,
        advertiser_id: str,
        instructions: Mapping[str, Any],
        mapping_id: int | None = None,
        records: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        """Adds a job."""
        job = Job(
            kind=kind,
            advertiser_id=advertiser_id,
            request_id=self.arrival.request_id,
            due_at=self._due(advertiser_id),
            mapping_id=mapping_id,
            instructions=instructions,
            records=records,
        )
        self._jobs.append(job)

    def add_records(self, batch: RecordBatch, *, pin_mappings: bool) -> int:
        """Stores a batch and adds the job that processes its records; returns the batch's id.

        With `pin_mappings` records are read under the mappings active now, instead of those active when they are
        processed.
        """
        provider = provider_key(batch.provider)
        batch_id = insert_row(
            self.connection,
            BATCHES,
            request_id=self.arrival.request_id,
            advertiser_id=batch.advertiser_id,
            provider=provider,
            source=batch.source,
            sync_id=batch.sync_id,
            replay=_is_replay(self.connection, batch.advertiser_id, provider, batch.sync_id),
            received_at=self.arrival.received_at,
            due_at=self._due(batch.advertiser_id),
        )
        pinned = batch.pinned_schemas
        if pinned is None and pin_mappings:
            pinned = active_schemas(self.connection, batch.advertiser_id, provider, batch.mapping_id)
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
        self.add(RECORDS_JOB, advertiser_id=batch.advertiser_id, instructions=instructions, records=batch.profiles)
        return batch_id

    def take_due(self) -> list[Job]:
        """The jobs that are due as the document arrives; the others are stored."""
        due = [job for job in self._jobs if job.due_at <= self.arrival.received_at]
        for job in self._jobs:
            if job.due_at > self.arrival.received_at:
                _store(self.connection, job)
        self._jobs = []
        return in_order(due)

    def _due(self, advertiser_id: str) -> int:
        """When a job of the advertiser is due: not before the jobs of earlier documents."""
        found = self._due_at.get(advertiser_id)
        if found is None:
            previous = _LAST_DUE.value(self.connection, advertiser_id=advertiser_id)
            found = self.arrival.due_at if previous is None else max(self.arrival.due_at, previous)
            self._due_at[advertiser_id] = found
        return found


_LAST_DUE = Prepared(select(func.max(JOBS.c.due_at)).where(JOBS.c.advertiser_id == bindparam("advertiser_id")))
_DUE = Prepared(select(JOBS).where(JOBS.c.due_at <= bindparam("now")).order_by(JOBS.c.id))
_SAME_SYNC_ID = Prepared(
    select(BATCHES.c.id)
    .where(
        BATCHES.c.advertiser_id == bindparam("advertiser_id"),
        BATCHES.c.provider == bindparam("provider"),
        BATCHES.c.sync_id == bindparam("sync_id"),
    )
    .limit(1)
)


def record_row(batch_id: int, position: int, contents: Mapping[str, Any], outcome: Mapping[str, Any]) -> dict[str, Any]:
    """A row of `RECORDS`: what was sent, and the columns of its outcome."""
    return {"batch_id": batch_id, "position": position, "raw": compact(contents), **outcome}


def _store(connection: Connection, job: Job) -> None:
    insert_row(
        connection,
        JOBS,
        kind=job.kind,
        advertiser_id=job.advertiser_id,
        request_id=job.request_id,
        due_at=job.due_at,
        mapping_id=job.mapping_id,
        instructions=dict(job.instructions),
    )
    batch_id = job.instructions.get("batch_id", 0)
    rows = [record_row(batch_id, position, each, {"outcome": QUEUED}) for position, each in enumerate(job.records)]
    insert_rows(connection, RECORDS, rows)


def due_jobs(connection: Connection, now: int) -> list[Job]:
    """The stored jobs that are due by `now`, by due time, then as `in_order`."""
    return in_order([Job(**row._asdict()) for row in _DUE.rows(connection, now=now)])


def any_due(now: int) -> Select[Any]:
    """A query that has a row if a stored job is due by `now`."""
    return select(JOBS.c.id).where(JOBS.c.due_at <= now).limit(1)


def in_order(jobs: Sequence[Job]) -> list[Job]:
    """Jobs by due time, then in arrival order; within one document the mappings come first."""
    first: dict[tuple[int, str], int] = {}
    for position, job in enumerate(jobs):
        first.setdefault((job.due_at, job.request_id), position)
    return sorted(jobs, key=lambda job: (job.due_at, first[job.due_at, job.request_id], job.kind != MAPPING_JOB))


# A damaged row may have anything for a time.
_NEXT_DUE = Prepared(select(func.min(JOBS.c.due_at)).where(JOBS.c.due_at.between(0, LATEST_MILLIS)))


def next_due(connection: Connection) -> int | None:
    """When the next stored job is due, in milliseconds; None for no job."""
    at: int | None = _NEXT_DUE.value(connection)
    return at


def last_due(connection: Connection) -> int | None:
    """When the last stored job is due, in milliseconds; None for no job."""
    at: int | None = connection.scalar(select(func.max(JOBS.c.due_at)))
    return at


def remove_jobs(connection: Connection, jobs: Sequence[Job]) -> None:
    """Deletes stored jobs that are done."""
    for ids in portions([job.id for job in jobs]):
        connection.execute(delete(JOBS).where(JOBS.c.id.in_(ids)))


def _is_replay(connection: Connection, advertiser_id: str, provider: str, sync_id: str | None) -> bool:
    """Whether an earlier batch had this sync id."""
    if sync_id is None:
        return False
    same = {"advertiser_id": advertiser_id, "provider": provider, "sync_id": sync_id}
    return _SAME_SYNC_ID.first(connection, **same) is not None
