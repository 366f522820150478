"""`forwardAudienceEvent` of 3.497.0 and later: profiles, columns and documents."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from graphql import GraphQLError, parse

from emulator.mapping import DestinationInstance

Make = Callable[..., Any]
V1, V2 = "v1", "v2"


@pytest.mark.parametrize(
    ("generation", "order"),
    [
        ("3.497.0", ["upsertProfiles", "upsertProfileMapping", "upsertExternalAudienceMapping"]),
        ("3.517.0", ["upsertProfileMapping", "upsertProfiles", "upsertExternalAudienceMapping"]),
    ],
)
def test_root_fields_follow_the_generation(
    instance: Make, event: Make, provider: Any, root_fields: Make, generation: str, order: list[str]
) -> None:
    instance(generation).on_event(event(), provider.send)
    assert root_fields() == order


def test_the_request_has_only_the_token_and_the_document(instance: Make, event: Make, provider: Any) -> None:
    instance(apiKey="secret").on_event(event(), provider.send)
    (request,) = provider.requests
    assert request.method == "POST"
    assert request.url == "https://api.stackadapt.com/graphql"
    assert request.headers["authorization"] == "Bearer secret"
    assert request.headers["user-agent"] == "Segment (Actions)"
    assert list(json.loads(request.body)) == ["query"]
    assert "secret" not in repr(request)


def test_a_profile_has_the_ids_first_and_the_audience_last(
    instance: Make, event: Make, provider: Any, profiles: Make
) -> None:
    members = {"standard_traits": {"city": "Austin", "first_name": "Ann"}, "custom_properties_mode": V1}
    instance().on_event(event(**members, custom_traits={"plan": "gold"}), provider.send)
    assert list(profiles()[0].items()) == [
        ("userId", "u1"),
        ("email", "a@b.com"),
        ("city", "Austin"),
        ("first_name", "Ann"),
        ("plan", "gold"),
        ("audienceId", "aud_1"),
        ("audienceName", "vip"),
        ("action", "enter"),
    ]


@pytest.mark.parametrize(
    ("member", "action"),
    [
        (True, "enter"),
        ("false", "enter"),
        ([], "enter"),
        (1, "enter"),
        (False, "exit"),
        (0, "exit"),
        ("", "exit"),
        (None, "exit"),
    ],
)
def test_the_member_named_by_the_audience_decides_the_action(
    instance: Make, event: Make, provider: Any, profiles: Make, member: object, action: str
) -> None:
    instance().on_event(event(traits_or_props={"vip": member}), provider.send)
    assert profiles()[0]["action"] == action


@pytest.mark.parametrize(("key", "action"), [("missing", "exit"), ("a.b", "exit"), ("constructor", "enter")])
def test_the_audience_key_is_not_a_path_but_may_be_inherited(
    instance: Make, event: Make, provider: Any, profiles: Make, key: str, action: str
) -> None:
    instance().on_event(event(traits_or_props={"a": {"b": True}}, segment_computation_key=key), provider.send)
    assert profiles()[0]["action"] == action


def test_a_custom_property_overrides_all_but_the_audience(
    instance: Make, event: Make, provider: Any, profiles: Make
) -> None:
    traits = {"action": "x", "userId": "other", "audienceId": "x"}
    instance().on_event(event(custom_properties_mode=V1, custom_traits=traits), provider.send)
    assert list(profiles()[0].items()) == [
        ("userId", "other"),
        ("email", "a@b.com"),
        ("action", "enter"),
        ("audienceId", "aud_1"),
        ("audienceName", "vip"),
    ]


def test_the_key_and_id_of_the_audience_are_not_custom_properties(instance: Make, event: Make, provider: Any) -> None:
    traits = {"vip": True, "aud_1": 1, "plan": "gold"}
    (result,) = instance().on_batch([event(custom_properties_mode=V1, custom_traits=traits)], provider.send)
    assert result["multistatus"][0]["sent"]["custom_traits"] == {"plan": "gold"}


@pytest.mark.parametrize(
    ("values", "type_"),
    [
        (["gold"], "STRING"),
        ([5], "NUMBER"),
        ([0], "NUMBER"),
        ([True], "BOOLEAN"),
        ([False], "STRING"),
        ([None], "STRING"),
        ([False, 5], "NUMBER"),
        ([{}], "OBJECT"),
        ([[]], "OBJECT"),
        (["2020-01-02"], "DATE"),
        (["2020-02-31"], "DATE"),
        (["2020-01-02 foo"], "STRING"),
        (["1/2/2020"], "DATE"),
        (["1/2-2020"], "STRING"),
        (["gold 1"], "STRING"),
        (["2020-01-02", "gold"], "STRING"),
        ([5, True, 5], "STRING"),
    ],
)
def test_types_are_inferred_from_the_whole_batch(
    instance: Make, event: Make, provider: Any, columns: Make, values: list[object], type_: str
) -> None:
    events = [event(custom_properties_mode=V1, custom_traits={"p": value}) for value in values]
    instance().on_batch(events, provider.send)
    assert columns()["p"] == type_


def test_empty_names_and_empty_strings_make_no_column(
    instance: Make, event: Make, provider: Any, columns: Make, profiles: Make
) -> None:
    traits = {"": "x", "empty": "", "city": "Austin", "2": 1, "a": 1}
    instance().on_event(event(custom_properties_mode=V1, custom_traits=traits), provider.send)
    assert list(columns()) == ["2", "a"]
    assert {"", "empty", "city"} <= profiles()[0].keys()


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("plan_tier", "Plan Tier"),
        ("my__double", "My  Double"),
        ("camelCase", "CamelCase"),
        ("ünïcode_x", "üNïCode X"),
        ("a.b-c d", "A.B-C D"),
        ("audienceTier", "External AudienceTier"),
        ("_lead", "Lead"),
    ],
)
def test_a_custom_column_has_this_label(instance: Make, event: Make, provider: Any, name: str, label: str) -> None:
    instance().on_event(event(custom_properties_mode=V1, custom_traits={name: 1}), provider.send)
    assert f'destinationKey:"{name}",label:"{label}",type:NUMBER' in provider.document


def test_an_inherited_name_has_no_type(instance: Make, event: Make, provider: Any, columns: Make) -> None:
    instance().on_event(event(custom_properties_mode=V1, custom_traits={"toString": None}), provider.send)
    assert columns() == {"toString": ""}
    instance().on_event(event(custom_properties_mode=V1, custom_traits={"toString": 5}), provider.send)
    assert columns() == {"toString": "STRING"}


def test_declared_properties_are_strings_with_trimmed_names(
    instance: Make, event: Make, provider: Any, columns: Make, profiles: Make
) -> None:
    declared = [
        {"name": " ltv ", "type": "NUMBER", "value": 5.0},
        {"name": "ltv", "type": "STRING", "value": True},
        {"name": "unset", "type": "DATE"},
        {"name": "vip", "type": "BOOLEAN", "value": "reserved"},
        {"name": "  ", "type": "STRING", "value": "nameless"},
        {"name": "city", "type": "NUMBER", "value": "Austin"},
    ]
    instance().on_event(event(custom_properties_mode=V2, custom_user_properties=declared), provider.send)
    assert columns() == {"ltv": "NUMBER", "unset": "DATE"}
    assert {name: profiles()[0][name] for name in ("ltv", "city")} == {"ltv": "true", "city": "Austin"}
    assert not {"unset", "vip", " ltv "} & profiles()[0].keys()


def test_the_first_payload_decides_for_the_batch(
    instance: Make, event: Make, provider: Any, columns: Make, profiles: Make
) -> None:
    first = event(marketing_status="Indeterminate", custom_properties_mode=V2, custom_user_properties=[])
    second = event(custom_properties_mode=V1, custom_traits={"plan": "gold"})
    instance().on_batch([first, second], provider.send)
    assert "isOptedIn: false" in provider.document
    assert columns() == {}
    assert "plan" not in profiles()[1]


def test_the_sync_id_is_the_hash_of_the_escaped_profiles(instance: Make, event: Make, provider: Any) -> None:
    instance().on_event(event(), provider.send)
    lines = {
        line.strip().partition(": ")[0]: line.strip().partition(": ")[2] for line in provider.document.splitlines()
    }
    escaped = lines["profiles"][1:-1]
    assert lines["syncId"] == f'"{hashlib.sha256(escaped.encode()).hexdigest()}",'


@pytest.mark.parametrize("name", ['A "q" B', "ends in \\", "a\ud800b"])
def test_a_quote_or_a_lone_surrogate_in_a_value_breaks_the_document(
    instance: Make, event: Make, provider: Any, name: str
) -> None:
    instance().on_event(event(standard_traits={"first_name": name}), provider.send)
    if name == "ends in \\":
        parse(provider.document)
        assert r"\"first_name\":\"ends in \\\"" in provider.document
        return
    with pytest.raises(GraphQLError):
        parse(provider.document)


def test_a_crafted_value_adds_a_mutation(instance: Make, event: Make, provider: Any, root_fields: Make) -> None:
    crafted = 'x"}) { userErrors { message } } z: deleteProfilesWithExternalIds(input: {externalIds: [] #'
    instance().on_event(event(standard_traits={"first_name": crafted}), provider.send)
    assert "deleteProfilesWithExternalIds" in root_fields()


def test_the_advertiser_is_inlined_unchanged(instance: Make, event: Make, provider: Any) -> None:
    instance(advertiser_id="1, foo: 2").on_event(event(), provider.send)
    assert provider.document.count("advertiserId: 1, foo: 2,") == 3


def test_numbers_and_names_are_printed_as_in_javascript(instance: Make, event: Make, provider: Any) -> None:
    traits = {"b": 1.0, "10": 1e21, "2": 1e-7, "n": {"z": [None, 12345678901234567890.0]}}
    instance().on_event(event(custom_properties_mode=V1, custom_traits=traits), provider.send)
    assert r"[{\"2\":1e-7,\"10\":1e+21,\"userId\"" in provider.document
    assert r"\"b\":1,\"n\":{\"z\":[null,12345678901234567000]}" in provider.document


def test_an_instance_accepts_a_definition(event: Make, provider: Any, instance: Make) -> None:
    built: DestinationInstance = instance("3.497.0")
    assert DestinationInstance(built.definition, {"apiKey": "k"}).definition is built.definition
