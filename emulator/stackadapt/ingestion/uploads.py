"""Uploads: profiles that come in one piece with a mapping of their own, and how far they have got."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from emulator.faults import RecordRejection
from emulator.stackadapt.ingestion.jobs import MAPPING_JOB, Arrival, RecordBatch, enqueue, enqueue_records
from emulator.stackadapt.ingestion.mappings import (
    PROFILE,
    create_mapping,
    find_mapping,
    request_schema,
    schemas_of_upload,
)
from emulator.stackadapt.ingestion.profile_lists import number_of
from emulator.stackadapt.rules.mapping_columns import MappingColumn
from emulator.stackadapt.rules.records import REJECTED, VISIBLE
from emulator.stackadapt.tables import JOBS, MAPPINGS, RECORDS, UPLOADS

SOURCE = "USER_UPLOADED"

PROCESSING = "PROCESSING"
SUCCESS = "SUCCESS"
ERROR = "ERROR"
SKIPPED = "SKIPPED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """What an upload brings. `status` is the marketing status of its profiles, `failure` why it could not be read.

    `rejecting` are the records that a fault wants refused.
    """

    advertiser_id: str
    filename: str
    columns: Sequence[MappingColumn]
    records: Sequence[Mapping[str, Any]]
    status: str | None
    list_id: int | None
    failure: str | None = None
    rejecting: RecordRejection | None = None


def take_upload(connection: Connection, arrival: Arrival, upload: Upload) -> tuple[str, int, dict[str, Any]]:
    """Queues an upload. Returns its id, its mapping's id and the mapping's instructions."""
    row = {
        "advertiser_id": upload.advertiser_id,
        "filename": upload.filename,
        "failure": upload.failure,
        "batch_id": 0,
    }
    key = connection.execute(insert(UPLOADS).values(row)).inserted_primary_key
    upload_id = int(key[0]) if key else 0
    identity = {"advertiser_id": upload.advertiser_id, "mappable_type": SOURCE, "mappable_id": str(upload_id)}
    found = find_mapping(connection, kind=PROFILE, **identity)
    mapping = found or create_mapping(connection, kind=PROFILE, **identity)
    instructions = request_schema(connection, mapping, upload.columns, list_id=upload.list_id)
    enqueue(
        connection,
        arrival,
        MAPPING_JOB,
        advertiser_id=upload.advertiser_id,
        mapping_id=mapping.id,
        instructions=instructions,
    )
    batch = RecordBatch(
        advertiser_id=upload.advertiser_id,
        provider=SOURCE,
        source=SOURCE,
        sync_id=None,
        profiles=upload.records,
        rejecting=upload.rejecting,
        pinned_schemas=schemas_of_upload(mapping.id, instructions, upload.status),
    )
    batch_id = enqueue_records(connection, arrival, batch, tie_mappings=False)
    connection.execute(update(UPLOADS).where(UPLOADS.c.id == upload_id).values(batch_id=batch_id))
    return str(upload_id), mapping.id, instructions


def mapping_status(connection: Connection, advertiser_id: str, mappable_id: str) -> str | None:
    """How far the newest mapping with this mappable id has got; None when there is none.

    PROCESSING until it is due. Then, for an upload: ERROR when its file could not be read or every record was rejected,
    SKIPPED when it brought nothing that could be taken in otherwise, else SUCCESS. For a connection: SKIPPED without a
    column, else SUCCESS. The service's own conditions are not public (assumed).
    """
    named = (MAPPINGS.c.advertiser_id == advertiser_id, MAPPINGS.c.mappable_id == mappable_id)
    newest = select(MAPPINGS).where(*named).order_by(MAPPINGS.c.id.desc()).limit(1)
    mapping = connection.execute(newest).one_or_none() if mappable_id else None
    if mapping is None:
        return None
    ids = select(MAPPINGS.c.id).where(*named)
    if connection.scalar(select(func.count()).where(JOBS.c.mapping_id.in_(ids))):
        return PROCESSING
    owner = (UPLOADS.c.id == number_of(mappable_id), UPLOADS.c.advertiser_id == advertiser_id)
    upload = connection.execute(select(UPLOADS).where(*owner)).one_or_none()
    if upload is not None and mapping.mappable_type == SOURCE:
        return _upload_status(connection, upload)
    return SUCCESS if mapping.mapping_schema else SKIPPED


def _upload_status(connection: Connection, upload: Row[Any]) -> str:
    if upload.failure is not None:
        return ERROR
    by_outcome = select(RECORDS.c.outcome, func.count()).where(RECORDS.c.batch_id == upload.batch_id)
    outcomes = {row[0]: row[1] for row in connection.execute(by_outcome.group_by(RECORDS.c.outcome))}
    if outcomes.get(VISIBLE):
        return SUCCESS
    return ERROR if outcomes.get(REJECTED) else SKIPPED
