"""Memberships and marketing status by records under an external audience mapping."""

from __future__ import annotations

from typing import Any

import pytest

from tests.stackadapt.audience_members import ANN, BOB, audiences, member
from tests.stackadapt.conftest import Service, column

MAP_AUDIENCES = """mutation($e: ExternalAudienceMappingInput!) {
  upsertExternalAudienceMapping(input: $e) { userErrors { message } } }"""


def test_enter_and_exit_change_one_of_several_memberships(service: Service) -> None:
    service.sync(member(ANN), member(ANN, audienceId="aud_2", audienceName="gold"))
    assert audiences(service, ANN) == ["vip", "gold"]
    service.sync(member(ANN, "exit"))
    assert audiences(service, ANN) == ["gold"]


def test_enter_and_exit_apply_in_arrival_order(service: Service) -> None:
    service.sync(member(ANN, "exit"))
    assert audiences(service, ANN) == []
    service.sync(member(ANN, "enter"), member(ANN, "exit"), member(BOB, "exit"), member(BOB, "enter"))
    assert (audiences(service, ANN), audiences(service, BOB)) == ([], ["vip"])


def test_an_audience_is_renamed_by_its_newest_record(service: Service) -> None:
    service.sync(member(ANN))
    service.sync(member(BOB, audienceName="very_important"))
    assert audiences(service, ANN) == ["very_important"]


@pytest.mark.parametrize(
    ("record", "code"),
    [
        (member(ANN, "join"), "UNKNOWN_ACTION"),
        ({"email": ANN, "audienceId": "aud_1"}, "UNKNOWN_ACTION"),
        ({"email": ANN, "audienceName": "vip"}, "UNKNOWN_ACTION"),
        ({"email": ANN, "action": ["enter"], "audienceId": "aud_1"}, "UNKNOWN_ACTION"),
        ({"email": ANN, "action": "enter"}, "UNREADABLE_AUDIENCE"),
    ],
)
def test_an_invalid_audience_record_warns_and_changes_no_membership(
    service: Service, record: dict[str, Any], code: str
) -> None:
    service.sync(record)
    assert audiences(service, ANN) == []
    assert [warning["code"] for warning in service.stackadapt.records()[0]["warnings"]] == [code]


def test_without_an_audience_mapping_no_membership_is_stored(service: Service) -> None:
    service.map_profiles(column("email"))
    service.upsert(member(ANN))
    assert audiences(service, ANN) == []
    assert service.stackadapt.records()[0]["warnings"][0]["code"] == "NO_AUDIENCE_MAPPING"


def test_the_audience_mapping_names_the_keys_of_id_and_name(service: Service) -> None:
    entries = [column("seg", destinationKey="external_id"), column("title", destinationKey="name")]
    service.run(MAP_AUDIENCES, e={"advertiserId": "1001", "mappableType": "segmentio", "mappingSchema": entries})
    service.upsert({"email": ANN, "seg": 12, "title": "Twelve", "audienceId": "no", "action": "enter"})
    assert [(each["id"], each["name"]) for each in service.profile(ANN)["audiences"]] == [("12", "Twelve")]


@pytest.mark.parametrize(
    ("steps", "status"),
    [
        ([True], "OPTED_IN"),
        ([False], "INDETERMINATE"),
        ([None], "INDETERMINATE"),
        ([False, True], "OPTED_IN"),
        ([True, False], "OPTED_IN"),
        ([True, None], "OPTED_IN"),
    ],
)
def test_marketing_status_follows_the_mapping_and_is_never_downgraded(
    service: Service, steps: list[bool | None], status: str
) -> None:
    for opted_in in steps:
        service.sync({"email": ANN}, opted_in=opted_in)
    assert service.profile(ANN)["marketingStatus"] == status
