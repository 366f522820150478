"""`plan`: each kind of change to a workspace, what it does to profiles, and why."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from emulator.artefacts import contract_json
from emulator.harness.plan import (
    CHECKS,
    CallsOf,
    as_markdown,
    lines_of_plan,
)
from emulator.text import escaped_markdown
from tests.harness.plan.planned_changes import (
    PEOPLE,
    Change,
    connection,
    everyone,
    mapping,
    narrow,
    other_consent,
    planned,
    second_audience,
)


def without_email(document: dict[str, Any]) -> None:
    mapping(document)["email"] = {"@path": "$.traits.nothing"}


def no_city(document: dict[str, Any]) -> None:
    connection(document)["traits"] = [name for name in connection(document)["traits"] if name != "city"]


def disabled(document: dict[str, Any]) -> None:
    document["destinations"][0]["enabled"] = False


def test_no_change_changes_nothing() -> None:
    plan = planned(lambda _: None)
    assert plan.old.profiles > 5
    assert (plan.gained, plan.lost, plan.changed) == ((), (), 0)
    assert (plan.properties, plan.consent, plan.memberships) == ((), (), ())
    assert plan.failed(tuple(CHECKS)) == []
    assert "No profile changes." in [*lines_of_plan(plan)]
    assert "**No profile changes.**" in as_markdown(plan)


@pytest.mark.parametrize(
    ("change", "cause", "advice"),
    [
        (narrow, "audience, CONDITION_FALSE: .*needs a number ≥ 3000", "traits or events that the condition needs"),
        (without_email, "Segment, PAYLOAD_VALIDATION_FAILED: .*email", "correct the mapping"),
        (disabled, "DESTINATION_DISABLED", "enable|switch"),
    ],
    ids=["condition", "mapping", "destination"],
)
def test_lost_profiles_have_the_cause_and_the_advice(change: Change, cause: str, advice: str) -> None:
    plan = planned(change)
    assert sum(group.count for group in plan.lost) == plan.old.profiles - plan.new.profiles > 0
    [group] = plan.lost
    assert len(group.examples) == min(group.count, 3)
    assert re.search(cause, group.cause), group.cause
    assert re.search(advice, group.advice or "", re.IGNORECASE), group.advice
    assert "lost-profiles" in plan.failed(tuple(CHECKS))


def test_gained_profiles_have_the_cause_of_their_absence_before() -> None:
    plan = planned(lambda document: document["destinations"][0].update(enabled=True), before=disabled)
    assert plan.old.profiles == 0
    assert [group.count for group in plan.gained] == [plan.new.profiles]
    assert "DESTINATION_DISABLED" in plan.gained[0].cause
    assert plan.failed(("lost-profiles", "gained-profiles")) == ["gained-profiles"]


def test_a_property_that_is_sent_no_more_is_removed_with_its_cause() -> None:
    plan = planned(no_city)
    [city] = plan.properties
    assert (city.what, city.how, city.group.count) == ("city", "removed", plan.changed)
    assert "NOT_SENT_BY_ENGAGE" in city.group.cause
    assert {"advertiserId", "email", "old"} == set(city.group.examples[0])
    assert plan.failed(tuple(CHECKS)) == ["changed-properties", "lost-properties"]


def test_a_property_that_is_sent_now_is_added() -> None:
    plan = planned(lambda document: connection(document)["traits"].append("city"), before=no_city)
    [city] = plan.properties
    assert (city.what, city.how) == ("city", "added")
    assert city.group.cause.startswith("was missing before: property, NOT_SENT_BY_ENGAGE")
    assert plan.failed(("lost-properties",)) == []


def test_values_that_change_are_shown_before_and_after() -> None:
    def traits(document: dict[str, Any], city: str) -> None:
        mapping(document)["standard_traits"] = {"city": city}

    plan = planned(lambda document: traits(document, "Rome"), before=lambda document: traits(document, "Paris"))
    [city] = plan.properties
    assert (city.what, city.how, city.group.count) == ("city", "changed", plan.new.profiles)
    assert {(each["old"], each["new"]) for each in city.group.examples} == {("Paris", "Rome")}
    named = "standard_traits.city of 'Sync Audience' at 'StackAdapt Acme'"
    assert city.group.cause == f'{named}: "Paris" (mapping) → "Rome" (mapping)'


def test_consent_that_changes_is_a_group_for_each_pair() -> None:
    plan = planned(other_consent)
    [consent] = plan.consent
    assert (consent.what, consent.group.count) == ("OPTED_IN → INDETERMINATE", plan.new.profiles)
    named = "marketing_status of 'Sync Audience' at 'StackAdapt Acme'"
    assert consent.group.cause == f'{named}: "Opted-in" (mapping) → "Indeterminate" (mapping)'
    assert plan.failed(tuple(CHECKS)) == ["changed-consent"]


def test_consent_that_another_event_of_the_batch_brought_is_named() -> None:
    calls = [
        {"type": "identify", "userId": f"u{number}", "traits": {"email": f"{number}@example.com", "consent": consent}}
        for number, consent in enumerate(("Opted-in", "Indeterminate"))
    ]

    def by_trait(document: dict[str, Any]) -> None:
        everyone(document)
        mapping(document)["marketing_status"] = {"@path": "$.traits.consent"}
        connection(document)["traits"].append("consent")
        connection(document)["sendTrack"] = False

    def one_at_a_time(document: dict[str, Any]) -> None:
        document["destinations"][0]["batch"] = {"size": 1}

    population = CallsOf(text="two", calls=2, make=lambda: calls, at=PEOPLE.at)
    [consent] = planned(one_at_a_time, before=by_trait, population=population).consent
    assert consent.group.examples[0]["email"] == "1@example.com"
    assert consent.group.cause.endswith("the first event of a batch decides for all in it")


def renamed(document: dict[str, Any]) -> None:
    everyone(document)
    document["destinations"][0]["subscriptions"][0].update(name="Renamed")
    other_consent(document)


def test_the_only_mapping_of_each_side_is_compared_whatever_its_name() -> None:
    [consent] = planned(renamed).consent
    assert consent.group.cause.endswith('"Opted-in" (mapping) → "Indeterminate" (mapping)')


def of_second(document: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = document["destinations"][0]["audiences"][1]
    return found


@pytest.mark.parametrize(
    ("change", "cause", "advice"),
    [
        (
            lambda document: document["destinations"][0]["audiences"].pop(),
            "destination, NOT_CONNECTED: ",
            "Connect the",
        ),
        (
            lambda document: of_second(document).update(sendTrack=False, sendIdentify=False),
            "destination, TOGGLES_OFF: .*audiences.1.: sendIdentify and sendTrack are false",
            "Switch on",
        ),
        (
            lambda document: document["audiences"][1].update(condition={"trait": "none", "operator": "exists"}),
            "audience, CONDITION_FALSE: the profile does not meet the audience's condition .none ",
            "Send the traits",
        ),
        (
            lambda document: document["destinations"][0]["subscriptions"][0].update(
                trigger='context.personas.computation_key = "vip_customers"'
            ),
            "trigger, NO_MATCHING_MAPPING: ",
            "trigger",
        ),
    ],
    ids=["connection", "toggles", "condition", "trigger"],
)
def test_a_membership_that_ends_has_its_place(change: Change, cause: str, advice: str) -> None:
    [left] = planned(change, before=second_audience).memberships
    assert (left.what, left.how) == ("everyone", "left")
    assert re.match(cause, left.group.cause), left.group.cause
    assert advice in (left.group.advice or "")


def test_profiles_of_another_advertiser_are_lost_and_gained() -> None:
    plan = planned(lambda document: document["destinations"][0]["settings"].update(advertiser_id="1002"))
    [lost], [gained] = plan.lost, plan.gained
    assert lost.count == gained.count == plan.old.profiles == plan.new.profiles
    assert lost.cause == "StackAdapt, OTHER_ADVERTISER: their profiles are at advertiser 1002"
    assert gained.cause == "StackAdapt, OTHER_ADVERTISER: their profiles are at advertiser 1001"


def test_memberships_that_begin_and_end_have_the_clause_that_decides() -> None:
    joined = planned(second_audience)
    assert sum(group.count for group in joined.gained) > 0
    [everyone] = joined.memberships
    assert (everyone.what, everyone.how) == ("everyone", "joined")
    assert "has no audience 'everyone'" in everyone.group.cause
    left = planned(narrow, before=second_audience)
    [vip] = left.memberships
    assert (vip.what, vip.how) == ("vip_customers", "left")
    assert vip.group.cause.startswith("audience, CONDITION_FALSE: ")
    assert "total_spent" in vip.group.cause
    sizes = {(each.field, each.value): (each.old, each.new) for each in left.segments if each.advertiser_id == "1001"}
    old, new = sizes["segment_engage_audience_name", "vip_customers"]
    assert sizes["segment_engage_audience_id", "aud_local_vip"] == (old, new)
    assert new < old
    assert left.failed(("lost-memberships", "gained-memberships")) == ["lost-memberships"]


def test_the_default_mode_of_custom_properties_loses_custom_traits() -> None:
    """What the published destination did with the default `v2` of `custom_properties_mode`."""

    def before(document: dict[str, Any]) -> None:
        document["destinations"][0]["generation"] = "3.497.0"
        connection(document)["traits"].append("total_spent")
        mapping(document)["custom_traits"] = {"total_spent": {"@path": "$.traits.total_spent"}}

    def with_new_defaults(document: dict[str, Any]) -> None:
        document["destinations"][0]["generation"] = "3.517.0"

    def as_saved(document: dict[str, Any]) -> None:
        with_new_defaults(document)
        mapping(document)["custom_properties_mode"] = "v1"

    assert planned(as_saved, before=before).properties == ()
    [lost] = planned(with_new_defaults, before=before).properties
    assert (lost.what, lost.how) == ("total_spent", "removed")
    assert (
        "custom_properties_mode of 'Sync Audience' at 'StackAdapt Acme': not sent → \"v2\" (default" in lost.group.cause
    )
    assert "leaves it out" not in lost.group.cause
    assert "Write custom_properties_mode into the mapping" in (lost.group.advice or "")


@pytest.mark.parametrize("change", [narrow, without_email, no_city, other_consent, second_audience])
def test_every_plan_fits_its_schema_and_its_texts_are_complete(change: Change) -> None:
    plan = planned(change)
    document = json.loads(json.dumps(plan.as_dict()))
    Draft202012Validator(contract_json("plan.schema.json")).validate(document)
    text, markdown = "\n".join(lines_of_plan(plan, verbose=True)), as_markdown(plan)
    for group in (*plan.gained, *plan.lost, *(each.group for each in (*plan.properties, *plan.consent))):
        assert group.cause in text
        assert f"{group.count:,}" in markdown
    assert "--- the old workspace\n+++ the new workspace" in text


@pytest.mark.parametrize("change", [narrow, without_email, no_city, other_consent, second_audience])
def test_the_texts_have_the_same_advice(change: Change) -> None:
    plan = planned(change)
    label = "What to do: "
    advice = [line.partition(label)[2] for line in lines_of_plan(plan) if label in line]
    rows = [re.split(r"(?<!\\)\|", line) for line in as_markdown(plan).splitlines() if line.startswith(("| -", "| ~"))]
    assert [row[4].strip() for row in rows if row[4].strip()] == [escaped_markdown(each) for each in advice]


def test_markdown_shows_hostile_values_as_text() -> None:
    calls = [
        {"type": "identify", "userId": "u", "traits": {"email": "a@example.com", "total_spent": 900, "city": CITY}}
    ]
    population = CallsOf(text="<b>me</b>", calls=1, make=lambda: calls, at=PEOPLE.at)
    markdown = as_markdown(planned(no_city, population=population))
    assert "<img" not in markdown
    assert "<b>" not in markdown
    assert "&lt;img src=x\\|" in markdown


def test_names_and_values_stay_on_their_lines_and_send_nothing_to_a_terminal() -> None:
    traits = {"email": "a@example.com", "total_spent": 900, "city": "x\x9by"}
    calls = [{"type": "identify", "userId": "u", "traits": traits}]
    population = CallsOf(text="a\nb\x1b[2J", calls=1, make=lambda: calls, at=PEOPLE.at)
    lines = [*lines_of_plan(planned(no_city, population=population))]
    assert lines[0].startswith("a\\nb\\x1b[2J, 1 call, ")
    assert '    a@example.com "x\\x9by"' in lines
    assert all(line.isprintable() for line in lines)


def test_faults_of_the_workspaces_are_left_out_and_shown_in_the_difference() -> None:
    plan = planned(lambda document: document.update(faults=[{"fault": "status", "status": 503}]))
    assert plan.old == plan.new
    assert "+  fault: status" in "\n".join(plan.difference).replace("- fault", "  fault")


CITY = "<img src=x|> [a](http://b) @all `x`"
