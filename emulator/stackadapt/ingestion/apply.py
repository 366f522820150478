"""Applies the jobs of accepted mutations, in order, once they are due; each at the time at which it was due.

Profile data is merged and a profile mapping is replaced as a whole, both after the mutation's response. A record is
read under the mapping active when the record is processed (statements of the provider's engineers) or, with
`ingestion.mapping_race`, under the one active when the request arrived.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, select, update

from emulator.events import RecordProcessed
from emulator.faults import RecordRejection
from emulator.stackadapt import messages
from emulator.stackadapt.ingestion.deletions import DeletionRequest, delete_emails, delete_external_ids
from emulator.stackadapt.ingestion.jobs import (
    DELETE_EMAILS_JOB,
    DELETE_EXTERNAL_IDS_JOB,
    LIST_MEMBERS_JOB,
    MAPPING_JOB,
    RECORDS_JOB,
    Job,
    RecordBatch,
    due_jobs,
    record_row,
    remove_jobs,
)
from emulator.stackadapt.ingestion.mapping_versions import newest_version, stored_warning
from emulator.stackadapt.ingestion.mappings import (
    activate,
    active_record_mapping,
    record_mapping_of_schemas,
    requested_record_mapping,
)
from emulator.stackadapt.ingestion.profile_batch import ProfileBatch
from emulator.stackadapt.ingestion.profile_lists import change_members, fill_list
from emulator.stackadapt.rules.outcomes import INJECTED, PENDING, PROFILE_DELETED, REJECTED, VISIBLE
from emulator.stackadapt.rules.providers import provider_key
from emulator.stackadapt.rules.records import (
    ParsedRecord,
    RecordMapping,
    RecordWarning,
    conflicts,
    outcome_of,
    read_record,
)
from emulator.stackadapt.rules.user_errors import UserError
from emulator.stackadapt.tables import BATCHES, RECORDS, RECORDS_OF_BATCHES
from emulator.statements import Prepared, insert_rows, keys
from emulator.timestamps import from_millis

_RECORD_COLUMNS = (
    RECORDS.c.id,
    RECORDS.c.batch_id,
    RECORDS.c.position,
    RECORDS.c.raw,
    RECORDS.c.waits_for,
    BATCHES.c.request_id,
    BATCHES.c.advertiser_id,
)
_OF_BATCH = Prepared(
    select(*_RECORD_COLUMNS)
    .select_from(RECORDS_OF_BATCHES)
    .where(RECORDS.c.batch_id == bindparam("batch_id"))
    .order_by(RECORDS.c.id)
)
_ANY_PENDING = Prepared(select(RECORDS.c.id).where(RECORDS.c.outcome == PENDING).limit(1))
_PENDING = Prepared(
    select(*_RECORD_COLUMNS)
    .select_from(RECORDS_OF_BATCHES)
    .where(
        RECORDS.c.outcome == PENDING,
        BATCHES.c.advertiser_id == bindparam("advertiser_id"),
        BATCHES.c.provider == bindparam("provider"),
        RECORDS.c.waits_for.in_(keys()),
    )
)
_SET_OUTCOME = Prepared(
    update(RECORDS)
    .where(RECORDS.c.id == bindparam("record_id"))
    .values({name: bindparam(name) for name in ("outcome", "reason", "email", "waits_for", "warnings", "settled_at")})
)


def apply_due_jobs(connection: Connection, now: int) -> list[RecordProcessed]:
    """Applies every stored job that is due at `now` (milliseconds) and returns the outcomes of the records."""
    jobs = due_jobs(connection, now)
    events = apply_jobs(connection, jobs)
    remove_jobs(connection, jobs)
    return events


def apply_jobs(connection: Connection, jobs: Sequence[Job]) -> list[RecordProcessed]:
    """Applies jobs and returns the outcomes of the records.

    Everything that a job writes is dated with the time at which it was due, however much later it is applied.
    """
    return [event for job in jobs for event in _APPLY[job.kind](connection, job, job.due_at) or ()]


def preview_rejections(connection: Connection, batch: RecordBatch) -> list[UserError]:
    """A user error for each record without a usable email, with its position, for `report_rejections: user_errors`.

    Records are read under the newest mapping requested. An external id is known if a profile or an earlier record of
    the batch has it.
    """
    provider = provider_key(batch.provider)
    mapping = requested_record_mapping(connection, batch.advertiser_id, provider)
    parsed = [read_record(record, mapping) for record in batch.profiles]
    profiles = ProfileBatch(connection, advertiser_id=batch.advertiser_id, provider=provider, now=0)
    profiles.load(parsed)
    earlier: set[str] = set()
    errors = []
    for position, record in enumerate(parsed):
        known = profiles.knows(record.external_id) or record.external_id in earlier
        outcome, reason = outcome_of(record, profile_known=known, suppressed=False, waits=batch.waits)
        if record.email is not None and record.external_id is not None:
            earlier.add(record.external_id)
        if outcome == REJECTED and reason is not None:
            errors.append(UserError(messages.EMAIL_REJECTED[reason], ("input", "profiles", str(position))))
    return errors


def _activate_mapping(connection: Connection, job: Job, at: int) -> None:
    activate(connection, job.mapping_id or 0, job.instructions, at)


def _delete_external_ids(connection: Connection, job: Job, at: int) -> list[RecordProcessed]:
    rejected = delete_external_ids(connection, _deletion(job, at), **job.instructions)
    settled_at = from_millis(at)
    return [_event(record, record.advertiser_id, settled_at, REJECTED, PROFILE_DELETED, None) for record in rejected]


def _delete_emails(connection: Connection, job: Job, at: int) -> None:
    delete_emails(connection, _deletion(job, at), **job.instructions)


def _deletion(job: Job, at: int) -> DeletionRequest:
    return DeletionRequest(job.request_id, job.advertiser_id, at)


def _change_list_members(connection: Connection, job: Job, at: int) -> None:
    change_members(connection, job.advertiser_id, now=at, **job.instructions)


def _process_records(connection: Connection, job: Job, at: int) -> list[RecordProcessed]:
    provider, source = job.instructions["provider"], job.instructions["source"]
    pinned = job.instructions.get("pinned_schemas")
    if pinned:
        mapping = record_mapping_of_schemas(pinned)
    else:
        mapping = active_record_mapping(connection, job.advertiser_id, provider, job.instructions["mapping_id"])
    shared = job.instructions["shared_external_id"]
    batch = ProfileBatch(connection, advertiser_id=job.advertiser_id, provider=provider, now=at, shared=shared)
    rejecting = job.instructions.get("rejecting")
    treatment = _Treatment(
        mapping,
        RecordRejection(**rejecting) if rejecting else None,
        job.instructions["waits"],
        shared,
    )
    processed = _Processing(batch, treatment).run(
        _records_of(connection, job, mapping),
        lambda external_ids: _pending(connection, job.advertiser_id, provider, external_ids, mapping),
    )
    batch.flush(source=source, mapping_id=mapping.mapping_id)
    if mapping.list_id is not None:
        visible = [each.email for each in processed if each.outcome == VISIBLE and each.email is not None]
        fill_list(connection, mapping.list_id, visible, source=source, mapping_id=mapping.mapping_id, now=at)
    # An upload brings its own mapping, which its document activated just now.
    version = (pinned or {}).get("version") or newest_version(connection)
    _write_outcomes(connection, processed, mapping.mapping_id, version, at)
    settled_at = from_millis(at)
    return [
        _event(each.record, job.advertiser_id, settled_at, each.outcome, each.reason, each.email) for each in processed
    ]


_APPLY: Mapping[str, Callable[[Connection, Job, int], list[RecordProcessed] | None]] = {
    MAPPING_JOB: _activate_mapping,
    RECORDS_JOB: _process_records,
    DELETE_EXTERNAL_IDS_JOB: _delete_external_ids,
    DELETE_EMAILS_JOB: _delete_emails,
    LIST_MEMBERS_JOB: _change_list_members,
}


@dataclass(slots=True, eq=False)
class _Record:
    """A record and its contents. `id` is 0 for one that is not stored yet, whose JSON object is `sent`."""

    id: int
    batch_id: int
    position: int
    request_id: str
    parsed: ParsedRecord
    sent: Mapping[str, Any] | None = None


@dataclass(slots=True)
class _Processed:
    """A record and its outcome."""

    record: _Record
    outcome: str
    reason: str | None
    email: str | None
    conflicts: Sequence[RecordWarning] = ()


@dataclass(frozen=True, slots=True)
class _Treatment:
    """The mappings under which the records of a batch are read, and what else decides their outcomes.

    `waits` and `shared` (`shared_external_id`) are those of `RecordBatch`.
    """

    mapping: RecordMapping
    rejecting: RecordRejection | None
    waits: bool
    shared: str


class _Processing:
    """Processes the records of one batch in their order.

    A record that waits for an external id, from this batch or an older one, is processed right after the record that
    brings it, so the result does not depend on how records are divided into batches.
    """

    def __init__(self, batch: ProfileBatch, treatment: _Treatment) -> None:
        self._batch = batch
        self._treatment = treatment
        self._waiting: dict[str | None, list[_Record]] = defaultdict(list)
        self._processed: dict[int, _Processed] = {}

    def run(
        self, records: Sequence[_Record], pending_for: Callable[[Sequence[str]], Sequence[tuple[str, _Record]]]
    ) -> list[_Processed]:
        """The outcomes of the records, and of the older ones that `pending_for` finds for external ids."""
        brought = {
            each.parsed.external_id
            for each in records
            if each.parsed.email is not None and each.parsed.external_id is not None
        }
        older = pending_for(sorted(brought))
        self._batch.load([*(each.parsed for each in records), *(record.parsed for _, record in older)])
        for waits_for, record in older:
            self._waiting[waits_for].append(record)
        for record in records:
            self._process(record, self._treatment.rejecting)
        return list(self._processed.values())

    def _process(self, record: _Record, rejecting: RecordRejection | None) -> None:
        parsed = record.parsed
        outcome, reason = outcome_of(
            parsed,
            profile_known=self._batch.knows(parsed.external_id),
            suppressed=self._batch.suppresses(parsed.email),
            waits=self._treatment.waits,
        )
        email = parsed.email
        found: Sequence[RecordWarning] = ()
        if rejecting is not None and rejecting.applies_to(email, record.position):
            outcome, reason = REJECTED, INJECTED
        if outcome == VISIBLE:
            owner, treatment = self._batch.owner_of(parsed.external_id), self._treatment
            present = self._batch.status_of(parsed.email or owner)
            found = conflicts(parsed, treatment.mapping, owner=owner, present=present, shared=treatment.shared)
            email = self._batch.apply(parsed, treatment.mapping.status).email
        self._processed[id(record)] = _Processed(record, outcome, reason, email, found)
        if outcome == PENDING:
            self._waiting[parsed.external_id].append(record)
        elif outcome == VISIBLE and parsed.email is not None and parsed.external_id is not None:
            for waiting in self._waiting.pop(parsed.external_id, ()):
                self._process(waiting, None)


def _records_of(connection: Connection, job: Job, mapping: RecordMapping) -> list[_Record]:
    """The records of a batch: of the document that is being executed, or stored by an earlier one."""
    batch_id = job.instructions["batch_id"]
    if job.id == 0:
        return [
            _Record(0, batch_id, position, job.request_id, read_record(sent, mapping), sent)
            for position, sent in enumerate(job.records)
        ]
    return [*_parsed(_OF_BATCH.rows(connection, batch_id=batch_id), mapping)]


def _pending(
    connection: Connection, advertiser_id: str, provider: str, external_ids: Sequence[str], mapping: RecordMapping
) -> list[tuple[str, _Record]]:
    """The stored records that wait for one of the external ids, oldest first, each with that id."""
    if not external_ids or _ANY_PENDING.first(connection) is None:
        return []
    found = _PENDING.matching(connection, external_ids, advertiser_id=advertiser_id, provider=provider)
    rows = sorted(found, key=lambda record: record.id)
    return [(row.waits_for, record) for row, record in zip(rows, _parsed(rows, mapping), strict=True)]


def _parsed(rows: Sequence[Any], mapping: RecordMapping) -> Iterator[_Record]:
    raw: list[dict[str, Any]] = json.loads(f"[{','.join(row.raw for row in rows)}]")
    for row, sent in zip(rows, raw, strict=True):
        yield _Record(row.id, row.batch_id, row.position, row.request_id, read_record(sent, mapping))


def _write_outcomes(
    connection: Connection, processed: Sequence[_Processed], mapping_id: int, version: int, at: int
) -> None:
    rows = []
    changed = []
    # In the order in which the records were sent, whatever one of them waited for.
    for each in sorted(processed, key=lambda each: each.record.position):
        record = each.record
        pending = each.outcome == PENDING
        columns = {
            "outcome": each.outcome,
            "reason": each.reason,
            "email": each.email,
            "waits_for": record.parsed.external_id if pending else None,
            "warnings": _warnings(each, mapping_id, version) or None,
            "settled_at": None if pending else at,
        }
        if record.sent is not None:
            rows.append(record_row(record.batch_id, record.position, record.sent, columns))
        else:
            changed.append({"record_id": record.id, **columns})
    insert_rows(connection, RECORDS, rows)
    _SET_OUTCOME.many(connection, changed)


def _warnings(processed: _Processed, mapping_id: int, version: int) -> list[dict[str, Any]]:
    parsed = processed.record.parsed
    unmapped = parsed.unmapped
    if not (parsed.warnings or processed.conflicts or unmapped):
        return []
    return [
        *parsed.warnings,
        *processed.conflicts,
        *([stored_warning(unmapped, mapping_id=mapping_id, version=version)] if unmapped else ()),
    ]


def _event(
    record: Any, advertiser_id: str, at: datetime, outcome: str, reason: str | None, email: str | None
) -> RecordProcessed:
    return RecordProcessed(
        at=at,
        trace_id=record.request_id,
        index=record.position,
        advertiser_id=advertiser_id,
        outcome=outcome,
        reason=reason,
        email=email,
    )
