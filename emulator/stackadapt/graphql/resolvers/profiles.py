"""`upsertProfiles` and `cdpProfiles`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ariadne import MutationType, ObjectType, QueryType

from emulator.stackadapt import messages
from emulator.stackadapt.graphql.context import Info, RequestContext
from emulator.stackadapt.graphql.resolvers.fields import Input, Output, mutation, plain
from emulator.stackadapt.ingestion.apply import preview_rejections
from emulator.stackadapt.ingestion.jobs import RecordBatch
from emulator.stackadapt.messages import emulator_error
from emulator.stackadapt.profiles.pages import profile_page
from emulator.stackadapt.relay import CursorOrder, connection
from emulator.stackadapt.rules.profile_input import read_profiles
from emulator.timestamps import from_millis

REPORT = "user_errors"

INTEGRATIONS: CursorOrder[Input] = CursorOrder(
    name="integrations", position=lambda each: (int(each["integrationId"] or 0), each["source"])
)
_PROFILES: CursorOrder[Input] = CursorOrder(name="profiles", position=lambda profile: (profile["id"],))

query = QueryType()
mutations = MutationType()
response = ObjectType("ProfilesResponse")
profile = ObjectType("Profile")
BINDABLES = [
    query,
    mutations,
    plain("ProfilesResponse", "nextToken", "prevToken"),
    response,
    plain("Profile", "email", "marketingStatus", "sources"),
    profile,
    plain("CdpIntegration", "integrationId", "source"),
]


@mutations.field("upsertProfiles")
@mutation
def upsert_profiles(context: RequestContext, given: Input) -> Output:
    """Enqueues profiles. Records without a valid email are user errors only if the workspace says so."""
    context.writable(given["advertiserId"], "input", "advertiserId")
    source = context.source(given["externalProvider"], "input", "externalProvider")
    profiles = given["profiles"]
    if isinstance(profiles, str):
        profiles = context.decoded.get(profiles, profiles)
    profiles = read_profiles(profiles, limit=context.limits.profiles)
    batch = RecordBatch(
        advertiser_id=given["advertiserId"],
        provider=given["externalProvider"],
        source=source,
        sync_id=given.get("syncId"),
        profiles=profiles,
        rejecting=context.faults.record_rejection(),
        waits=context.keeps_waiting_records,
        shared_external_id=context.workspace.ingestion.shared_external_id,
    )
    ingestion = context.workspace.ingestion
    reported = preview_rejections(context.connection, batch) if ingestion.report_rejections == REPORT else ()
    context.jobs.add_records(batch, pin_mappings=ingestion.mapping_race)
    return {"userErrors": reported}


@query.field("cdpProfiles")
def resolve_cdp_profiles(_parent: Any, info: Info, *, advertiserId: str, filterBy: Input | None = None) -> Output:
    context = info.context
    if context.readable(advertiserId) is None:
        raise emulator_error(messages.READ_SCOPE_MISSING.format(advertiserId))
    return profile_page(context.connection, advertiserId, filterBy or {}, now=from_millis(context.arrival.received_at))


@response.field("size")
def resolve_size(parent: Input, _info: Info) -> int:
    size: int = parent["size"]()
    return size


@response.field("profiles")
def resolve_profiles(parent: Input, _info: Info, **page: Any) -> Output:
    return connection(parent["profiles"], page, _PROFILES)


@profile.field("integrations")
def resolve_integrations(parent: Input, _info: Info, **page: Any) -> Output:
    integrations: Sequence[Input] = parent["integrations"]
    return connection(integrations, page, INTEGRATIONS)
