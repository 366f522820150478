"""Values of records under a profile mapping: stored, merged, converted and dropped."""

from __future__ import annotations

from typing import Any

import pytest

from tests.stackadapt.audience_members import ANN, BOB, member
from tests.stackadapt.conftest import Make, Service, column


def test_only_mapped_keys_are_stored_and_others_are_dropped_with_a_warning(service: Service) -> None:
    service.sync({"email": ANN, "first_name": "Ann", "shoe_size": "42"}, columns=[column("first_name")])
    assert service.profile(ANN)["properties"] == {"first_name": "Ann"}
    warnings = service.stackadapt.records()[0]["warnings"]
    assert [(warning["code"], warning["key"]) for warning in warnings] == [("UNMAPPED_KEY", "shoe_size")]


def test_control_keys_work_without_being_mapped(service: Service) -> None:
    service.sync(member(ANN, userId="u1"))
    profile = service.profile(ANN)
    assert profile["externalIds"] == ["u1"]
    assert profile["audiences"] == [
        {"id": "aud_1", "name": "vip", "provider": "segmentio", "since": "2026-03-01T12:00:00.000Z"}
    ]
    assert profile["properties"] == {}


def test_a_mapping_in_the_same_document_applies_whatever_its_position(service: Service) -> None:
    service.sync({"email": ANN, "tier": "gold"}, columns=[column("tier")])
    service.sync({"email": ANN, "plan": "pro", "tier": "silver"}, columns=[column("plan")])
    assert service.profile(ANN)["properties"] == {"tier": "gold", "plan": "pro"}


def test_a_destination_key_may_differ_from_the_incoming_one(service: Service) -> None:
    service.map_profiles(
        column("mail", destinationKey="email"),
        column("uid", destinationKey="external_id"),
        column("n", destinationKey='odd "name" $.x'),
    )
    service.upsert({"mail": "ANN@example.com ", "uid": 7, "userId": "ignored", "n": "v"})
    profile = service.profile(ANN)
    assert profile["externalIds"] == ["7"]
    assert profile["properties"] == {'odd "name" $.x': "v"}


def test_profiles_are_merged_and_absent_values_clear_nothing(service: Service) -> None:
    columns = [column("a"), column("b"), column("c")]
    service.sync({"email": ANN, "a": "1", "b": "2"}, columns=columns)
    service.sync({"email": ANN, "b": None, "c": ""}, columns=columns)
    service.sync({"email": ANN, "a": "9"}, columns=columns)
    assert service.profile(ANN)["properties"] == {"a": "9", "b": "2", "c": ""}


def test_a_column_default_fills_absent_values(service: Service) -> None:
    service.sync({"email": ANN}, {"email": BOB, "tier": "gold"}, columns=[column("tier", value="none")])
    assert service.profile(ANN)["properties"] == {"tier": "none"}
    assert service.profile(BOB)["properties"] == {"tier": "gold"}


def test_a_built_in_property_keeps_its_own_type(service: Service) -> None:
    columns = [column("phone", "NUMBER"), column("birth_date", "STRING")]
    service.sync({"email": ANN, "phone": "0012", "birth_date": "6/5/1990"}, columns=columns)
    assert service.profile(ANN)["properties"] == {"phone": "0012", "birth_date": "1990-06-05"}


def test_an_unreadable_value_warns_and_keeps_the_property(service: Service) -> None:
    columns = [column("spent", "NUMBER"), column("tier")]
    service.sync({"email": ANN, "spent": "12.50", "tier": "gold"}, columns=columns)
    service.sync({"email": ANN, "spent": "a lot", "tier": "silver"}, columns=columns)
    assert service.profile(ANN)["properties"] == {"spent": 12.5, "tier": "silver"}
    assert service.stackadapt.records()[1]["warnings"] == [
        {"code": "UNREADABLE_VALUE", "key": "spent", "declared": "NUMBER"}
    ]
    assert service.outcomes() == [("visible", None)] * 2


def test_a_property_that_changes_its_type_keeps_one_value(service: Service) -> None:
    for data_type, value in (("STRING", "5"), ("STRING_LIST", ["a", "b"]), ("NUMBER", "6"), ("BOOLEAN", True)):
        service.sync({"email": ANN, "p": value}, columns=[column("p", data_type)])
    assert service.profile(ANN)["properties"] == {"p": True}


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ({}, "MISSING_EMAIL"),
        ({"email": None}, "MISSING_EMAIL"),
        ({"email": "  "}, "MISSING_EMAIL"),
        ({"email": None, "userId": "unknown"}, "MISSING_EMAIL"),
        ({"email": "unknown"}, "INVALID_EMAIL"),
        ({"email": 5}, "INVALID_EMAIL"),
        ({"email": "a" * 243 + "@example.com"}, "INVALID_EMAIL"),
        ({"email": "x\ud800@example.com"}, "INVALID_EMAIL"),
    ],
)
def test_a_record_without_a_usable_email_is_accepted_and_then_rejected(
    service: Service, record: dict[str, Any], reason: str
) -> None:
    assert service.upsert(record, {"email": ANN}) == []
    assert service.outcomes() == [("rejected", reason), ("visible", None)]
    (rejection,) = service.stackadapt.rejections()
    trace_id = service.stackadapt.records()[0]["requestId"]
    assert rejection["message"]
    assert {key: rejection[key] for key in ("reason", "record", "requestId", "at", "advertiserId", "index")} == {
        "reason": reason,
        "record": record,
        "requestId": trace_id,
        "at": "2026-03-01T12:00:00.000Z",
        "advertiserId": "1001",
        "index": 0,
    }


def test_rejections_are_reported_by_the_mutation_when_configured(make_service: Make) -> None:
    service = make_service(report_rejections="user_errors", record_without_email="wait")
    service.map_profiles(column("email"))
    service.upsert({"email": ANN, "userId": "u1"})
    errors = service.upsert(
        {"email": BOB, "userId": "u2"},
        {"email": "unknown"},
        {"userId": "u1"},
        {"userId": "u2"},
        {"first_name": "X"},
        member(None, userId="u9"),
    )
    assert [error["path"] for error in errors] == [["input", "profiles", "1"], ["input", "profiles", "4"]]
    assert [outcome for outcome, _ in service.outcomes()[1:]] == [
        "visible",
        "rejected",
        "visible",
        "visible",
        "rejected",
        "pending",
    ]
