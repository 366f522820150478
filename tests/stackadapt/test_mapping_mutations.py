"""Mappings: replaced as a whole, identified by connection, polled by their mappable id."""

from __future__ import annotations

from typing import Any

import pytest

from tests.stackadapt.conftest import READ, Make, Service, column

UPSERT = """mutation($m: ProfileMappingInput!) { upsertProfileMapping(input: $m) {
  clientMutationId userErrors { message path }
  profileMapping { id name mappableId mappableType mappingSchema advertiser { id } } } }"""
APPEND = UPSERT.replace("upsertProfileMapping", "appendProfileMapping")
AUDIENCE = """mutation($m: ExternalAudienceMappingInput!) { upsertExternalAudienceMapping(input: $m) {
  userErrors { message path } externalAudienceMapping { id mappableType mappingSchema advertiser { id } } } }"""


def upsert(service: Service, document: str = UPSERT, **given: Any) -> Any:
    (answer,) = service.run(document, m={"advertiserId": "1001", "mappableType": "segment_io", **given}).values()
    return answer


def keys(mapping: Any) -> list[str]:
    return [entry["destination_key"] for entry in mapping["mappingSchema"]]


def test_the_payload_shows_the_mapping_with_snake_case_columns(service: Service) -> None:
    options = [{"label": "Gold", "value": "g"}]
    answer = upsert(service, mappingSchemaV2=[column("tier", "ENUMERATION", options=options, value="g")])
    assert answer == {
        "clientMutationId": None,
        "userErrors": [],
        "profileMapping": {
            "id": "1",
            "name": None,
            "mappableId": None,
            "mappableType": "segment_io",
            "advertiser": {"id": "1001"},
            "mappingSchema": [
                {
                    "incoming_key": "tier",
                    "destination_key": "tier",
                    "label": "Tier",
                    "data_type": "ENUMERATION",
                    "is_pii": False,
                    "value": "g",
                    "options": options,
                }
            ],
        },
    }


def test_a_mapping_is_replaced_as_a_whole(service: Service) -> None:
    first = upsert(service, mappingSchemaV2=[column("a"), column("b")])["profileMapping"]
    second = upsert(service, mappingSchemaV2=[column("c")])["profileMapping"]
    assert first["id"] == second["id"]
    assert keys(second) == ["c"]


def test_identity_ignores_case_and_underscores_of_the_type(service: Service) -> None:
    ids = {
        upsert(service, mappableType=name)["profileMapping"]["id"] for name in ("segment_io", "SEGMENT_IO", "segmentio")
    }
    assert len(ids) == 1
    others = [
        upsert(service, mappableType="shopify"),
        upsert(service, mappableId="7"),
        upsert(service, advertiserId="1002"),
    ]
    assert len(ids | {other["profileMapping"]["id"] for other in others}) == 4


def test_appending_keeps_the_other_columns_even_before_they_are_active(make_service: Make) -> None:
    service = make_service(latency="1h")
    upsert(service, mappingSchemaV2=[column("a"), column("b")], isOptedIn=True)
    answer = upsert(service, APPEND, mappingSchemaV2=[column("b", "NUMBER"), column("c")])["profileMapping"]
    assert keys(answer) == ["a", "b", "c"]
    assert answer["mappingSchema"][1]["data_type"] == "NUMBER"
    service.upsert({"email": "x@example.com", "a": "1", "b": "2", "c": "3"})
    service.pass_time(hours=1)
    profile = service.profile("x@example.com")
    assert profile["properties"] == {"a": "1", "b": 2, "c": "3"}
    assert profile["marketingStatus"] == "OPTED_IN"


def test_a_mapping_without_a_schema_keeps_its_columns(service: Service) -> None:
    upsert(service, mappingSchemaV2=[column("a")])
    assert keys(upsert(service, isOptedIn=True)["profileMapping"]) == ["a"]


def test_a_mapping_is_addressed_by_id(service: Service) -> None:
    made = upsert(service, mappingSchemaV2=[column("a")])["profileMapping"]
    given = {"id": made["id"], "mappingSchemaV2": [column("z")]}
    answer = service.run(UPSERT, m=given)["upsertProfileMapping"]["profileMapping"]
    assert (answer["id"], keys(answer)) == (made["id"], ["z"])


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({"advertiserId": "9"}, ["input", "advertiserId"]),
        ({"advertiserId": None}, ["input", "advertiserId"]),
        ({"id": "77"}, ["input", "id"]),
        ({"id": "nonsense"}, ["input", "id"]),
        ({"mappingSchemaV2": [column("a\x00b")]}, ["input", "mappingSchemaV2"]),
    ],
)
def test_a_bad_mapping_is_a_user_error_and_writes_nothing(service: Service, given: Any, path: list[str]) -> None:
    answer = upsert(service, **{"mappingSchemaV2": [column("a")], **given})
    assert answer["profileMapping"] is None
    assert [error["path"] for error in answer["userErrors"]] == [path]
    assert upsert(service)["profileMapping"]["mappingSchema"] == []


@pytest.mark.parametrize("document", [UPSERT, APPEND, AUDIENCE])
def test_a_read_only_token_cannot_map(service: Service, document: str) -> None:
    (answer,) = service.run(document, m={"advertiserId": "1001"}, token=READ).values()
    (error,) = answer["userErrors"]
    assert "WRITE" in error["message"]
    assert error["path"] == ["input", "advertiserId"]


def test_the_external_audience_mapping_has_an_identity_of_its_own(service: Service) -> None:
    profile = upsert(service)["profileMapping"]
    answer = upsert(service, AUDIENCE, mappingSchema=[column("audienceId", destinationKey="external_id")])
    assert answer["externalAudienceMapping"]["id"] != profile["id"]
    assert keys(answer["externalAudienceMapping"]) == ["external_id"]


STATUS = 'query($m: ID!) { profileMappingStatus(advertiserId: "1001", mappableId: $m) }'


def test_the_status_of_a_mapping_goes_from_processing_to_success(make_service: Make) -> None:
    service = make_service(latency="2h")
    assert service.run(STATUS, m="7") == {"profileMappingStatus": None}
    upsert(service, mappableId="7", mappingSchemaV2=[column("a")])
    assert service.run(STATUS, m="7") == {"profileMappingStatus": "PROCESSING"}
    assert service.run(STATUS, m="8") == {"profileMappingStatus": None}
    service.pass_time(hours=2)
    assert service.run(STATUS, m="7") == {"profileMappingStatus": "SUCCESS"}
