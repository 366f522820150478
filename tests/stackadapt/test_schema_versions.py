"""The served schema is the whole contract; a mismatch of schema and resolvers stops the start."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
from ariadne import ObjectType
from graphql import (
    GraphQLSchema,
    build_client_schema,
    build_schema,
    find_breaking_changes,
    find_dangerous_changes,
    get_introspection_query,
)

from emulator.artefacts import contract
from emulator.cli import exec as exec_command
from emulator.cli import serve
from emulator.errors import EmulatorDefect, InputError
from emulator.stackadapt.graphql.resolvers.fields import plain
from emulator.stackadapt.graphql.schema import API_VERSIONS, LATEST, bind, bindables_of, executable_schema
from tests.stackadapt.conftest import Make, column


def contract_schema(api_version: str) -> GraphQLSchema:
    return build_schema(contract(API_VERSIONS[api_version].file).read_text(encoding="utf-8"))


@pytest.mark.parametrize("api_version", API_VERSIONS)
def test_the_served_schema_is_the_contract(make_service: Make, api_version: str) -> None:
    service = make_service(api_version=api_version)
    served = build_client_schema(service.run(get_introspection_query(input_value_deprecation=True)))
    written = contract_schema(api_version)
    for left, right in ((served, written), (written, served)):
        assert find_breaking_changes(left, right) == []
        assert find_dangerous_changes(left, right) == []


@pytest.mark.parametrize("api_version", API_VERSIONS)
def test_the_directives_are_those_that_older_clients_know(make_service: Make, api_version: str) -> None:
    """A client whose library does not know a location refuses the schema."""
    service = make_service(api_version=api_version)
    described = service.run("{ __schema { directives { name locations args { name type { kind name } } } } }")
    directives = {each["name"]: each for each in described["__schema"]["directives"]}
    assert sorted(directives) == ["deprecated", "include", "oneOf", "skip", "specifiedBy"]
    assert directives["deprecated"] == {
        "name": "deprecated",
        "locations": ["FIELD_DEFINITION", "ARGUMENT_DEFINITION", "INPUT_FIELD_DEFINITION", "ENUM_VALUE"],
        "args": [{"name": "reason", "type": {"kind": "SCALAR", "name": "String"}}],
    }


def test_the_api_versions_differ_where_the_clients_do() -> None:
    changes = {
        change.description for change in find_breaking_changes(contract_schema("2024-12"), contract_schema("2026-06"))
    }
    assert any("ProfileMappingInput.mappingSchema was removed" in change for change in changes)
    assert any("deleteProfilesWithExternalIds" in change for change in changes)


def test_the_api_version_of_2025_accepts_all_that_the_one_before_accepts() -> None:
    assert find_breaking_changes(contract_schema("2024-12"), contract_schema("2025-05")) == []


def test_every_place_that_lists_the_api_versions_lists_them_all() -> None:
    schema = json.loads(contract("workspace.schema.json").read_text(encoding="utf-8"))
    helps = [schema["properties"]["apiVersion"]["description"]]
    for command in (serve.command, exec_command.command):
        helps += [option.help for option in command.params if option.name == "api_version"]
    assert len(helps) == 3
    for text in helps:
        assert all(version in text for version in API_VERSIONS), text


def test_an_unknown_api_version_is_an_error_with_the_nearest(make_service: Make) -> None:
    with pytest.raises(InputError) as caught:
        make_service(api_version="2026-05")
    assert "2026-06" in str(caught.value)
    assert "Did you mean" in str(caught.value)


BINDABLES = bindables_of(API_VERSIONS[LATEST])


@pytest.mark.parametrize(
    ("bindables", "place", "message"),
    [
        (BINDABLES[:-1], "UploadTargetParameters.name", "no resolver"),
        ([*BINDABLES, plain("User", "emial")], "User.emial", "Did you mean 'email'?"),
        ([*BINDABLES, plain("User", "email")], "User.email", "two resolvers"),
        ([*BINDABLES, plain("Usr", "email")], "Usr", "Type Usr is not defined in the schema. Did you mean 'User'?"),
        ([*BINDABLES, ObjectType("JSON")], "", "expected GraphQLObjectType"),
    ],
)
def test_schema_and_resolvers_that_do_not_match_stop_the_start(bindables: Any, place: str, message: str) -> None:
    sdl = contract(API_VERSIONS[LATEST].file).read_text(encoding="utf-8")
    with pytest.raises(EmulatorDefect) as caught:
        bind(sdl, bindables)
    assert str(caught.value).startswith(place)
    assert message in str(caught.value)


def test_the_schema_is_built_once_per_process() -> None:
    assert executable_schema("2026-06") is executable_schema("2026-06")


PROFILES = (
    '[{"userId":"u1","email":"ann@example.com","first_name":"Ann",'
    '"audienceId":"aud_1","audienceName":"vip","action":"enter"}]'
)
TEXT_COLUMNS = json.dumps([{"incoming_key": "city", "destination_key": "city", "label": "City", "type": "string"}])
# The layout of the published client's documents: everything inlined, the provider's spelling of its generation.
DOCUMENT_2026 = """mutation {
      upsertProfileMapping(
        input: {
          advertiserId: 1001,
          mappingSchemaV2: [{incomingKey:"email",destinationKey:"email",label:"Email",type:STRING,isPii:true},\
{incomingKey:"first_name",destinationKey:"first_name",label:"First Name",type:STRING,isPii:true}],
          isOptedIn: true,
          mappableType: "segment_io"
        }
      ) {
        userErrors {
          message
        }
      }
      upsertProfiles(
        input: {
          advertiserId: 1001,
          externalProvider: "segment_io",
          syncId: "SYNC",
          profiles: "PROFILES"
        }
      ) {
        userErrors {
          message
        }
      }
      upsertExternalAudienceMapping(
          input: {
            advertiserId: 1001,
            mappingSchema: [{incomingKey:"audienceId",destinationKey:"external_id",type:STRING,\
label:"External Audience ID",isPii:false},{incomingKey:"audienceName",destinationKey:"name",type:STRING,\
label:"External Audience Name",isPii:false}],
            mappableType: "segment_io"
          }
        ) {
          userErrors {
            message
          }
        }
  }"""
DOCUMENT_2024 = """mutation {
      upsertProfiles(
        input: {
          advertiserId: 1001,
          externalProvider: "SEGMENT_IO",
          syncId: "SYNC",
          profiles: "PROFILES"
        }
      ) {
        userErrors {
          message
        }
      }
      upsertProfileMapping(
        input: {
          advertiserId: 1001,
          mappingSchema: "[{\\"incoming_key\\":\\"userId\\",\\"destination_key\\":\\"external_id\\",\
\\"label\\":\\"User Id\\",\\"data_type\\":\\"string\\",\\"is_pii\\":false},{\\"incoming_key\\":\\"first_name\\",\
\\"destination_key\\":\\"first_name\\",\\"label\\":\\"First Name\\",\\"data_type\\":\\"object\\",\\"is_pii\\":false}]",
          mappableType: "SEGMENT_IO",
        }
      ) {
        userErrors {
          message
        }
      }
      upsertExternalAudienceMapping(
        input: {
          advertiserId: 1001,
          mappingSchema: "[{\\"incoming_key\\":\\"audienceId\\",\\"destination_key\\":\\"external_id\\",\
\\"data_type\\":\\"string\\",\\"label\\":\\"External Audience ID\\"},{\\"incoming_key\\":\\"audienceName\\",\
\\"destination_key\\":\\"name\\",\\"data_type\\":\\"string\\",\\"label\\":\\"External Audience Name\\"}]",
          mappableType: "SEGMENT_IO"
        }
      ) {
        userErrors {
          message
        }
      }
    }"""


def client_document(template: str) -> str:
    escaped = PROFILES.replace('"', '\\"')
    return template.replace("PROFILES", escaped).replace("SYNC", hashlib.sha256(escaped.encode()).hexdigest())


# Of May 2025: a typed profile mapping, an audience mapping as JSON text, and no consent on the mapping.
DOCUMENT_2025 = """mutation {
      upsertProfiles(
        input: {
          advertiserId: 1001,
          externalProvider: "SEGMENT_IO",
          syncId: "SYNC",
          profiles: "PROFILES"
        }
      ) {
        userErrors {
          message
        }
      }
      upsertProfileMapping(
        input: {
          advertiserId: 1001,
          mappingSchemaV2: [{incomingKey:"userId",destinationKey:"external_id",label:"User Id",type:STRING,\
isPii:false},{incomingKey:"first_name",destinationKey:"first_name",label:"First Name",type:STRING,isPii:false}],
          mappableType: "SEGMENT_IO",
        }
      ) {
        userErrors {
          message
        }
      }
      upsertExternalAudienceMapping(
        input: {
          advertiserId: 1001,
          mappingSchema: "[{\\"incoming_key\\":\\"audienceId\\",\\"destination_key\\":\\"external_id\\",\
\\"data_type\\":\\"string\\",\\"label\\":\\"External Audience ID\\"},{\\"incoming_key\\":\\"audienceName\\",\
\\"destination_key\\":\\"name\\",\\"data_type\\":\\"string\\",\\"label\\":\\"External Audience Name\\"}]",
          mappableType: "SEGMENT_IO"
        }
      ) {
        userErrors {
          message
        }
      }
    }"""
API_CLIENTS = [
    ("2026-06", DOCUMENT_2026),
    ("2025-05", DOCUMENT_2025),
    ("2025-05", DOCUMENT_2024),
    ("2024-12", DOCUMENT_2024),
]


@pytest.mark.parametrize(("api_version", "template"), API_CLIENTS)
def test_each_api_version_accepts_its_clients_documents(make_service: Make, api_version: str, template: str) -> None:
    service = make_service(api_version=api_version)
    payloads = service.run(client_document(template))
    assert all(payload == {"userErrors": []} for payload in payloads.values())
    profile = service.profile("ann@example.com")
    assert profile["externalIds"] == ["u1"]
    assert profile["properties"] == {"first_name": "Ann"}
    assert [(audience["id"], audience["name"]) for audience in profile["audiences"]] == [("aud_1", "vip")]


@pytest.mark.parametrize(
    ("api_version", "template", "message"),
    [
        ("2026-06", DOCUMENT_2024, 'Field "mappingSchema" is not defined by type "ProfileMappingInput". Did you mean'),
        ("2026-06", DOCUMENT_2025, "Expected value of type"),
        ("2025-05", DOCUMENT_2026, 'Field "isOptedIn" is not defined by type "ProfileMappingInput"'),
        ("2025-05", DOCUMENT_2026, "String cannot represent a non string value"),
        ("2024-12", DOCUMENT_2025, 'Field "mappingSchemaV2" is not defined by type "ProfileMappingInput"'),
        ("2024-12", DOCUMENT_2026, 'Field "mappingSchemaV2" is not defined by type "ProfileMappingInput"'),
    ],
)
def test_a_document_of_the_other_api_version_fails_validation(
    make_service: Make, api_version: str, template: str, message: str
) -> None:
    service = make_service(api_version=api_version)
    response = service.post({"query": client_document(template)})
    assert response.status_code == 200
    assert any(message in error["message"] for error in response.json["errors"])
    assert service.stackadapt.records() == []


def test_a_deletion_of_2024_has_bare_arguments_and_applies_to_every_advertiser(make_service: Make) -> None:
    service = make_service(api_version="2024-12")
    service.run(client_document(DOCUMENT_2024))
    document = """mutation {
      deleteProfilesWithExternalIds(
        externalIds: ["u1"],
        externalProvider: "SEGMENT_IO",
        syncId: "s"
      ) { userErrors { message path } }
    }"""
    assert service.run(document)["deleteProfilesWithExternalIds"]["userErrors"] == []
    assert service.stackadapt.profiles() == []


@pytest.mark.parametrize(
    ("both", "columns"),
    [
        ({"mappingSchema": TEXT_COLUMNS, "mappingSchemaV2": [column("tier")]}, ["tier"]),
        ({"mappingSchema": TEXT_COLUMNS, "mappingSchemaV2": None}, ["city"]),
        ({"mappingSchema": None, "mappingSchemaV2": [column("tier")]}, ["tier"]),
        ({"mappingSchema": "broken", "mappingSchemaV2": [column("tier")]}, ["tier"]),
    ],
)
def test_the_newer_form_of_a_mapping_counts_where_both_exist(
    make_service: Make, both: dict[str, Any], columns: list[str]
) -> None:
    service = make_service(api_version="2025-05")
    document = """mutation($m: ProfileMappingInput!) {
      upsertProfileMapping(input: $m) { userErrors { message } profileMapping { mappingSchema } } }"""
    payload = service.run(document, m={"advertiserId": "1001", **both})["upsertProfileMapping"]
    assert payload["userErrors"] == []
    assert [each["incoming_key"] for each in payload["profileMapping"]["mappingSchema"]] == columns


def test_a_mapping_of_2024_that_is_not_json_is_a_user_error(make_service: Make) -> None:
    service = make_service(api_version="2024-12")
    document = "mutation($m: ProfileMappingInput!) { upsertProfileMapping(input: $m) { userErrors { message path } } }"
    for schema in ("nonsense", "{}", json.dumps([{"incoming_key": "a"}]), "[" * 50_000, "[1]"):
        given = {"advertiserId": "1001", "mappingSchema": schema}
        (error,) = service.run(document, m=given)["upsertProfileMapping"]["userErrors"]
        assert error["path"] == ["input", "mappingSchema"]
