"""`createUserUploadedProfiles`, `createUserUploadedProfilesWithJson` and `createUploadTargets`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ariadne import MutationType

from emulator.stackadapt import messages
from emulator.stackadapt.graphql.context import RequestContext
from emulator.stackadapt.graphql.resolvers.advertisers import advertiser_node
from emulator.stackadapt.graphql.resolvers.fields import mutation, payload_type, plain
from emulator.stackadapt.graphql.resolvers.profile_lists import chosen_list
from emulator.stackadapt.ingestion.upload_targets import make_target, read_upload
from emulator.stackadapt.ingestion.uploads import SOURCE, Upload, take_upload
from emulator.stackadapt.rules.mapping_columns import MalformedMapping, MappingColumn, columns_of_input
from emulator.stackadapt.rules.profile_input import UnreadableFile, read_file
from emulator.stackadapt.rules.user_errors import payload, refusal
from emulator.text import is_storable

RESOURCE = "CDP_PROFILES"

mutations = MutationType()
BINDABLES_2026 = [
    mutations,
    plain("UserUploadedProfiles", "advertiser", "filename", "id", "profileMapping"),
    payload_type("CreateUserUploadedProfilesPayload", "mappableId", "userUploadedProfiles"),
    payload_type("CreateUserUploadedProfilesWithJSONPayload", "mappableId", "userUploadedProfiles"),
    payload_type("CreateUploadTargetsPayload", "targets"),
    plain("UploadTarget", "parameters", "resourceUrl", "url"),
    plain("UploadTargetParameters", "name", "value"),
]


@mutations.field("createUserUploadedProfiles")
@mutation
def create_user_uploaded_profiles(context: RequestContext, given: Mapping[str, Any]) -> dict[str, Any]:
    """Ingests a file. One without profiles is accepted too, and its status becomes ERROR (assumed)."""
    advertiser_id, url = given.get("advertiserId"), given.get("url")
    if advertiser_id is None:
        raise refusal(messages.ADVERTISER_REQUIRED, "input", "advertiserId")
    context.writable(advertiser_id, "input", "advertiserId")
    if not url:
        raise refusal(messages.URL_REQUIRED, "input", "url")
    columns = _columns(given, "mappingSchemaV2")
    name, text = read_upload(context.connection, context.uploads, url, most_bytes=context.limits.body_bytes)
    name = given.get("filename") or name
    try:
        records, failure = read_file(name, text), None
        if len(records) > context.limits.profiles:
            records, failure = [], messages.too_many_profiles(len(records), context.limits.profiles)
    except UnreadableFile as error:
        records, failure = [], str(error)
    return _upload(context, given, columns, name, records, failure)


@mutations.field("createUserUploadedProfilesWithJson")
@mutation
def create_user_uploaded_profiles_with_json(context: RequestContext, given: Mapping[str, Any]) -> dict[str, Any]:
    """Ingests profiles sent inline. The payload requires a file name, so one is generated."""
    context.writable(given["advertiserId"], "input", "advertiserId")
    columns = _columns(given, "mappingSchema")
    records = given["profiles"]
    if not all(isinstance(record, dict) for record in records):
        raise refusal(messages.MALFORMED_PROFILES, "input", "profiles")
    if len(records) > context.limits.profiles:
        raise refusal(messages.too_many_profiles(len(records), context.limits.profiles), "input", "profiles")
    return _upload(context, given, columns, f"{context.arrival.request_id}.json", records)


@mutations.field("createUploadTargets")
@mutation
def create_upload_targets(context: RequestContext, given: Mapping[str, Any]) -> dict[str, Any]:
    """Targets for files of CDP profiles, to be sent as a form with the field `key` and the file."""
    wanted = given.get("regionIndependent") or ()
    if given.get("regionDependent"):
        raise refusal(messages.ONLY_CDP_PROFILES, "input", "regionDependent")
    if any(each["resourceType"] != RESOURCE for each in wanted):
        raise refusal(messages.ONLY_CDP_PROFILES, "input", "regionIndependent")
    return {**payload(), "targets": [_target(context, each) for each in wanted]}


def _target(context: RequestContext, wanted: Mapping[str, Any]) -> dict[str, Any]:
    if not is_storable(wanted["filename"]) or not is_storable(wanted["mimeType"]):
        raise refusal(messages.NAME_REQUIRED, "input", "regionIndependent")
    key, resource_url = make_target(
        context.connection, context.uploads, filename=wanted["filename"], mime_type=wanted["mimeType"]
    )
    return {
        "url": context.uploads.base_url,
        "resourceUrl": resource_url,
        "parameters": [{"name": "key", "value": key}],
    }


def _columns(given: Mapping[str, Any], argument: str) -> list[MappingColumn]:
    try:
        return columns_of_input(given[argument])
    except MalformedMapping as error:
        raise refusal(messages.malformed_mapping(str(error)), "input", argument) from None


def _upload(
    context: RequestContext,
    given: Mapping[str, Any],
    columns: Sequence[MappingColumn],
    filename: str,
    records: Sequence[Mapping[str, Any]],
    failure: str | None = None,
) -> dict[str, Any]:
    advertiser_id = given["advertiserId"]
    upload = Upload(
        advertiser_id=advertiser_id,
        filename=filename,
        columns=columns,
        records=records,
        status=given.get("profileOwnedStatus"),
        list_id=chosen_list(context, advertiser_id, given),
        failure=failure,
        rejecting=context.faults.record_rejection(),
    )
    upload_id, mapping_id, instructions = take_upload(context.connection, context.arrival, upload)
    advertiser = advertiser_node(context.writable(advertiser_id, "input", "advertiserId"))
    mapping = {
        "advertiser": advertiser,
        "id": str(mapping_id),
        "mappableId": upload_id,
        "mappableType": SOURCE,
        "mappingSchema": instructions["mapping_schema"],
        "name": filename,
    }
    shown = {"advertiser": advertiser, "filename": filename, "id": upload_id, "profileMapping": mapping}
    return {**payload(), "mappableId": upload_id, "userUploadedProfiles": shown}
