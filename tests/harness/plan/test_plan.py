"""`plan`: each kind of change to a workspace, what it does to profiles, and why."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from emulator import Emulator
from emulator.artefacts import contract_json
from emulator.errors import InputError
from emulator.harness.plan import (
    CHECKS,
    CallsOf,
    Plan,
    as_markdown,
    generated_people,
    lines_of_plan,
    people_in_file,
    people_known,
)
from emulator.server.plan_runs import plan
from emulator.workspace import load_workspace, parse_workspace
from emulator.workspace_document import document_of

BUILT_IN = document_of(load_workspace())
PEOPLE = generated_people(40, 1)
Change = Callable[[dict[str, Any]], object]


def planned(change: Change, *, before: Change = lambda _: None, population: CallsOf = PEOPLE) -> Plan:
    """The plan of a change, run in this process."""
    old = copy.deepcopy(BUILT_IN)
    before(old)
    new = copy.deepcopy(old)
    change(new)
    return plan(parse_workspace(old), parse_workspace(new), population, further=timedelta(hours=1))


def mapping(document: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = document["destinations"][0]["subscriptions"][0]["mapping"]
    return found


def connection(document: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = document["destinations"][0]["audiences"][0]
    return found


def narrow(document: dict[str, Any]) -> None:
    document["audiences"][0]["condition"]["value"] = 3000


def without_email(document: dict[str, Any]) -> None:
    mapping(document)["email"] = {"@path": "$.traits.nothing"}


def no_city(document: dict[str, Any]) -> None:
    connection(document)["traits"] = [name for name in connection(document)["traits"] if name != "city"]


def other_consent(document: dict[str, Any]) -> None:
    mapping(document)["marketing_status"] = "Indeterminate"


def disabled(document: dict[str, Any]) -> None:
    document["destinations"][0]["enabled"] = False


def second_audience(document: dict[str, Any]) -> None:
    added = {**document["audiences"][0], "key": "everyone", "id": "aud_all", "name": "Everyone"}
    document["audiences"].append({**added, "condition": {"trait": "email", "operator": "exists"}})
    document["destinations"][0]["audiences"].append({**connection(document), "key": "everyone"})


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


def everyone(document: dict[str, Any]) -> None:
    document["audiences"][0]["condition"] = {"trait": "email", "operator": "exists"}


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


def written(path: Path, text: str) -> CallsOf:
    path.write_text(text, encoding="utf-8")
    return people_in_file(path, [load_workspace()])


def test_rows_of_a_file_are_people(tmp_path: Path) -> None:
    text = "user_id, email,total_spent,postal_code\nu1,a@example.com,612.5,02134\n,b@example.com,700,\nu3,,1,\n"
    population = written(tmp_path / "people.csv", text)
    assert (population.text, population.calls) == ("people.csv", 3)
    assert [*population.make()] == [
        {
            "type": "identify",
            "userId": "u1",
            "traits": {"email": "a@example.com", "total_spent": 612.5, "postal_code": "02134"},
        },
        {"type": "identify", "anonymousId": "b@example.com", "traits": {"email": "b@example.com", "total_spent": 700}},
        {"type": "identify", "userId": "u3", "traits": {"total_spent": 1}},
    ]
    assert planned(narrow, population=population).old.profiles == 2


def test_calls_of_a_file_are_run_as_they_are(tmp_path: Path) -> None:
    call = {"type": "identify", "userId": "u1", "traits": {"email": "a@example.com", "total_spent": 900}}
    population = written(tmp_path / "calls.jsonl", f"{json.dumps(call)}\n")
    assert [*population.make()] == [call]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no column for an identifier"),
        ("name\nAda\n", r"people.csv, line 1: the file has no column for an identifier\. Found: 'name'"),
        ("user_id,email\n", "the file has no people"),
        ("user_id,email\nu1\n", "line 2: the row has 1 cells, the header 2"),
        ("user_id,email\n,\n", "line 2: the row has neither a user id nor an email"),
        *(
            (f"user_id,total_spent\nu1,{cell}\n", f"line 2, column total_spent: a condition .* number. Found: '{cell}'")
            for cell in ("much", "nan", "1e999", "1_000")
        ),
        ("user_id;email\nu1;a\n", "Found: 'user_id;email'.* Separate the columns by commas"),
        ("email,email\na,b\n", "line 1: two columns are named 'email'. Give each column a name of its own"),
        ("email,\na,b\n", "line 1: a column has no name"),
        (f"email,note\na,{'x' * 33_000}\n", "line 2: Segment takes no such call: batch.0. is larger than 32 KB"),
        ('user_id,email\n"u1,a\n', "this is not CSV"),
    ],
)
def test_a_file_that_cannot_be_read_is_an_error_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        written(tmp_path / "people.csv", text)


def test_calls_that_segment_refuses_are_counted_by_its_code() -> None:
    person = {"email": "a@example.com", "total_spent": 900}
    calls = [{"type": "identify", "traits": person}, {"type": "identify", "userId": "u", "traits": person}]
    plan = planned(lambda _: None, population=CallsOf(text="two", calls=2, make=lambda: calls, at=PEOPLE.at))
    assert plan.as_dict()["old"]["callsRefused"] == {"total": 1, "byReason": {"no_user_anon_id": 1}}
    assert "  calls refused                      1 → 1" in [*lines_of_plan(plan)]
    assert "| calls refused | 1 | 1 |" in as_markdown(plan)
    assert (plan.new.profiles, plan.warning) == (1, None)


def test_calls_are_sent_in_bodies_that_segment_takes() -> None:
    calls = [
        {"type": "identify", "userId": f"u{number}", "traits": {"email": f"{number}@example.com", "note": "é" * 15_000}}
        for number in range(20)
    ]
    plan = planned(second_audience, population=CallsOf(text="large", calls=20, make=lambda: calls, at=PEOPLE.at))
    assert (plan.new.profiles, dict(plan.new.refused)) == (20, {})


@pytest.mark.parametrize(
    ("call", "cause"),
    [
        (
            {"userId": "u", "traits": {"email": "a@example.com"}},
            "a@example.com: audience, CONDITION_FALSE: .*total_spent is missing.* What to do: Send the traits",
        ),
        ({"userId": "u"}, "u: audience, CONDITION_FALSE: .*total_spent is missing"),
        (
            {"userId": "u", "traits": {"total_spent": 900}},
            "u: mapping, PAYLOAD_VALIDATION_FAILED: .*email.* What to do: Send what the mapping needs",
        ),
        ({"anonymousId": "a"}, "Segment sent no event about them. What to do: Give people who meet the condition"),
        (
            {"userId": "u", "traits": 7},
            "Segment refused all calls, 1 as traits_not_object: .*not an object. What to do: Send",
        ),
        (
            {"traits": {"email": "a@example.com"}},
            "Segment refused all calls, 1 as no_user_anon_id: The call has neither .* What to do: Send `userId` or",
        ),
    ],
)
def test_people_of_whom_no_profile_comes_are_no_proof(call: Any, cause: str) -> None:
    calls = [{"type": "identify", **call}]
    plan = planned(other_consent, population=CallsOf(text="one", calls=1, make=lambda: calls, at=PEOPLE.at))
    said = f"Neither workspace has a profile, so these people show nothing of the change. {cause}"
    assert re.match(said, plan.warning or ""), plan.warning
    assert plan.warning in [*lines_of_plan(plan)]
    assert "No profile changes" not in as_markdown(plan)


def no_audience(document: dict[str, Any]) -> None:
    document["audiences"] = document["destinations"][0]["audiences"] = []


def of_batches(document: dict[str, Any]) -> None:
    document["audiences"][0]["computation"] = "batch"


@pytest.mark.parametrize(
    ("spent", "entered", "change", "members"),
    [
        # A person who was put in stays in, and one who was taken out stays out, on both sides.
        (1, True, narrow, (1, 1)),
        (900, False, narrow, (0, 0)),
        # What the condition says is computed again.
        (900, True, narrow, (1, 0)),
        (900, True, no_audience, (1, 0)),
        # No audience, no membership.
        (1, True, no_audience, (1, 0)),
    ],
)
def test_memberships_that_were_set_are_carried_over(
    spent: int, entered: bool, change: Change, members: tuple[int, int]
) -> None:
    with Emulator() as emulator:
        emulator.segment.ingest("batch", {"batch": [person("ada", spent), person("eve", 1)]})
        emulator.segment.set_membership("vip_customers", entered=entered, user_id="ada")
        known = people_known(emulator.services)

    plan = planned(change, population=known)
    sizes = {(each.advertiser_id, each.field): (each.old, each.new) for each in plan.segments}
    assert sizes["1001", "segment_engage_audience_name"] == members


def person(name: str, spent: int) -> dict[str, Any]:
    traits = {"email": f"{name}@example.com", "total_spent": spent}
    return {"type": "identify", "userId": name, "traits": traits}


def test_a_membership_of_a_batch_audience_ends_with_its_next_computation() -> None:
    document = copy.deepcopy(BUILT_IN)
    of_batches(document)
    with Emulator(parse_workspace(document)) as emulator:
        emulator.segment.ingest("batch", {"batch": [person("ada", 1)]})
        emulator.segment.set_membership("vip_customers", entered=True, user_id="ada")
        assert people_known(emulator.services).members == ()


def test_the_people_of_a_sandbox_are_their_traits_and_events() -> None:
    with Emulator() as emulator:
        calls = [*PEOPLE.make()]
        emulator.segment.ingest("batch", {"batch": calls})
        known = people_known(emulator.services)
    assert known.calls == len(calls)
    assert known.text == "40 people of sandbox 'default'"
    plan = planned(lambda _: None, population=known)
    assert plan.old.profiles == planned(lambda _: None).old.profiles
