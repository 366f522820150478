"""`forwardProfile` and `forwardAudienceEvent` of 3.361.0 and 3.387.0."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

Make = Callable[..., Any]
GENERATION = "3.387.0"


@pytest.fixture
def payload() -> dict[str, Any]:
    return {"user_id": "u1", "event_type": "identify", "enable_batching": True, "advertiser_id": "23"}


@pytest.fixture
def forward(instance: Make, event: Make, provider: Any, profiles: Make) -> Callable[..., list[dict[str, Any]]]:
    """Sends one event for each set of traits through `forwardProfile` and returns the profiles."""

    def send(*traits: object, **members: object) -> list[dict[str, Any]]:
        instance(GENERATION, "forwardProfile").on_batch(
            [event(traits=each, **members) for each in traits], provider.send
        )
        found = profiles()
        assert isinstance(found, list)
        return found

    return send


@pytest.fixture
def schema(provider: Any) -> Callable[[], dict[str, str]]:
    """The types of the columns in the last request."""

    def read() -> dict[str, str]:
        (line,) = (line.strip() for line in provider.document.splitlines() if "mappingSchema:" in line)
        columns = json.loads(json.loads(line.removeprefix("mappingSchema: ").rstrip(",")))
        return {column["incoming_key"]: column["data_type"] for column in columns}

    return read


def test_traits_are_renamed_and_the_id_comes_after_them(forward: Make) -> None:
    (profile,) = forward({"first name": "Ann", "HTMLParser": 1, "ÉcoleName": None})
    assert list(profile.items()) == [("firstName", "Ann"), ("htmlParser", 1), ("ecoleName", None), ("userId", "u1")]


@pytest.mark.parametrize(
    ("birthday", "day", "month"),
    [
        ("1990-06-15", 6, 15),
        ("1990-06-15T00:00:00Z", 6, 15),
        ("1990-06", 6, None),
        ("06/15/1990", None, None),
        ("true", None, None),
        ("1990- 7-8x", 7, 8),
    ],
)
def test_month_and_day_of_birth_are_swapped(forward: Make, birthday: object, day: object, month: object) -> None:
    (profile,) = forward({"birthday": birthday})
    assert (profile["birthDay"], profile["birthMonth"]) == (day, month)
    assert "birthday" not in profile


def test_an_alias_has_the_previous_id_even_without_traits(forward: Make) -> None:
    (profile,) = forward({}, event_type="alias", previous_id="anon")
    assert profile == {"userId": "u1", "previousId": "anon"}


def test_a_payload_without_traits_is_not_in_the_request_but_counts_as_sent(
    instance: Make, event: Make, provider: Any, profiles: Make
) -> None:
    (result,) = instance(GENERATION, "forwardProfile").on_batch([event(), event(traits={"a": 1})], provider.send)
    assert [node["status"] for node in result["multistatus"]] == [200, 200]
    assert profiles() == [{"a": 1, "userId": "u1"}]


def test_a_trait_named_like_the_id_is_lost_without_one(forward: Make) -> None:
    assert forward({"user_id": "own", "a": 1}, user_id=...) == [{"a": 1}]


@pytest.mark.parametrize(
    ("values", "type_"),
    [
        (["hello"], "string"),
        (["gold 1"], "date"),
        (["5"], "date"),
        (["13"], "string"),
        ([5], "number"),
        ([True], "boolean"),
        ([[]], "object"),
        ([False], "string"),
        ([""], "string"),
        ([5, "hello"], "string"),
        (["5", "6"], "date"),
    ],
)
def test_a_string_that_v8_parses_as_a_date_makes_a_date_column(
    forward: Make, schema: Make, values: list[object], type_: str
) -> None:
    forward(*({"plan tier": value} for value in values))
    assert schema() == {"userId": "string", "planTier": type_}


def test_standard_traits_make_no_column(forward: Make, schema: Make) -> None:
    forward({"email": "a", "firstName": "b", "birthday": "1990-06-15", "company": "c", "previous_id": "d"})
    assert schema() == {"userId": "string"}


@pytest.mark.parametrize(
    ("name", "label"), [("planTier", "Plan Tier"), ("audience tier", "External Audience Tier"), ("яx", "Яx")]
)
def test_the_label_of_a_column_comes_from_its_new_name(forward: Make, provider: Any, name: str, label: str) -> None:
    forward({name: 1})
    assert rf"\"label\":\"{label}\"" in provider.document


def test_all_profiles_go_to_the_first_advertiser(instance: Make, event: Make, provider: Any) -> None:
    events = [event(traits={"a": 1}, advertiser_id="11"), event(traits={"a": 1}, advertiser_id="22")]
    instance(GENERATION, "forwardProfile").on_batch(events, provider.send)
    assert "advertiserId: 11," in provider.document
    assert "22" not in provider.document


def test_an_audience_event_sends_four_members(
    instance: Make, event: Make, provider: Any, profiles: Make, root_fields: Make
) -> None:
    members = {"traits_or_props": {"vip": 0}, "segment_computation_id": 5, "segment_computation_key": "vip"}
    instance(GENERATION, "forwardAudienceEvent").on_event(event(**members), provider.send)
    assert profiles() == [{"userId": "u1", "audienceId": "5", "audienceName": "vip", "action": "exit"}]
    assert root_fields() == ["upsertProfiles", "upsertProfileMapping", "upsertExternalAudienceMapping"]


def test_an_audience_without_id_is_sent_without_id(instance: Make, event: Make, provider: Any, profiles: Make) -> None:
    members = {"traits_or_props": {}, "segment_computation_key": "vip", "user_id": ...}
    instance(GENERATION, "forwardAudienceEvent").on_event(event(**members), provider.send)
    assert profiles() == [{"audienceName": "vip", "action": "exit"}]
