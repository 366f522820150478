"""Which upserts are taken and which are user errors."""

from __future__ import annotations

from typing import Any

import pytest

from emulator.stackadapt import Limits
from tests.stackadapt.audience_members import ANN, BOB
from tests.stackadapt.conftest import READ, Make, Service


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "nonsense",
        '[{"email":"a"q"b@example.com"}]',
        '[{"first_name":"line\nbreak"}]',
        '[{"n": NaN}]',
        '[{"n": ' + "9" * 5000 + "}]",
        "[" * 100_000,
        "{}",
        "[1]",
        '[{"email":"ann@example.com"}, null]',
        "null",
        5,
        True,
        {"email": ANN},
        [ANN],
    ],
)
def test_malformed_profiles_are_a_user_error_and_write_nothing(service: Service, raw: Any) -> None:
    (error,) = service.upsert(raw=raw)
    assert error["path"] == ["input", "profiles"]
    assert service.stackadapt.records() == []
    assert service.stackadapt.profiles() == []


def test_profiles_can_be_a_list_or_a_json_string(service: Service) -> None:
    assert service.upsert(raw=[{"email": ANN}]) == []
    document = """mutation { upsertProfiles(input: {advertiserId: 1001, externalProvider: "segmentio",
      profiles: [{email: "bob@example.com", userId: 5}]}) { userErrors { message } } }"""
    assert service.run(document)["upsertProfiles"]["userErrors"] == []
    assert service.profile(BOB)["externalIds"] == ["5"]


def test_an_empty_list_is_accepted(service: Service) -> None:
    assert service.upsert() == []
    assert service.stackadapt.counts()["records"]["visible"] == 0


def test_more_profiles_than_the_limit_are_a_user_error(make_service: Make) -> None:
    service = make_service(limits=Limits(profiles=2))
    assert service.upsert({"email": ANN}, {"email": BOB}) == []
    (error,) = service.upsert({}, {}, {})
    assert error["path"] == ["input", "profiles"]
    assert "At most 2" in error["message"]


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({"advertiser": "23"}, ["input", "advertiserId"]),
        ({"token": READ}, ["input", "advertiserId"]),
        ({"provider": "no_such_system"}, ["input", "externalProvider"]),
    ],
)
def test_a_refused_upsert_is_a_user_error_and_writes_nothing(
    service: Service, given: dict[str, str], path: list[str]
) -> None:
    (error,) = service.upsert({"email": ANN}, **given)
    assert error["path"] == path
    assert service.stackadapt.records() == []


@pytest.mark.parametrize("provider", ["segmentio", "segment_io", "SEGMENT_IO"])
def test_every_spelling_of_the_provider_is_the_same_source(service: Service, provider: str) -> None:
    service.sync({"email": ANN, "userId": "u1"})
    service.upsert({"userId": "u1"}, provider=provider)
    assert service.outcomes()[-1] == ("visible", None)
    assert service.profile(ANN)["sources"] == ["SEGMENT_IO"]


def test_the_same_sync_id_is_applied_again_and_flagged(service: Service) -> None:
    for _ in range(2):
        service.upsert({"email": ANN}, sync_id="s1")
    service.upsert({"email": ANN}, sync_id="s2")
    service.upsert({"email": ANN}, advertiser="1002", sync_id="s1")
    assert [record["replay"] for record in service.stackadapt.records()] == [False, True, False, False]
    assert service.stackadapt.counts()["records"]["visible"] == 4
