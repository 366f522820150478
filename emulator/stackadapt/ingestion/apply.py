"""What becomes of accepted mutations: jobs that are due are applied in order.

Profile data is merged, a profile mapping is replaced as a whole, both later than the mutation's answer; which mapping
reads a record is the one in force when the record is settled (statements of the provider's engineers), or, with
`ingestion.mapping_race`, the one in force when the request arrived.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, bindparam, select, update

from emulator.events import RecordProcessed
from emulator.faults import RecordRejection
from emulator.stackadapt.ingestion.deletions import delete_emails, delete_external_ids
from emulator.stackadapt.ingestion.jobs import (
    DELETE_EMAILS_JOB,
    DELETE_EXTERNAL_IDS_JOB,
    LIST_MEMBERS_JOB,
    MAPPING_JOB,
    RECORDS_JOB,
    due_jobs,
    remove_jobs,
)
from emulator.stackadapt.ingestion.mappings import activate, active_schemas, record_mapping_of_schemas
from emulator.stackadapt.ingestion.profile_batch import ProfileBatch
from emulator.stackadapt.ingestion.profile_lists import change_members, fill_list
from emulator.stackadapt.rules.reasons import INJECTED, PROFILE_DELETED
from emulator.stackadapt.rules.records import (
    PENDING,
    REJECTED,
    VISIBLE,
    ParsedRecord,
    RecordMapping,
    outcome_of,
    read_record,
)
from emulator.stackadapt.tables import BATCHES, RECORDS, RECORDS_OF_BATCHES
from emulator.store import portions
from emulator.timestamps import from_millis


@dataclass(frozen=True, slots=True)
class _Processed:
    """A record, what it says, and how it ended."""

    record: Row[Any]
    reading: ParsedRecord
    outcome: str
    reason: str | None
    email: str | None


def apply_due_jobs(connection: Connection, now: int) -> list[RecordProcessed]:
    """Applies every job that is due at `now` (milliseconds) and returns what became of the records."""
    jobs = due_jobs(connection, now)
    events: list[RecordProcessed] = []
    for job in jobs:
        events += _APPLY[job.kind](connection, job, now)
    remove_jobs(connection, jobs)
    return events


def _apply_mapping(connection: Connection, job: Row[Any], now: int) -> list[RecordProcessed]:
    activate(connection, job.mapping_id, job.instructions)
    return []


def _apply_external_id_deletion(connection: Connection, job: Row[Any], now: int) -> list[RecordProcessed]:
    rejected = delete_external_ids(connection, job.advertiser_id, now=now, **job.instructions)
    return [_event(record, REJECTED, PROFILE_DELETED, None, now) for record in rejected]


def _apply_email_deletion(connection: Connection, job: Row[Any], now: int) -> list[RecordProcessed]:
    delete_emails(connection, job.advertiser_id, now=now, **job.instructions)
    return []


def _apply_list_members(connection: Connection, job: Row[Any], now: int) -> list[RecordProcessed]:
    change_members(connection, job.advertiser_id, now=now, **job.instructions)
    return []


def _apply_records(connection: Connection, job: Row[Any], now: int) -> list[RecordProcessed]:
    provider = job.instructions["provider"]
    schemas = job.instructions.get("tied_to") or active_schemas(
        connection, job.advertiser_id, provider, job.instructions.get("mapping_id")
    )
    intake = record_mapping_of_schemas(schemas)
    records = _records(connection, RECORDS.c.batch_id == job.instructions["batch_id"])
    refused = job.instructions.get("rejecting")
    settling = _Processing(
        ProfileBatch(connection, advertiser_id=job.advertiser_id, provider=provider, now=now),
        intake,
        RecordRejection(**refused) if refused else None,
    )
    settled = settling.run(records, lambda ids: _waiting(connection, job.advertiser_id, provider, ids))
    source = job.instructions["source"]
    settling.batch.flush(source=source, mapping_id=intake.mapping_id)
    if intake.list_id is not None:
        arrived = [each.email for each in settled if each.outcome == VISIBLE and each.email is not None]
        fill_list(connection, intake.list_id, arrived, source=source, mapping_id=intake.mapping_id, now=now)
    _write_outcomes(connection, settled, now)
    return [
        _event(each.record, each.outcome, each.reason, each.email, now) for each in settled if each.outcome != PENDING
    ]


_APPLY = {
    MAPPING_JOB: _apply_mapping,
    RECORDS_JOB: _apply_records,
    DELETE_EXTERNAL_IDS_JOB: _apply_external_id_deletion,
    DELETE_EMAILS_JOB: _apply_email_deletion,
    LIST_MEMBERS_JOB: _apply_list_members,
}


class _Processing:
    """Settles the records of one batch in their order.

    A record that waits for an external id, from this batch or an older one, is settled right after the record that
    brings it, so that it makes no difference how records are divided into batches.
    """

    def __init__(self, batch: ProfileBatch, intake: RecordMapping, rejecting: RecordRejection | None) -> None:
        self.batch = batch
        self._intake = intake
        self._rejecting = rejecting
        self._waiting: dict[str | None, list[tuple[Row[Any], ParsedRecord]]] = defaultdict(list)
        self._settled: dict[int, _Processed] = {}

    def run(
        self, records: Sequence[Row[Any]], waiting_for: Callable[[Sequence[str]], Sequence[Row[Any]]]
    ) -> list[_Processed]:
        """What became of the records, and of older ones (`waiting_for` gives those that wait for external ids)."""
        readings = self._read(records)
        brought = {each.external_id for each in readings if each.email is not None and each.external_id is not None}
        older = waiting_for(sorted(brought))
        late = self._read(older)
        self.batch.load([*readings, *late])
        for record, reading in zip(older, late, strict=True):
            self._waiting[record.waits_for].append((record, reading))
        for record, reading in zip(records, readings, strict=True):
            self._process(record, reading, self._rejecting)
        return list(self._settled.values())

    def _read(self, records: Sequence[Row[Any]]) -> list[ParsedRecord]:
        raw: list[dict[str, Any]] = json.loads(f"[{','.join(record.raw for record in records)}]")
        return [read_record(record, self._intake) for record in raw]

    def _process(self, record: Row[Any], reading: ParsedRecord, rejecting: RecordRejection | None) -> None:
        outcome, reason = outcome_of(
            reading,
            profile_known=self.batch.knows(reading.external_id),
            suppressed=self.batch.suppresses(reading.email),
        )
        email = reading.email
        if rejecting is not None and rejecting.applies_to(email, record.position):
            outcome, reason = REJECTED, INJECTED
        if outcome == VISIBLE:
            email = self.batch.apply(reading, self._intake.status).email
        self._settled[record.id] = _Processed(record, reading, outcome, reason, email)
        if outcome == PENDING:
            self._waiting[reading.external_id].append((record, reading))
        elif outcome == VISIBLE and reading.email is not None and reading.external_id is not None:
            for waiting in self._waiting.pop(reading.external_id, ()):
                self._process(*waiting, None)


def _waiting(
    connection: Connection, advertiser_id: str, provider: str, external_ids: Sequence[str]
) -> Sequence[Row[Any]]:
    if connection.execute(select(RECORDS.c.id).where(RECORDS.c.outcome == PENDING).limit(1)).first() is None:
        return ()
    pending = (
        RECORDS.c.outcome == PENDING,
        BATCHES.c.advertiser_id == advertiser_id,
        BATCHES.c.provider == provider,
    )
    found: list[Row[Any]] = []
    for part in portions(external_ids):
        found += _records(connection, *pending, RECORDS.c.waits_for.in_(part))
    return sorted(found, key=lambda record: record.id)


def _records(connection: Connection, *conditions: ColumnElement[bool]) -> list[Row[Any]]:
    query = select(
        RECORDS.c.id,
        RECORDS.c.position,
        RECORDS.c.raw,
        RECORDS.c.waits_for,
        BATCHES.c.request_id,
        BATCHES.c.advertiser_id,
    )
    ordered = query.select_from(RECORDS_OF_BATCHES).where(*conditions).order_by(RECORDS.c.id)
    return list(connection.execute(ordered))


def _write_outcomes(connection: Connection, settled: Sequence[_Processed], now: int) -> None:
    if not settled:
        return
    statement = update(RECORDS).where(RECORDS.c.id == bindparam("record_id"))
    rows = [
        {
            "record_id": each.record.id,
            "outcome": each.outcome,
            "reason": each.reason,
            "email": each.email,
            "waits_for": each.reading.external_id if each.outcome == PENDING else None,
            "warnings": each.reading.warnings or None,
            "settled_at": None if each.outcome == PENDING else now,
        }
        for each in settled
    ]
    connection.execute(statement, rows)


def _event(record: Row[Any], outcome: str, reason: str | None, email: str | None, now: int) -> RecordProcessed:
    return RecordProcessed(
        at=from_millis(now),
        trace_id=record.request_id,
        advertiser_id=record.advertiser_id,
        outcome=outcome,
        reason=reason,
        email=email,
    )
