"""Deleting profiles, and suppressing people permanently."""

from __future__ import annotations

from typing import Any

import pytest

from emulator.events import RecordProcessed
from tests.stackadapt.conftest import READ, Make, Service, column

ANN = "ann@example.com"
BOB = "bob@example.com"

BY_EXTERNAL_ID = """mutation($i: DeleteProfilesWithExternalIdsInput!) {
  answer: deleteProfilesWithExternalIds(input: $i) { clientMutationId userErrors { message path } } }"""
BY_EMAIL = """mutation($i: DeleteRawProfileInput!) {
  answer: deleteRawProfile(input: $i) { clientMutationId userErrors { message path } } }"""
BY_EMAILS = """mutation($i: DeleteRawProfilesInput!) {
  answer: deleteRawProfiles(input: $i) { clientMutationId userErrors { message path } } }"""


def delete(service: Service, document: str, token: str = "sa-local-write", **given: Any) -> Any:
    return service.run(document, token=token, i=given)["answer"]


def external(service: Service, *ids: str, advertisers: list[str] | None = None, **more: Any) -> Any:
    given = {"externalIds": list(ids), "externalProvider": "segment_io", "syncId": "s", "advertiserIds": advertisers}
    return delete(service, BY_EXTERNAL_ID, **{**given, **more})["userErrors"]


def emails(service: Service) -> list[str]:
    return [f"{profile['advertiserId']} {profile['email']}" for profile in service.stackadapt.profiles()]


def test_profiles_are_deleted_by_any_of_their_external_ids(service: Service) -> None:
    service.sync({"email": ANN, "userId": "u1"}, {"email": ANN, "userId": "u2"}, {"email": BOB, "userId": "u3"})
    assert external(service, "u2", "unknown", "u2", advertisers=["1001"]) == []
    assert emails(service) == ["1001 bob@example.com"]
    service.sync({"userId": "u1", "first_name": "x"})
    assert service.outcomes()[-1] == ("rejected", "MISSING_EMAIL")


def test_a_profile_created_again_after_deletion_is_empty(service: Service) -> None:
    record = {"email": ANN, "userId": "u1", "tags": ["a"], "action": "enter", "audienceId": "1", "audienceName": "one"}
    service.sync(record, columns=[column("tags", "STRING_LIST")])
    external(service, "u1")
    service.sync({"email": ANN}, columns=[column("tags", "STRING_LIST")], opted_in=None)
    profile = service.profile(ANN)
    assert (profile["externalIds"], profile["properties"], profile["audiences"]) == ([], {}, [])
    assert profile["marketingStatus"] == "INDETERMINATE"


def test_without_advertisers_the_deletion_covers_every_writable_one(service: Service) -> None:
    for advertiser in ("1001", "1002"):
        service.sync({"email": ANN, "userId": "u1"}, advertiser=advertiser)
    assert external(service, "u1", advertisers=["1002"]) == []
    assert emails(service) == ["1001 ann@example.com"]
    assert external(service, "u1") == []
    assert emails(service) == []


def test_the_provider_must_match_that_of_the_external_ids(service: Service) -> None:
    service.sync({"email": ANN, "userId": "u1"})
    assert external(service, "u1", externalProvider="shopify") == []
    assert emails(service) == ["1001 ann@example.com"]
    assert external(service, "u1", externalProvider="SEGMENT_IO") == []
    assert emails(service) == []


def test_records_waiting_for_a_deleted_external_id_are_rejected(make_service: Make) -> None:
    service = make_service(record_without_email="wait")
    waiting = {"action": "enter", "audienceId": "1", "audienceName": "one"}
    service.sync({**waiting, "userId": "u1"}, {**waiting, "userId": "u2"})
    external(service, "u1")
    assert service.outcomes() == [("rejected", "PROFILE_DELETED"), ("pending", "WAITS_FOR_PROFILE")]
    reasons = [event.reason for event in service.sandbox.journal.entries(RecordProcessed)]
    assert reasons == ["WAITS_FOR_PROFILE", "WAITS_FOR_PROFILE", "PROFILE_DELETED"]


def test_records_waiting_for_the_same_id_of_another_provider_keep_waiting(make_service: Make) -> None:
    service = make_service(record_without_email="wait")
    service.sync({"action": "enter", "audienceId": "1", "audienceName": "one", "userId": "u1"})
    assert external(service, "u1", externalProvider="shopify") == []
    assert service.outcomes() == [("pending", "WAITS_FOR_PROFILE")]


def test_what_each_id_or_email_of_a_deletion_led_to_is_listed(make_service: Make) -> None:
    service = make_service(latency="1h")
    service.sync({"email": ANN, "userId": "u1"}, {"email": BOB, "userId": "u1"})
    external(service, "u1", advertisers=["1001"])
    external(service, "unknown", advertisers=["1001"])
    delete(service, BY_EMAILS, advertiserId="1001", emails=["Ann@example.com", BOB], isComplianceRequest=True)
    assert service.stackadapt.deletions() == []
    service.pass_time(hours=1)
    by_id = {"advertiserId": "1001", "provider": "segmentio", "suppressed": False}
    by_email = {"advertiserId": "1001", "provider": None, "externalId": None, "suppressed": True, "kept": []}
    expected = [
        {**by_id, "externalId": "u1", "email": BOB, "deleted": True, "kept": [ANN]},
        {**by_id, "externalId": "unknown", "email": None, "deleted": False, "kept": []},
        {**by_email, "email": ANN, "deleted": True},
        {**by_email, "email": BOB, "deleted": False},
    ]
    found = service.stackadapt.deletions()
    assert {each.pop("at") for each in found} == {"2026-03-01T13:00:00.000Z"}
    assert len({each.pop("requestId") for each in found}) == 3
    assert found == expected
    listed = service.stackadapt.deletions
    assert [each["deleted"] for each in listed(email="BOB@example.com")] == [True, False]
    assert [each["deleted"] for each in listed(external_id="unknown")] == [False]
    assert listed("1002") == []
    assert len(listed(limit=2, offset=3)) == 1


def test_deletions_are_applied_in_queue_order(make_service: Make) -> None:
    service = make_service(latency="1h")
    service.sync({"email": ANN, "userId": "u1"})
    external(service, "u1")
    service.sync({"email": BOB, "userId": "u1"})
    service.pass_time(hours=1)
    assert emails(service) == ["1001 bob@example.com"]


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({"advertisers": ["1001", "77"]}, ["input", "advertiserIds"]),
        ({"token": READ, "advertisers": ["1001"]}, ["input", "advertiserIds"]),
        ({"token": READ}, ["input"]),
        ({"externalProvider": "unknown"}, ["input", "externalProvider"]),
    ],
)
def test_a_refused_deletion_by_external_id_deletes_nothing(
    service: Service, given: dict[str, Any], path: list[str]
) -> None:
    service.sync({"email": ANN, "userId": "u1"})
    (error,) = external(service, "u1", **given)
    assert error["path"] == path
    assert emails(service) == ["1001 ann@example.com"]


def test_one_profile_is_deleted_by_email_and_the_mutation_id_is_echoed(service: Service) -> None:
    service.sync({"email": ANN}, {"email": BOB})
    answer = delete(service, BY_EMAIL, advertiserId="1001", email=" ANN@example.com", clientMutationId="m1")
    assert answer == {"clientMutationId": "m1", "userErrors": []}
    assert emails(service) == ["1001 bob@example.com"]
    service.sync({"email": ANN})
    assert service.outcomes()[-1] == ("visible", None)


def test_a_compliance_deletion_suppresses_permanently(service: Service) -> None:
    service.sync({"email": ANN, "userId": "u1"}, {"email": BOB})
    given = {"advertiserId": "1001", "emails": [ANN, "never@example.com"], "isComplianceRequest": True}
    assert delete(service, BY_EMAILS, **given)["userErrors"] == []
    delete(service, BY_EMAILS, **given)
    service.sync({"email": "Never@Example.com"}, {"email": ANN}, {"email": BOB})
    service.sync({"email": ANN}, advertiser="1002")
    assert service.outcomes()[2:] == [
        ("suppressed", "SUPPRESSED"),
        ("suppressed", "SUPPRESSED"),
        ("visible", None),
        ("visible", None),
    ]
    assert emails(service) == ["1001 bob@example.com", "1002 ann@example.com"]
    assert service.stackadapt.counts()["records"]["suppressed"] == 2
    assert [(each["outcome"], each["reason"], each["record"]) for each in service.stackadapt.rejections()] == [
        ("suppressed", "SUPPRESSED", {"email": "Never@Example.com"}),
        ("suppressed", "SUPPRESSED", {"email": ANN}),
    ]


def test_a_plain_deletion_of_many_does_not_suppress(service: Service) -> None:
    delete(service, BY_EMAILS, advertiserId="1001", emails=[ANN], isComplianceRequest=False)
    service.sync({"email": ANN})
    assert service.outcomes() == [("visible", None)]


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({"emails": [f"p{n}@example.com" for n in range(101)]}, ["input", "emails"]),
        ({"emails": [ANN, "unknown"]}, ["input", "emails"]),
        ({"advertiserId": "5"}, ["input", "advertiserId"]),
        ({"token": READ}, ["input", "advertiserId"]),
    ],
)
def test_a_refused_deletion_by_email_deletes_nothing(service: Service, given: dict[str, Any], path: list[str]) -> None:
    service.sync({"email": ANN})
    asked = {"advertiserId": "1001", "emails": [ANN], "isComplianceRequest": True, "clientMutationId": "m", **given}
    answer = delete(service, BY_EMAILS, **asked)
    assert answer["clientMutationId"] == "m"
    assert [error["path"] for error in answer["userErrors"]] == [path]
    service.sync({"email": ANN})
    assert service.outcomes() == [("visible", None)] * 2


def test_a_hundred_emails_are_accepted(service: Service) -> None:
    many = [f"p{n}@example.com" for n in range(100)]
    service.sync(*({"email": email} for email in many))
    assert delete(service, BY_EMAILS, advertiserId="1001", emails=many, isComplianceRequest=False)["userErrors"] == []
    assert emails(service) == []
