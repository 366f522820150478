"""The warning about keys of a record that no active mapping names."""

from __future__ import annotations

from typing import Any

import pytest

from emulator.harness.client.lines import record_line
from tests.stackadapt.conftest import AUDIENCE_COLUMNS, Make, Service, column

ANN = "ann@example.com"
NOON = "2026-03-01T12:00:00.000Z"
ONE = "2026-03-01T13:00:00.000Z"
TWO = "2026-03-01T14:00:00.000Z"
AUDIENCE = {"audienceId": "a", "audienceName": "vip", "action": "enter"}
MAP_AUDIENCES = """mutation($e: ExternalAudienceMappingInput!) {
  upsertExternalAudienceMapping(input: $e) { userErrors { message } } }"""
UPLOAD = """mutation($i: UserUploadedProfilesWithJSONInput!) {
  createUserUploadedProfilesWithJson(input: $i) { userErrors { message } } }"""


def unmapped(
    key: str,
    mapping: str | None = None,
    since: str | None = None,
    following: str | None = None,
    following_since: str | None = None,
    elsewhere: dict[str, str] | None = None,
) -> dict[str, Any]:
    return {
        "code": "UNMAPPED_KEY",
        "key": key,
        "mapping": mapping,
        "since": since,
        "next": following,
        "nextSince": following_since,
        "elsewhere": elsewhere,
    }


def warnings_of(service: Service) -> list[dict[str, Any]]:
    """The warnings of the first record."""
    warnings: list[dict[str, Any]] = service.stackadapt.records()[0]["warnings"]
    return warnings


def line_of(service: Service) -> str:
    return record_line(service.stackadapt.records()[0])


@pytest.mark.parametrize(
    ("columns", "audience_columns", "record", "keys"),
    [
        # Without any mapping the control keys work, and nothing else does.
        ((), None, {"email": ANN, "userId": "u1", "city": "Rome", "tier": None}, ["city", "tier"]),
        # The warning about the missing audience mapping covers the keys of an audience.
        ((), None, {"email": ANN, **AUDIENCE}, []),
        ((column("city"),), None, {"email": ANN, "city": "Rome", "City": "Rome"}, ["City"]),
        # A key that is mapped to the email or the external id replaces the control key.
        ((column("mail", destinationKey="email"),), None, {"mail": ANN, "email": ANN}, ["email"]),
        ((column("uid", destinationKey="external_id"),), None, {"email": ANN, "uid": 1, "userId": 2}, ["userId"]),
        ((column("audienceId"),), None, {"email": ANN, "audienceId": "a"}, []),
        ((), AUDIENCE_COLUMNS, {"email": ANN, **AUDIENCE}, []),
        ((), AUDIENCE_COLUMNS[:1], {"email": ANN, **AUDIENCE}, ["audienceName"]),
        ((), [{**AUDIENCE_COLUMNS[0], "incomingKey": "aud"}], {"email": ANN, "aud": 1, **AUDIENCE}, [*AUDIENCE][:2]),
        # A rejected record has them too: here it explains the missing email.
        ((column("email"),), None, {"mail": ANN}, ["mail"]),
    ],
)
def test_every_key_that_is_not_read_gets_a_warning(
    service: Service, columns: tuple[Any, ...], audience_columns: Any, record: dict[str, Any], keys: list[str]
) -> None:
    if columns:
        service.map_profiles(*columns)
    if audience_columns is not None:
        given = {"advertiserId": "1001", "mappableType": "segment_io", "mappingSchema": audience_columns}
        service.run(MAP_AUDIENCES, e=given)
    service.upsert(record)
    found = [warning for warning in warnings_of(service) if warning["code"] == "UNMAPPED_KEY"]
    assert found == [unmapped(key, "1" if columns else None, NOON if columns else None) for key in keys]


def test_the_warning_names_the_mapping_then_and_the_next_one_with_the_key(service: Service) -> None:
    service.upsert({"email": ANN, "city": "Rome", "tier": "gold"})
    assert warnings_of(service) == [unmapped("city"), unmapped("tier")]
    assert line_of(service) == "record: visible; keys 'city', 'tier' are in no active mapping"
    service.pass_time(hours=1)
    service.map_profiles(column("email"), column("city"), mappableId="c1")
    service.pass_time(hours=1)
    service.map_profiles(column("city"), mappableId="c2")
    assert warnings_of(service) == [unmapped("city", None, None, "1", ONE), unmapped("tier")]
    assert line_of(service) == (
        "record: visible; key 'city' was in no active mapping; mapping 1 names it since 2026-03-01T13:00:00.000Z;"
        " key 'tier' is in no active mapping"
    )


def test_a_mapping_that_changes_is_the_next_one_itself(service: Service) -> None:
    service.map_profiles(column("email"), column("city"))
    service.pass_time(hours=1)
    # Replaced without the key, as by a batch of events of which none has it.
    service.map_profiles(column("email"))
    service.upsert({"email": ANN, "city": "Rome"})
    assert warnings_of(service) == [unmapped("city", "1", ONE)]
    service.map_profiles(column("email"), column("city"))
    assert warnings_of(service) == [unmapped("city", "1", ONE, "1", ONE)]
    service.pass_time(hours=1)
    service.map_profiles(column("email"), column("city"), isOptedIn=True)
    service.upsert({"email": ANN, "plan": "pro"})
    assert service.stackadapt.records()[1]["warnings"] == [unmapped("plan", "1", ONE)]
    service.map_profiles(column("plan"), mappableId="later")
    assert service.stackadapt.records()[1]["warnings"] == [unmapped("plan", "1", ONE, "2", TWO)]


@pytest.mark.parametrize(("advertiser", "provider"), [("1002", "segmentio"), ("1001", "segment")])
def test_a_mapping_of_others_is_not_the_next_one(service: Service, advertiser: str, provider: str) -> None:
    service.upsert({"email": ANN, "city": "Rome"})
    service.map_profiles(column("city"), advertiser=advertiser, mappableType=provider)
    elsewhere = {"mapping": "1", "advertiserId": advertiser, "provider": provider}
    assert warnings_of(service) == [unmapped("city", elsewhere=elsewhere)]
    assert line_of(service) == (
        "record: visible; key 'city' is in no mapping that applies;"
        f" mapping 1 (advertiser {advertiser}, {provider}) names it"
    )


def test_a_mapping_that_a_newer_connection_replaces_does_not_apply(service: Service) -> None:
    service.map_profiles(column("city"), mappableId="c1")
    service.map_profiles(column("tier"), mappableId="c2")
    service.upsert({"email": ANN, "city": "Rome"})
    elsewhere = {"mapping": "1", "advertiserId": "1001", "provider": "segmentio"}
    assert warnings_of(service) == [unmapped("city", "2", NOON, elsewhere=elsewhere)]


def test_with_the_mapping_race_the_mapping_at_arrival_counts(make_service: Make) -> None:
    service = make_service(latency="1h", mapping_race=True)
    service.map_profiles(column("email"))
    service.pass_time(hours=1)
    service.upsert({"email": ANN, "city": "Rome"})
    service.map_profiles(column("email"), column("city"))
    service.pass_time(hours=1)
    assert warnings_of(service) == [unmapped("city", "1", ONE, "1", TWO)]


def test_a_waiting_record_is_read_again_under_the_mapping_of_its_profile(make_service: Make) -> None:
    service = make_service(record_without_email="wait")
    service.upsert({"userId": "u1", "city": "Rome", **AUDIENCE})
    assert unmapped("city") in warnings_of(service)
    service.sync({"email": ANN, "userId": "u1"}, columns=[column("city")])
    assert warnings_of(service) == []
    assert service.profile(ANN)["properties"] == {"city": "Rome"}


def test_an_upload_is_read_under_its_own_mapping_alone(service: Service) -> None:
    for columns in ([column("email")], [column("email"), column("city")]):
        given = {
            "advertiserId": "1001",
            "mappingSchema": columns,
            "profiles": [{"email": ANN, "city": "Rome", "userId": 1}],
        }
        service.run(UPLOAD, i=given)
    first, second = service.stackadapt.records()
    assert first["warnings"] == [unmapped("city", "1", NOON), unmapped("userId", "1", NOON)]
    assert second["warnings"] == [unmapped("userId", "2", NOON)]


def test_a_rejection_shows_the_key_under_which_the_email_was_sent(service: Service) -> None:
    service.map_profiles(column("email"))
    service.upsert({"mail": ANN})
    (rejection,) = service.stackadapt.rejections()
    assert rejection["warnings"] == [unmapped("mail", "1", NOON)]
    assert record_line(rejection) == (
        "record: rejected, MISSING_EMAIL: The record has no email, and its external id belongs to no profile;"
        " key 'mail' is in no active mapping"
    )


def test_many_keys_make_one_short_clause(service: Service) -> None:
    service.upsert({"email": ANN, **{f"k{number}": number for number in range(7)}})
    assert line_of(service) == (
        "record: visible; keys 'k0', 'k1', 'k2', 'k3', 'k4' and 2 more are in no active mapping"
    )


@pytest.mark.parametrize(
    ("warning", "clause"),
    [
        ({"code": "UNKNOWN_ACTION", "key": "action"}, "UNKNOWN_ACTION at 'action'"),
        ({"code": "UNREADABLE_VALUE", "key": "n", "declared": "NUMBER"}, "UNREADABLE_VALUE at 'n', declared NUMBER"),
        (
            {"code": "EXTERNAL_ID_MOVED", "key": "userId", "from": ANN},
            "EXTERNAL_ID_MOVED at 'userId', from ann@example.com",
        ),
        (
            {"code": "STATUS_KEPT", "key": "marketing_status", "status": "OPTED_OUT"},
            "STATUS_KEPT at 'marketing_status', status OPTED_OUT",
        ),
    ],
)
def test_other_warnings_name_the_key_and_what_was_found(warning: dict[str, str], clause: str) -> None:
    shown = {"record": {}, "outcome": "visible", "reason": None, "message": None, "waitsFor": None}
    assert record_line({**shown, "warnings": [warning]}) == f"record: visible; {clause}"
