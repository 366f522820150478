"""`createUserUploadedProfiles`, `createUserUploadedProfilesWithJson` and `createUploadTargets`."""

from __future__ import annotations

from collections.abc import Sequence

from ariadne import MutationType

from emulator.stackadapt import messages
from emulator.stackadapt.graphql.context import RequestContext
from emulator.stackadapt.graphql.resolvers.fields import Input, Output, mutation, plain
from emulator.stackadapt.graphql.resolvers.mappings import columns_of, mapping_node
from emulator.stackadapt.graphql.resolvers.profile_lists import chosen_list
from emulator.stackadapt.ingestion.upload_targets import make_target, read_upload
from emulator.stackadapt.ingestion.uploads import Upload, take_upload
from emulator.stackadapt.rules.mapping_columns import MappingColumn
from emulator.stackadapt.rules.profile_input import UnreadableFile, read_file, read_profiles
from emulator.stackadapt.rules.user_errors import refusal
from emulator.text import is_storable
from emulator.text_files import NotUtf8, decode

RESOURCE = "CDP_PROFILES"

mutations = MutationType()
BINDABLES_2026 = [
    mutations,
    plain("UserUploadedProfiles", "advertiser", "filename", "id", "profileMapping"),
    plain("UploadTarget", "parameters", "resourceUrl", "url"),
    plain("UploadTargetParameters", "name", "value"),
]


@mutations.field("createUserUploadedProfiles")
@mutation
def create_user_uploaded_profiles(context: RequestContext, given: Input) -> Output:
    """Ingests a file. One without profiles is accepted too, and its status becomes ERROR (assumed)."""
    context.writable(given.get("advertiserId"), "input", "advertiserId")
    url = given.get("url")
    if not url:
        raise refusal(messages.URL_REQUIRED, "input", "url")
    columns = columns_of(context, given) or ()
    name, content = read_upload(context.connection, context.uploads, url, most_bytes=context.limits.body_bytes)
    name = given.get("filename") or name
    try:
        records, failure = read_file(name, decode(content)), None
        if len(records) > context.limits.profiles:
            records, failure = [], messages.TOO_MANY_PROFILES.format(len(records), context.limits.profiles)
    except (NotUtf8, UnreadableFile) as error:
        records, failure = [], str(error)
    return _upload(context, given, columns, name, records, failure)


@mutations.field("createUserUploadedProfilesWithJson")
@mutation
def create_user_uploaded_profiles_with_json(context: RequestContext, given: Input) -> Output:
    """Ingests profiles sent inline. The payload requires a file name, so one is generated."""
    context.writable(given["advertiserId"], "input", "advertiserId")
    columns = columns_of(context, given) or ()
    records = read_profiles(given["profiles"], limit=context.limits.profiles)
    return _upload(context, given, columns, f"{context.arrival.request_id}.json", records)


@mutations.field("createUploadTargets")
@mutation
def create_upload_targets(context: RequestContext, given: Input) -> Output:
    """Targets for files of CDP profiles, to be sent as a form with the field `key` and the file.

    The input names no advertiser; the token needs WRITE on some advertiser, as for every mutation (assumed).
    """
    context.writes_somewhere()
    wanted = given.get("regionIndependent") or ()
    if given.get("regionDependent"):
        raise refusal(messages.ONLY_CDP_PROFILES, "input", "regionDependent")
    if any(each["resourceType"] != RESOURCE for each in wanted):
        raise refusal(messages.ONLY_CDP_PROFILES, "input", "regionIndependent")
    return {"targets": [_target(context, each) for each in wanted]}


def _target(context: RequestContext, wanted: Input) -> Output:
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


def _upload(
    context: RequestContext,
    given: Input,
    columns: Sequence[MappingColumn],
    filename: str,
    records: Sequence[Input],
    failure: str | None = None,
) -> Output:
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
    mapping, instructions = take_upload(context.jobs, upload)
    shown = {
        "advertiser": context.advertisers.get(advertiser_id),
        "filename": filename,
        "id": mapping.mappable_id,
        "profileMapping": mapping_node(context, mapping, instructions, filename),
    }
    return {"mappableId": mapping.mappable_id, "userUploadedProfiles": shown}
