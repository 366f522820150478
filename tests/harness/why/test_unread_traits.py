"""`why` about a property that the mapping does not carry, for each generation, mode and field."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from tests.harness.why.situations import Situation, ada, workspace
from tests.harness.why.stops import CONNECTION, SUBSCRIPTION, a_filter

ADA_RECORD = {"userId": "u1", "email": "ada@example.com"}
MAPPING = f"{SUBSCRIPTION}mapping__"
MODE = f"{MAPPING}custom_properties_mode"
PLAN = {"@path": "$.traits.plan"}
INFERRED = {f"{MAPPING}custom_traits": {"plan": PLAN}}
DECLARED = {f"{MAPPING}custom_user_properties": [{"name": "plan", "type": "STRING", "value": PLAN}]}
STANDARD = {f"{MAPPING}standard_traits": {"plan": PLAN}}
WRONG_PATH = {f"{MAPPING}custom_traits": {"plan": {"@path": "$.context.plan"}}}
NOTHING: dict[str, Any] = {}
UNREAD = "which is not read: custom_properties_mode is"

# Generation, mode, what is mapped; the reason, None where the property arrives, and what message and advice say.
TABLE: list[tuple[str, str | None, dict[str, Any], str | None, str]] = [
    ("3.497.0", None, INFERRED, None, ""),
    ("3.497.0", None, DECLARED, "UNKNOWN_FIELD", r"of 3.497.0 has no custom_user_properties\n.*in custom_traits\."),
    ("3.497.0", None, STANDARD, "UNKNOWN_FIELD", r"has no standard_traits.plan\nMap 'plan' in custom_traits\."),
    ("3.497.0", None, WRONG_PATH, "NO_VALUE_AT_PATH", r'reads .* from .*context.plan"}.*\nRead it from \$.traits.plan'),
    ("3.497.0", None, NOTHING, "NOT_IN_MAPPING", r"leaves it out\nAdd 'plan' to custom_traits of 'Sync Audience'"),
    (
        "3.517.0",
        None,
        INFERRED,
        "OTHER_PROPERTIES_MODE",
        rf'custom_traits, {UNREAD} "v2" \(the default of 3.517.0\), .*Set custom_properties_mode to "v1" in .*or move',
    ),
    ("3.517.0", None, DECLARED, None, ""),
    ("3.517.0", None, STANDARD, "UNKNOWN_FIELD", r"no standard_traits.plan\nMap 'plan' in custom_user_properties"),
    ("3.517.0", None, NOTHING, "NOT_IN_MAPPING", r"leaves it out\nAdd 'plan' to custom_user_properties"),
    ("3.517.0", "v1", INFERRED, None, ""),
    (
        "3.517.0",
        "v1",
        DECLARED,
        "OTHER_PROPERTIES_MODE",
        rf'custom_user_properties, {UNREAD} "v1" \(the mapping sets it\), .* to "v2" in .*or move .* to custom_traits',
    ),
    ("3.517.0", "v1", WRONG_PATH, "NO_VALUE_AT_PATH", r"Read it from \$.traits.plan"),
    ("3.517.0", "v1", NOTHING, "NOT_IN_MAPPING", r"Add 'plan' to custom_traits"),
    ("3.517.0", "v2", INFERRED, "OTHER_PROPERTIES_MODE", rf'{UNREAD} "v2" \(the mapping sets it\)'),
    ("3.517.0", "v2", DECLARED, None, ""),
]


def situation(*, key: str = "plan", **paths: Any) -> Situation:
    """Ada with a plan, which the connection sends."""
    document = workspace(**{f"{CONNECTION}traits": ["plan"], **paths})
    return Situation(workspace=document, calls=(ada(plan="gold"),), question={"userId": "u1", "property": key})


def check(asked: Situation, reason: str | None, text: str) -> None:
    """The answer has this reason and text, and its changes let the property through."""
    with asked.played() as emulator:
        answer = asked.ask(emulator)
    if reason is None:
        assert answer["arrived"], answer["text"]
        return
    stopped = answer["stopped"]
    assert (stopped["stage"], stopped["reason"]) == ("property", reason), answer["text"]
    assert re.search(text, f"{stopped['message']}\n{stopped['advice']}", re.DOTALL), answer["text"]
    assert len(answer["changes"]) == 1, answer["text"]
    with asked.changed(answer["changes"][0]).played() as emulator:
        answer = asked.ask(emulator)
        assert answer["arrived"], answer["text"]


@pytest.mark.parametrize(("generation", "mode", "mapped", "reason", "text"), TABLE)
def test_what_of_the_mapping_does_not_carry_a_trait(
    generation: str, mode: str | None, mapped: dict[str, Any], reason: str | None, text: str
) -> None:
    set_mode = {MODE: mode} if mode else {}
    check(situation(**{"destinations__0__generation": generation, **set_mode, **mapped}), reason, text)


OF_2024 = {"mapping": {"advertiser_id": "1001"}}
PROFILES = {"action": "forwardProfile", "name": "Profiles", "trigger": 'type = "identify"', **OF_2024}
MEMBERS = {"action": "forwardAudienceEvent", "name": "Members", "trigger": 'type = "track"', **OF_2024}
WITH_PLAN = {**OF_2024["mapping"], "traits": {"email": {"@path": "$.traits.email"}, "plan": PLAN}}


@pytest.mark.parametrize("generation", ["3.361.0", "3.387.0"])
@pytest.mark.parametrize(
    ("subscriptions", "reason", "text"),
    [
        ([PROFILES, MEMBERS], "NOT_IN_MAPPING", r"leaves it out\nAdd 'plan' to traits of 'Profiles'"),
        ([{**PROFILES, "mapping": WITH_PLAN}, MEMBERS], None, ""),
        ([MEMBERS], "NO_TRAITS_FIELD", r"sends no traits\nAdd a mapping of the action 'Forward Profile'"),
    ],
    ids=["not mapped", "mapped", "members only"],
)
def test_what_of_the_actions_of_2024_does_not_carry_a_trait(
    generation: str, subscriptions: list[dict[str, Any]], reason: str | None, text: str
) -> None:
    paths = {"destinations__0__generation": generation, "destinations__0__subscriptions": subscriptions}
    # Where the mappings forward no profiles, another client has brought the profile.
    records = () if PROFILES["name"] in [each["name"] for each in subscriptions] else (ADA_RECORD,)
    check(replace(situation(apiVersion="2024-12", **paths), records=records), reason, text)


def test_a_filter_that_takes_a_trait_out_is_named() -> None:
    filters = a_filter(
        'type = "identify" or type = "track"',
        type="DROP_PROPERTIES",
        fields={"traits": ["plan"], "properties": ["plan"]},
    )
    asked = situation(destinations__0__generation="3.517.0", destinations__0__filters=filters, **DECLARED)
    check(asked, "REMOVED_BY_FILTER", "the filter 'Filter' of 'StackAdapt Acme' takes 'plan' out of the event\n")


@pytest.mark.parametrize("mapped", [DECLARED, {**INFERRED, MODE: "v1"}], ids=["declared", "inferred"])
def test_a_property_with_the_name_of_the_audience_is_left_out(mapped: dict[str, Any]) -> None:
    asked = situation(
        destinations__0__generation="3.517.0",
        audiences__0__key="plan",
        destinations__0__audiences__0__key="plan",
        **mapped,
    )
    with asked.played() as emulator:
        stop = emulator.why(user_id="u1", property="plan").stop
    assert stop is not None
    assert stop.reason == "RESERVED_NAME", stop
    assert stop.advice == "Give the property another name."


def test_a_mapping_that_takes_an_object_from_a_path_is_left_as_it_is() -> None:
    asked = situation(
        destinations__0__generation="3.517.0", **{f"{MAPPING}custom_user_properties": {"@path": "$.traits.none"}}
    )
    with asked.played() as emulator:
        answer = asked.ask(emulator)
    assert answer["stopped"]["reason"] == "NOT_IN_MAPPING"
    assert all("custom_user_properties" not in each["where"] for each in answer["changes"])


def test_a_trait_with_the_name_of_the_consent_is_a_property_like_any_other() -> None:
    document = workspace(**{f"{CONNECTION}traits": ["consent"]})
    asked = Situation(
        workspace=document, calls=(ada(consent="phone"),), question={"userId": "u1", "property": "consent"}
    )
    check(asked, "NOT_IN_MAPPING", "Add 'consent' to custom_")
