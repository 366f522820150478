"""Uploads: profiles with a mapping of their own, sent as a file or inline, and the status of their processing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, func, select, update

from emulator.errors import NotFound, unknown
from emulator.faults import RecordRejection
from emulator.stackadapt.ingestion.jobs import MAPPING_JOB, DocumentJobs, RecordBatch
from emulator.stackadapt.ingestion.mappings import (
    PROFILE,
    find_or_create_mapping,
    request_schema,
    schemas_of_upload,
)
from emulator.stackadapt.ingestion.mappings import Mapping as StoredMapping
from emulator.stackadapt.rules.mapping_columns import MappingColumn
from emulator.stackadapt.rules.outcomes import REJECTED, VISIBLE
from emulator.stackadapt.tables import BATCHES, JOBS, MAPPINGS, RECORDS, UPLOADS, row_id
from emulator.stackadapt.upsert import rows_in
from emulator.statements import insert_row
from emulator.stored_values import StoredValues

SOURCE = "USER_UPLOADED"

PROCESSING = "PROCESSING"
SUCCESS = "SUCCESS"
ERROR = "ERROR"
SKIPPED = "SKIPPED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """An upload. `status` is the marketing status that its profiles get, `failure` why it could not be read.

    `rejecting` selects the records that a fault rejects.
    """

    advertiser_id: str
    filename: str
    columns: Sequence[MappingColumn]
    records: Sequence[Mapping[str, Any]]
    status: str | None
    list_id: int | None
    failure: str | None = None
    rejecting: RecordRejection | None = None


def take_upload(jobs: DocumentJobs, upload: Upload) -> tuple[StoredMapping, Mapping[str, Any]]:
    """Queues an upload. Returns its mapping, whose mappable id is the upload's, and the mapping's instructions."""
    connection, advertiser_id = jobs.connection, upload.advertiser_id
    upload_id = insert_row(
        connection,
        UPLOADS,
        advertiser_id=advertiser_id,
        filename=upload.filename,
        failure=upload.failure,
        batch_id=0,
    )
    mapping = find_or_create_mapping(
        connection, advertiser_id=advertiser_id, kind=PROFILE, mappable_type=SOURCE, mappable_id=str(upload_id)
    )
    instructions = request_schema(connection, mapping, upload.columns, list_id=upload.list_id)
    jobs.add(MAPPING_JOB, advertiser_id=advertiser_id, mapping_id=mapping.id, instructions=instructions)
    batch = RecordBatch(
        advertiser_id=advertiser_id,
        provider=SOURCE,
        source=SOURCE,
        sync_id=None,
        profiles=upload.records,
        rejecting=upload.rejecting,
        pinned_schemas=schemas_of_upload(mapping.id, instructions, upload.status),
    )
    batch_id = jobs.add_records(batch, pin_mappings=False)
    connection.execute(update(UPLOADS).where(UPLOADS.c.id == upload_id).values(batch_id=batch_id))
    return mapping, instructions


def mapping_status(connection: Connection, advertiser_id: str, mappable_id: str) -> str | None:
    """The status of the newest mapping with this mappable id; None when there is none.

    PROCESSING until it is due. Then, for an upload: ERROR if its file could not be read or no record is visible and one
    was rejected, SKIPPED if no record is visible or rejected, else SUCCESS. For a connection: SKIPPED without columns,
    else SUCCESS. The service's own conditions are not public (assumed).
    """
    named = (MAPPINGS.c.advertiser_id == advertiser_id, MAPPINGS.c.mappable_id == mappable_id)
    newest = select(MAPPINGS).where(*named).order_by(MAPPINGS.c.id.desc()).limit(1)
    mapping = connection.execute(newest).one_or_none() if mappable_id else None
    if mapping is None:
        return None
    ids = select(MAPPINGS.c.id).where(*named)
    if connection.scalar(select(func.count()).where(JOBS.c.mapping_id.in_(ids))):
        return PROCESSING
    owner = (UPLOADS.c.id == row_id(mappable_id), UPLOADS.c.advertiser_id == advertiser_id)
    upload = connection.execute(select(UPLOADS).where(*owner)).one_or_none()
    if upload is not None and mapping.mappable_type == SOURCE:
        return _upload_status(connection, upload)
    return SUCCESS if mapping.mapping_schema else SKIPPED


def uploads(connection: Connection, *, advertiser_id: str | None, limit: int, offset: int) -> list[dict[str, Any]]:
    """The uploads, oldest first: `id`, `advertiserId`, `filename`, `status` as of `profileMappingStatus`, `failure`
    (why the file could not be read), the number of `records` by outcome, `requestId`, `receivedAt`.
    """
    query = select(UPLOADS, BATCHES.c.request_id, BATCHES.c.received_at).outerjoin(
        BATCHES, BATCHES.c.id == UPLOADS.c.batch_id
    )
    if advertiser_id is not None:
        query = query.where(UPLOADS.c.advertiser_id == advertiser_id)
    rows = connection.execute(query.order_by(UPLOADS.c.id).limit(limit).offset(offset)).all()
    outcomes = _outcomes_of(connection, [row.batch_id for row in rows])
    return [_shown(connection, row, outcomes[row.batch_id]) for row in rows]


def upload_by_id(connection: Connection, upload_id: str) -> dict[str, Any]:
    """One upload, with the `columns` of its mapping and the `listId` of the list that it fills. Raises NotFound."""
    number = row_id(upload_id)
    query = select(UPLOADS, BATCHES.c.request_id, BATCHES.c.received_at).where(UPLOADS.c.id == number)
    row = connection.execute(query.outerjoin(BATCHES, BATCHES.c.id == UPLOADS.c.batch_id)).one_or_none()
    if row is None:
        known = list(map(str, connection.scalars(select(UPLOADS.c.id).order_by(UPLOADS.c.id))))
        raise unknown("upload", upload_id, known, where="uploadId", error=NotFound)
    own = (MAPPINGS.c.advertiser_id == row.advertiser_id, MAPPINGS.c.mappable_id == str(row.id))
    mapping = connection.execute(select(MAPPINGS).where(*own, MAPPINGS.c.mappable_type == SOURCE)).first()
    return {
        **_shown(connection, row, _outcomes_of(connection, [row.batch_id])[row.batch_id]),
        "columns": list(mapping.requested_schema) if mapping else [],
        "listId": str(mapping.requested_list_id) if mapping and mapping.requested_list_id else None,
    }


def _shown(connection: Connection, row: Row[Any], records: dict[str, int]) -> dict[str, Any]:
    stored = StoredValues()
    item = {
        "id": str(row.id),
        "advertiserId": row.advertiser_id,
        "filename": row.filename,
        "status": stored.read("status", lambda: mapping_status(connection, row.advertiser_id, str(row.id)), None),
        "failure": row.failure,
        "records": records,
        # Empty where the batch is missing.
        "requestId": row.request_id or "",
        "receivedAt": stored.time("receivedAt", row.received_at),
    }
    return stored.shown(item)


def _outcomes_of(connection: Connection, batch_ids: Sequence[int]) -> dict[int, dict[str, int]]:
    counted = select(RECORDS.c.batch_id, RECORDS.c.outcome, func.count().label("number")).group_by(
        RECORDS.c.batch_id, RECORDS.c.outcome
    )
    found: dict[int, dict[str, int]] = {batch_id: {} for batch_id in batch_ids}
    for row in rows_in(connection, counted, RECORDS.c.batch_id, batch_ids):
        found[row.batch_id][row.outcome] = row.number
    return found


def _upload_status(connection: Connection, upload: Row[Any]) -> str:
    if upload.failure is not None:
        return ERROR
    query = select(RECORDS.c.outcome).where(RECORDS.c.batch_id == upload.batch_id).distinct()
    outcomes = set(connection.scalars(query))
    if VISIBLE in outcomes:
        return SUCCESS
    return ERROR if REJECTED in outcomes else SKIPPED
