"""Records without an email: rejected, waiting for their profile, or applied to the profile with their external id."""

from __future__ import annotations

from typing import Any

import pytest

from tests.stackadapt.conftest import Make, Service

ANN = "ann@example.com"
ENTER = {"userId": "u1", "audienceId": "a", "audienceName": "vip", "action": "enter"}
PROFILE = {"email": ANN, "userId": "u1"}
REJECTED = ("rejected", "MISSING_EMAIL")
WAITS = ("pending", "WAITS_FOR_PROFILE")
VISIBLE = ("visible", None)
MAP_AUDIENCES_2024 = """mutation($e: ExternalAudienceMappingInput!) {
  upsertExternalAudienceMapping(input: $e) { userErrors { message } } }"""
COLUMNS_2024 = (
    '[{"incoming_key": "audienceId", "destination_key": "external_id", "label": "ID", "type": "string"},'
    ' {"incoming_key": "audienceName", "destination_key": "name", "label": "Name", "type": "string"}]'
)


@pytest.mark.parametrize(
    ("api_version", "setting", "unknown"),
    [
        ("2026-06", None, REJECTED),
        ("2026-06", "reject", REJECTED),
        ("2026-06", "wait", WAITS),
        ("2025-05", None, WAITS),
        ("2025-05", "reject", REJECTED),
        ("2024-12", None, WAITS),
        ("2024-12", "reject", REJECTED),
        ("2024-12", "wait", WAITS),
    ],
)
def test_a_record_without_email_is_rejected_or_waits(
    make_service: Make, api_version: str, setting: str | None, unknown: tuple[str, str]
) -> None:
    service = make_service(api_version=api_version, record_without_email=setting)
    if api_version != "2026-06":
        given = {"advertiserId": "1001", "mappableType": "segment_io", "mappingSchema": COLUMNS_2024}
        service.run(MAP_AUDIENCES_2024, e=given)
    # Only a record about an audience with an external id can wait.
    service.upsert(ENTER, {"userId": "u1", "first_name": "Ann"}, {**ENTER, "userId": None}, {**ENTER, "email": "x"})
    assert service.outcomes() == [unknown, REJECTED, REJECTED, ("rejected", "INVALID_EMAIL")]
    service.upsert(PROFILE)
    assert service.outcomes()[0] == (VISIBLE if unknown == WAITS else REJECTED)
    service.upsert({**ENTER, "audienceId": "b"}, {"userId": "u1", "first_name": "Ann"})
    assert service.outcomes()[-2:] == [VISIBLE, VISIBLE]


def test_records_of_several_people_wait_for_their_own_profiles(make_service: Make) -> None:
    service = make_service(record_without_email="wait")
    service.sync(ENTER, {**ENTER, "userId": "u2"})
    assert service.stackadapt.profiles() == []
    service.sync(PROFILE)
    assert [audience["name"] for audience in service.profile(ANN)["audiences"]] == ["vip"]
    assert service.outcomes() == [VISIBLE, WAITS, VISIBLE]
    (waiting,) = service.stackadapt.records(outcome="pending")
    assert waiting["waitsFor"] == "u2"


WAITING_SHOWN: dict[str, Any] = {
    "outcome": "pending",
    "reason": "WAITS_FOR_PROFILE",
    "message": "The record has no email and waits for a profile with its external id.",
    "record": ENTER,
    "at": None,
    "advertiserId": "1001",
    "index": 1,
    "waitsFor": "u1",
    "warnings": [{"code": "NO_AUDIENCE_MAPPING", "key": "action"}],
}


@pytest.mark.parametrize(
    ("filters", "reasons"),
    [
        ({}, ["MISSING_EMAIL"]),
        ({"pending": False}, ["MISSING_EMAIL"]),
        ({"pending": True}, ["MISSING_EMAIL", "WAITS_FOR_PROFILE"]),
        ({"reason": "WAITS_FOR_PROFILE"}, ["WAITS_FOR_PROFILE"]),
        ({"pending": True, "reason": "MISSING_EMAIL"}, ["MISSING_EMAIL"]),
        ({"pending": True, "advertiser_id": "1002"}, []),
    ],
)
def test_waiting_records_are_listed_with_the_rejected_ones_on_request(
    make_service: Make, filters: dict[str, Any], reasons: list[str]
) -> None:
    service = make_service(record_without_email="wait")
    service.upsert({}, ENTER)
    found = service.stackadapt.rejections(**filters)
    assert [each["reason"] for each in found] == reasons
    for each in found:
        if each["outcome"] == "pending":
            del each["requestId"]
            assert each == WAITING_SHOWN


def test_a_waiting_record_is_counted_apart(service: Service, make_service: Make) -> None:
    for waits, made in ((0, service), (1, make_service(record_without_email="wait"))):
        made.upsert(ENTER)
        counts = made.stackadapt.counts()
        assert (counts["records"]["pending"], counts["records"]["rejected"]) == (waits, 1 - waits)
        assert counts["waiting"] == ({"WAITS_FOR_PROFILE": 1} if waits else {})
        assert counts["rejections"] == ({} if waits else {"MISSING_EMAIL": 1})
