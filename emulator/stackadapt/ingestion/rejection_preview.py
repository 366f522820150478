"""What ingestion would reject, told by the mutation already: for `ingestion.report_rejections: user_errors`."""

from __future__ import annotations

from sqlalchemy import Connection

from emulator.stackadapt import messages
from emulator.stackadapt.ingestion.jobs import RecordBatch
from emulator.stackadapt.ingestion.mappings import record_mapping_of_schemas, requested_schemas
from emulator.stackadapt.ingestion.profile_batch import ProfileBatch
from emulator.stackadapt.rules.providers import provider_key
from emulator.stackadapt.rules.records import REJECTED, outcome_of, read_record
from emulator.stackadapt.rules.user_errors import UserError


def preview_rejections(connection: Connection, batch: RecordBatch) -> list[UserError]:
    """One error for each record without a usable email, with its place; the batch is taken in all the same.

    Records are read under the newest mapping asked for; an external id counts as known when a profile, or an earlier
    record of the batch, has it.
    """
    provider = provider_key(batch.provider)
    intake = record_mapping_of_schemas(requested_schemas(connection, batch.advertiser_id, provider))
    readings = [read_record(record, intake) for record in batch.profiles]
    known = ProfileBatch(connection, advertiser_id=batch.advertiser_id, provider=provider, now=0)
    known.load(readings)
    earlier: set[str | None] = set()
    errors = []
    for position, reading in enumerate(readings):
        profile_known = known.knows(reading.external_id) or (
            reading.external_id is not None and reading.external_id in earlier
        )
        outcome, reason = outcome_of(reading, profile_known=profile_known, suppressed=False)
        if reading.email is not None:
            earlier.add(reading.external_id)
        if outcome == REJECTED and reason is not None:
            errors.append(UserError(messages.email_rejected(reason), ("input", "profiles", str(position))))
    return errors
