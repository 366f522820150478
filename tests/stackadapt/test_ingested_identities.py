"""Which profile a record is about: by its email, or by an external id."""

from __future__ import annotations

import pytest

from tests.stackadapt.audience_members import ANN, BOB, audiences, member
from tests.stackadapt.conftest import Make, Service, column


def test_the_identity_is_the_trimmed_lower_case_email_within_one_advertiser(service: Service) -> None:
    service.sync({"email": " Ann@Example.COM "})
    service.sync({"email": ANN})
    service.sync({"email": ANN}, advertiser="1002")
    assert [(p["advertiserId"], p["email"]) for p in service.stackadapt.profiles()] == [("1001", ANN), ("1002", ANN)]


def test_several_external_ids_may_point_to_one_email(service: Service) -> None:
    service.sync({"email": ANN, "userId": "u1"}, {"email": ANN, "userId": "u2"}, {"email": ANN, "userId": 3})
    assert service.profile(ANN)["externalIds"] == ["3", "u1", "u2"]


@pytest.mark.parametrize("together", [True, False])
def test_a_known_external_id_moves_to_a_new_email(service: Service, together: bool) -> None:
    records = [{"email": ANN, "userId": "u1"}, {"email": BOB, "userId": "u1"}]
    for part in [records] if together else [[record] for record in records]:
        service.sync(*part)
    assert service.profile(ANN)["externalIds"] == []
    assert service.profile(BOB)["externalIds"] == ["u1"]
    first, second = service.stackadapt.records()
    assert first["warnings"] == []
    assert second["warnings"] == [{"code": "EXTERNAL_ID_MOVED", "key": "userId", "from": ANN}]


def test_a_moved_external_id_stays_whatever_the_order_of_the_profiles(service: Service) -> None:
    service.sync({"email": BOB}, {"email": ANN, "userId": "u1"}, {"email": BOB, "userId": "u1"})
    assert service.profile(ANN)["externalIds"] == []
    assert service.profile(BOB)["externalIds"] == ["u1"]


@pytest.mark.parametrize("together", [True, False])
def test_a_record_without_email_attaches_by_its_external_id(service: Service, together: bool) -> None:
    records = [{"email": ANN, "userId": "u1"}, member(None, userId="u1", tier="gold")]
    for part in [records] if together else [[record] for record in records]:
        service.sync(*part, columns=[column("tier")])
    assert audiences(service, ANN) == ["vip"]
    assert service.profile(ANN)["properties"] == {"tier": "gold"}
    assert service.stackadapt.records()[1]["email"] == ANN


def test_an_unreadable_external_id_is_ignored_with_a_warning(service: Service) -> None:
    service.sync({"email": ANN, "userId": {"a": 1}}, {"email": ANN, "userId": "x\x00"}, {"email": ANN, "userId": ""})
    assert service.profile(ANN)["externalIds"] == []
    codes = [[warning["code"] for warning in record["warnings"]] for record in service.stackadapt.records()]
    assert codes == [["UNREADABLE_EXTERNAL_ID"], ["UNREADABLE_EXTERNAL_ID"], []]


def test_a_record_does_not_wait_for_an_external_id_of_another_provider(make_service: Make) -> None:
    service = make_service(record_without_email="wait")
    service.sync(member(None, userId="u1"))
    service.upsert({"email": BOB, "userId": "u1"}, provider="shopify")
    assert service.profile(BOB)["externalIds"] == ["u1"]
    assert service.outcomes() == [("pending", "WAITS_FOR_PROFILE"), ("visible", None)]
    service.sync({"email": ANN, "userId": "u1"})
    assert service.outcomes()[0] == ("visible", None)
    assert service.stackadapt.records()[0]["email"] == ANN


@pytest.mark.parametrize("together", [True, False])
def test_a_waiting_audience_record_takes_effect_right_after_its_profile(make_service: Make, together: bool) -> None:
    service = make_service(record_without_email="wait")
    audience = {"userId": "u1", "audienceId": "a1", "audienceName": "vip"}
    records = [{**audience, "action": "enter"}, {"email": ANN, "userId": "u1"}, {**audience, "action": "exit"}]
    if together:
        service.sync(*records)
    else:
        for record in records:
            service.sync(record)
    assert service.outcomes() == [("visible", None)] * 3
    assert service.profile(ANN)["audiences"] == []


def test_profiles_sent_before_their_mapping_lose_unmapped_values(service: Service) -> None:
    service.upsert({"email": ANN, "tier": "gold"})
    service.map_profiles(column("email"), column("tier"))
    assert service.profile(ANN)["properties"] == {}
    service.upsert({"email": ANN, "tier": "gold"})
    assert service.profile(ANN)["properties"] == {"tier": "gold"}
