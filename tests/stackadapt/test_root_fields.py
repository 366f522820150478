"""Every root field of the schema returns a result, and a useful error for invalid input."""

from __future__ import annotations

import json
from io import BytesIO
from typing import Any

import pytest
from graphql import build_schema

from emulator.artefacts import contract
from emulator.stackadapt.graphql.schema import API_VERSIONS
from tests.stackadapt.conftest import AUDIENCE_COLUMNS, Service, column

LIST = {"advertiserId": "1001", "name": "VIPs"}
MAPPING = {"advertiserId": "1001", "mappableType": "segment_io", "mappingSchemaV2": [column("email"), column("tier")]}
PEOPLE = json.dumps([{"email": "ann@example.com", "userId": "u1", "tier": "gold"}])
UPLOAD = {"advertiserId": "1001", "mappingSchema": [column("email")], "profiles": [{"email": "bob@example.com"}]}
EMAIL = {"advertiserId": "1001", "email": "ann@example.com"}
EMAILS = {"advertiserId": "1001", "emails": ["ann@example.com"], "isComplianceRequest": False}
TARGET = {"filename": "people.csv", "mimeType": "text/csv", "resourceType": "CDP_PROFILES"}

# Mutations by name: input type, good input, bad input, the path of the user error.
MUTATIONS: dict[str, tuple[str, dict[str, Any], dict[str, Any], list[str]]] = {
    "appendProfileMapping": ("ProfileMappingInput", MAPPING, {**MAPPING, "id": "99"}, ["id"]),
    "archiveAdvertiser": ("ArchiveAdvertiserInput", {"id": "1002"}, {"id": "9"}, ["id"]),
    "archiveAdvertisers": ("ArchiveAdvertisersInput", {"ids": ["1002"]}, {"ids": ["1002", None]}, ["ids"]),
    "createAdvertiser": ("AdvertiserInput", {"name": "Initech"}, {"description": "nameless"}, ["name"]),
    "createProfileList": ("ProfileListInput", LIST, {"advertiserId": "1001"}, ["name"]),
    "createUploadTargets": (
        "CreateUploadTargetsInput",
        {"regionIndependent": [TARGET]},
        {"regionIndependent": [{**TARGET, "resourceType": "IMAGE_ASSET"}]},
        ["regionIndependent"],
    ),
    "createUserUploadedProfiles": (
        "UserUploadedProfilesInput",
        {"advertiserId": "1001", "mappingSchemaV2": [column("email")], "url": "SENT"},
        {"advertiserId": "1001", "mappingSchemaV2": [], "url": "https://example.com/people.csv"},
        ["url"],
    ),
    "createUserUploadedProfilesWithJson": (
        "UserUploadedProfilesWithJSONInput",
        UPLOAD,
        {**UPLOAD, "profiles": [5]},
        ["profiles"],
    ),
    "deleteProfileList": ("DeleteProfileListInput", {"id": "1"}, {"id": "9"}, ["id"]),
    "deleteProfilesWithExternalIds": (
        "DeleteProfilesWithExternalIdsInput",
        {"externalIds": ["u1"], "externalProvider": "segmentio"},
        {"externalIds": ["u1"], "externalProvider": "unknown"},
        ["externalProvider"],
    ),
    "deleteRawProfile": ("DeleteRawProfileInput", EMAIL, {**EMAIL, "email": "x"}, ["email"]),
    "deleteRawProfiles": ("DeleteRawProfilesInput", EMAILS, {**EMAILS, "emails": ["x"] * 101}, ["emails"]),
    "restoreAdvertiser": ("RestoreAdvertiserInput", {"id": "1002"}, {"id": "9"}, ["id"]),
    "updateAdvertiser": ("AdvertiserInput", {"id": "1002", "name": "New"}, {"name": "New"}, ["id"]),
    "updateProfileList": ("ProfileListInput", {"id": "1", "name": "Best"}, {"id": "1", "name": " "}, ["name"]),
    "updateProfileListProfiles": (
        "UpdateProfileListProfilesInput",
        {"advertiserId": "1001", "ids": ["1"], "addProfilesRawEmail": ["ann@example.com"]},
        {"advertiserId": "1001", "ids": ["1"], "addProfilesRawEmail": ["x"]},
        ["addProfilesRawEmail"],
    ),
    "upsertExternalAudienceMapping": (
        "ExternalAudienceMappingInput",
        {"advertiserId": "1001", "mappingSchema": AUDIENCE_COLUMNS},
        {"mappingSchema": AUDIENCE_COLUMNS},
        ["advertiserId"],
    ),
    "upsertProfileMapping": ("ProfileMappingInput", MAPPING, {**MAPPING, "advertiserId": "9"}, ["advertiserId"]),
    "upsertProfiles": (
        "UpsertProfilesInput",
        {"advertiserId": "1001", "externalProvider": "segment_io", "profiles": PEOPLE},
        {"advertiserId": "1001", "externalProvider": "segment_io", "profiles": "{"},
        ["profiles"],
    ),
}
ECHOES = (
    "archiveAdvertiser",
    "archiveAdvertisers",
    "createUploadTargets",
    "deleteProfileList",
    "deleteRawProfile",
    "deleteRawProfiles",
    "restoreAdvertiser",
    "updateProfileListProfiles",
)

# Queries, and the one mutation that has no user errors: a valid document, its result, and an invalid document.
HUB = """mutation {{ dataHubWebhookApi {{ upsertProfiles(integration: "{0}", input: {{
  requestId: "r1", subAdvertiserId: 1001, integrationId: 1, data: [{{email: "cy@example.com"}}]
}}) {{ status requestId }} }} }}"""
OTHERS: dict[str, tuple[str, Any, str]] = {
    "Query.account": ("{ account { id } }", {"id": "1"}, "{ account(id: 1) { id } }"),
    "Query.advertiser": (
        "{ advertiser(id: 1001) { name profileList(profileListId: 1) { name } } }",
        {"name": "Acme Outfitters", "profileList": {"name": "first"}},
        "{ advertiser { name } }",
    ),
    "Query.advertisers": (
        "{ advertisers(filterBy: {archived: false}, first: 1) { totalCount nodes { id } } }",
        {"totalCount": 2, "nodes": [{"id": "1001"}]},
        "{ advertisers(first: -1) { totalCount } }",
    ),
    "Query.audiences": (
        "{ audiences { demographicSegments interestSegments } }",
        {"demographicSegments": [], "interestSegments": []},
        "{ audiences }",
    ),
    "Query.cdpProfiles": (
        "{ cdpProfiles(advertiserId: 1001) { size } }",
        {"size": 0},
        "{ cdpProfiles(advertiserId: 9) { size } }",
    ),
    "Query.customSegments": (
        "{ customSegments { totalCount } }",
        {"totalCount": 0},
        '{ customSegments(after: "?") { totalCount } }',
    ),
    "Query.dataHubWebhookApi": (
        "{ dataHubWebhookApi { dummy } }",
        {"dummy": None},
        "{ dataHubWebhookApi { upsertProfiles } }",
    ),
    "Query.profileMappingStatus": (
        '{ profileMappingStatus(advertiserId: 1001, mappableId: "unknown") }',
        None,
        "{ profileMappingStatus(advertiserId: 1001) }",
    ),
    "Query.tokenInfo": ("{ tokenInfo { name } }", {"name": "Local read and write"}, "{ tokenInfo { secret } }"),
    "Query.user": ("{ user { email } }", {"email": "integration@example.com"}, "{ user { id } }"),
    "Mutation.dataHubWebhookApi": (
        HUB.format("segment_io"),
        {"upsertProfiles": {"status": "accepted", "requestId": "r1"}},
        HUB.format("unknown"),
    ),
}


@pytest.fixture
def prepared(service: Service) -> Service:
    """A mapping with the id 1, a list with the id 1."""
    service.map_profiles(column("email"))
    document = "mutation($i: ProfileListInput!) { createProfileList(input: $i) { profileList { id } } }"
    made = service.run(document, i={**LIST, "name": "first"})["createProfileList"]
    assert made == {"profileList": {"id": "1"}}
    return service


def ask(service: Service, name: str, given: dict[str, Any]) -> Any:
    payload = "{ clientMutationId userErrors { message path } }"
    document = f"mutation($i: {MUTATIONS[name][0]}!) {{ result: {name}(input: $i) {payload} }}"
    return service.run(document, i=given)["result"]


def sent_file(service: Service) -> str:
    """The URL of a file that was sent to an upload target."""
    document = """mutation($i: CreateUploadTargetsInput!) { createUploadTargets(input: $i) {
      targets { url resourceUrl parameters { name value } } } }"""
    created = service.run(document, i={"regionIndependent": [TARGET]})["createUploadTargets"]
    (target,) = created["targets"]
    form = {each["name"]: each["value"] for each in target["parameters"]}
    response = service.http.post(
        target["url"], data={**form, "file": (BytesIO(b"email\nd@example.com\n"), "people.csv")}
    )
    assert response.status_code == 204, response.text
    return str(target["resourceUrl"])


def test_every_root_field_is_tested() -> None:
    schema = build_schema(contract(API_VERSIONS["2026-06"].file).read_text(encoding="utf-8"))
    assert schema.query_type
    assert schema.mutation_type
    fields = {f"Query.{name}" for name in schema.query_type.fields}
    fields |= {f"Mutation.{name}" for name in schema.mutation_type.fields}
    assert fields == OTHERS.keys() | {f"Mutation.{name}" for name in MUTATIONS}


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_mutation_accepts_valid_input(prepared: Service, name: str) -> None:
    given = dict(MUTATIONS[name][1])
    if given.get("url") == "SENT":
        given["url"] = sent_file(prepared)
    assert ask(prepared, name, given) == {"clientMutationId": None, "userErrors": []}


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_mutation_names_the_invalid_argument(prepared: Service, name: str) -> None:
    _, _, bad, path = MUTATIONS[name]
    (error,) = ask(prepared, name, bad)["userErrors"]
    assert error["path"] == ["input", *path]
    assert error["message"]


@pytest.mark.parametrize("name", ECHOES)
def test_client_mutation_ids_are_returned(prepared: Service, name: str) -> None:
    for given in MUTATIONS[name][1:3]:
        assert ask(prepared, name, {**given, "clientMutationId": "mine"})["clientMutationId"] == "mine"


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_read_only_token_changes_nothing(prepared: Service, name: str) -> None:
    kind, given, _, _ = MUTATIONS[name]
    document = f"mutation($i: {kind}!) {{ result: {name}(input: $i) {{ userErrors {{ message }} }} }}"
    (error,) = prepared.run(document, i=given, token="sa-local-read")["result"]["userErrors"]
    assert "WRITE" in error["message"]


@pytest.mark.parametrize("name", OTHERS)
def test_queries_accept_valid_and_refuse_invalid_arguments(prepared: Service, name: str) -> None:
    good, expected, bad = OTHERS[name]
    assert prepared.run(good)[name.partition(".")[2]] == expected
    (error, *_) = prepared.post({"query": bad}).json["errors"]
    assert error["message"]
