"""`upsertProfileMapping`, `appendProfileMapping`, `upsertExternalAudienceMapping` and `profileMappingStatus`."""

from __future__ import annotations

from typing import Any

from ariadne import MutationType, QueryType

from emulator.stackadapt import messages
from emulator.stackadapt.graphql.context import Info, RequestContext
from emulator.stackadapt.graphql.resolvers.fields import Input, Output, mutation, plain
from emulator.stackadapt.graphql.resolvers.profile_lists import chosen_list
from emulator.stackadapt.ingestion.jobs import MAPPING_JOB
from emulator.stackadapt.ingestion.mappings import (
    AUDIENCE,
    PROFILE,
    Mapping,
    find_or_create_mapping,
    mapping_by_id,
    request_schema,
)
from emulator.stackadapt.ingestion.uploads import mapping_status
from emulator.stackadapt.rules.mapping_columns import (
    MalformedMapping,
    MappingColumn,
    appended,
    columns_of_input,
    columns_of_text,
)
from emulator.stackadapt.rules.user_errors import refusal

query = QueryType()
mutations = MutationType()
mutations_2026 = MutationType()
BINDABLES = [
    query,
    mutations,
    plain("ProfileMapping", "advertiser", "id", "mappableId", "mappableType", "mappingSchema", "name"),
    plain("ExternalAudienceMapping", "advertiser", "id", "mappableId", "mappableType", "mappingSchema"),
    plain("UserError", "message", "path"),
]
BINDABLES_2026 = [mutations_2026]


@mutations.field("upsertProfileMapping")
@mutation
def upsert_profile_mapping(context: RequestContext, given: Input) -> Output:
    """Replaces the whole mapping of a connection; a mapping without `mappingSchema` keeps its columns."""
    columns = columns_of(context, given)
    mapping = _chosen(context, given, PROFILE)
    instructions = request_schema(
        context.connection,
        mapping,
        mapping.columns if columns is None else columns,
        is_opted_in=given.get("isOptedIn"),
        list_id=chosen_list(context, mapping.advertiser_id, given),
    )
    return {"profileMapping": _enqueue(context, mapping, instructions)}


@mutations_2026.field("appendProfileMapping")
@mutation
def append_profile_mapping(context: RequestContext, given: Input) -> Output:
    """Adds columns to a connection's mapping; `isOptedIn` and the list change only when they are given."""
    columns = columns_of(context, given)
    mapping = _chosen(context, given, PROFILE)
    is_opted_in, list_id = given.get("isOptedIn"), chosen_list(context, mapping.advertiser_id, given)
    instructions = request_schema(
        context.connection,
        mapping,
        appended(mapping.columns, columns or ()),
        is_opted_in=mapping.is_opted_in if is_opted_in is None else is_opted_in,
        list_id=mapping.list_id if list_id is None else list_id,
    )
    return {"profileMapping": _enqueue(context, mapping, instructions)}


@mutations.field("upsertExternalAudienceMapping")
@mutation
def upsert_external_audience_mapping(context: RequestContext, given: Input) -> Output:
    """Replaces the external audience mapping of a connection."""
    columns = columns_of(context, given)
    mapping = _chosen(context, given, AUDIENCE)
    kept = mapping.columns if columns is None else columns
    instructions = request_schema(context.connection, mapping, kept)
    return {"externalAudienceMapping": _enqueue(context, mapping, instructions)}


@query.field("profileMappingStatus")
def resolve_status(_parent: Any, info: Info, *, advertiserId: str, mappableId: str) -> str | None:
    context = info.context
    if context.readable(advertiserId) is None:
        return None
    return mapping_status(context.connection, advertiserId, mappableId)


def columns_of(context: RequestContext, given: Input) -> list[MappingColumn] | None:
    """The columns of the input; None when it has none. Raises Refusal.

    Where an API version has the fields of both forms, `mappingSchemaV2` counts if it is given.
    """
    name = "mappingSchema" if given.get("mappingSchemaV2") is None else "mappingSchemaV2"
    schema = given.get(name)
    try:
        if isinstance(schema, str):
            return columns_of_text(schema, context.property_types)
        return None if schema is None else columns_of_input(schema)
    except MalformedMapping as error:
        raise refusal(messages.MALFORMED_MAPPING.format(str(error)), "input", name) from None


def _chosen(context: RequestContext, given: Input, kind: str) -> Mapping:
    """The mapping with the `id` of the input, else the one with its identity, created if necessary."""
    advertiser_id, mapping_id = given.get("advertiserId"), given.get("id")
    if advertiser_id is not None or mapping_id is None:
        context.writable(advertiser_id, "input", "advertiserId")
    if mapping_id is not None:
        mapping = mapping_by_id(context.connection, mapping_id, kind)
        if mapping is None or advertiser_id not in (None, mapping.advertiser_id):
            raise refusal(messages.MAPPING_UNKNOWN, "input", "id")
        context.writable(mapping.advertiser_id, "input", "id")
        return mapping
    return find_or_create_mapping(
        context.connection,
        advertiser_id=str(advertiser_id),
        kind=kind,
        mappable_type=given.get("mappableType"),
        mappable_id=given.get("mappableId"),
    )


def mapping_node(context: RequestContext, mapping: Mapping, instructions: Input, name: str | None = None) -> Output:
    """The `ProfileMapping` or `ExternalAudienceMapping` of the schema, with the columns that were requested."""
    return {
        "advertiser": context.advertisers.get(mapping.advertiser_id),
        "id": mapping.id,
        "mappableId": mapping.mappable_id,
        "mappableType": mapping.mappable_type,
        "mappingSchema": instructions["mapping_schema"],
        "name": name,
    }


def _enqueue(context: RequestContext, mapping: Mapping, instructions: Input) -> Output:
    context.jobs.add(MAPPING_JOB, advertiser_id=mapping.advertiser_id, mapping_id=mapping.id, instructions=instructions)
    return mapping_node(context, mapping, instructions)
