"""`dataHubWebhookApi`: profiles that an integration sends on its own.

It has no user errors: invalid input is a GraphQL error of the field, which is then null.
"""

from __future__ import annotations

from typing import Any

from ariadne import MutationType, ObjectType, QueryType

from emulator.stackadapt import messages
from emulator.stackadapt.graphql.context import Info, RequestContext
from emulator.stackadapt.graphql.resolvers.fields import Input, plain
from emulator.stackadapt.ingestion.jobs import RecordBatch
from emulator.stackadapt.ingestion.mappings import PROFILE, mapping_by_id
from emulator.stackadapt.messages import emulator_error
from emulator.stackadapt.rules.providers import known_sources, provider_key, source_of
from emulator.stackadapt.rules.user_errors import Refusal

# Assumed: a short status word.
ACCEPTED = "accepted"

query = QueryType()
mutations = MutationType()
webhook = ObjectType("DataHubWebhookApiMutation")
BINDABLES_2026 = [
    query,
    mutations,
    webhook,
    plain("DataHubWebhookApiQuery", "dummy"),
    plain("DataHubWebhookApiUpsertDataHubProfilesResponse", "status", "requestId"),
]


@query.field("dataHubWebhookApi")
@mutations.field("dataHubWebhookApi")
def resolve_namespace(_parent: Any, _info: Info) -> dict[str, None]:
    # `dummy` is a placeholder and always null.
    return {}


@webhook.field("upsertProfiles")
def resolve_upsert_profiles(
    _parent: Any, info: Info, *, integration: str, input: Input | None = None
) -> dict[str, str]:
    if input is None:
        raise emulator_error(messages.INPUT_REQUIRED)
    context = info.context
    batch = _batch(context, integration, input)
    tie = context.workspace.ingestion.mapping_race
    context.jobs.add_records(batch, pin_mappings=tie)
    return {"status": ACCEPTED, "requestId": input["requestId"]}


def _batch(context: RequestContext, integration: str, given: Input) -> RecordBatch:
    """The records, to be read with the mapping whose id is `integrationId`, as in `CdpIntegration` (assumed)."""
    source = source_of(integration, context.sources)
    if source is None:
        raise emulator_error(
            messages.INTEGRATION_UNKNOWN.format(integration, known_sources(integration, context.sources))
        )
    try:
        advertiser_id = context.writable(str(given["subAdvertiserId"])).id
    except Refusal as refused:
        raise emulator_error(str(refused)) from None
    mapping = mapping_by_id(context.connection, str(given["integrationId"]), PROFILE)
    same = mapping is not None and provider_key(mapping.mappable_type) == provider_key(integration)
    if mapping is None or not same or mapping.advertiser_id != advertiser_id:
        raise emulator_error(messages.INTEGRATION_ID_UNKNOWN.format(given["integrationId"], integration))
    records = given["data"]
    if not all(isinstance(record, dict) for record in records):
        raise emulator_error(messages.DATA_NOT_OBJECTS)
    if len(records) > context.limits.profiles:
        raise emulator_error(messages.TOO_MANY_PROFILES.format(len(records), context.limits.profiles))
    return RecordBatch(
        advertiser_id=advertiser_id,
        provider=integration,
        source=source,
        sync_id=given["requestId"],
        profiles=records,
        rejecting=context.faults.record_rejection(),
        waits=context.keeps_waiting_records,
        shared_external_id=context.workspace.ingestion.shared_external_id,
        mapping_id=mapping.id,
    )
