from __future__ import annotations

import copy
from typing import Any

import pytest
import yaml

from emulator.artefacts import fixture
from emulator.harness.checks.lint import ERROR, lint
from emulator.harness.checks.reachability import can_match
from emulator.mapping import compile_trigger
from emulator.workspace import parse_workspace

DEFAULT = yaml.safe_load(fixture("workspace.yaml").read_text())
EMAIL_ON_IDENTIFY_ONLY = {"@path": "$.traits.email"}
OF_2024 = '(type = "track" or type = "identify") and (event = "Audience Entered" or event = "Audience Exited")'


def workspace(
    *, destination: dict[str, Any] | None = None, subscription: dict[str, Any] | None = None, **mapping: Any
) -> dict[str, Any]:
    """The default workspace with one destination instance, subscription or mapping changed."""
    document = copy.deepcopy(DEFAULT)
    changed = document["destinations"][0]
    changed.update(destination or {})
    changed["subscriptions"][0].update(subscription or {})
    changed["subscriptions"][0]["mapping"].update(mapping)
    return document


def codes(document: dict[str, Any]) -> set[str]:
    return {finding.code for finding in lint(parse_workspace(document))}


def test_the_default_workspace_has_no_error_and_one_honest_warning() -> None:
    findings = lint(parse_workspace(DEFAULT))
    assert [(finding.code, finding.severity) for finding in findings] == [("M007", "warning")]


def test_the_trigger_of_the_2024_page_never_lets_identify_events_through() -> None:
    [finding] = [
        finding
        for finding in lint(parse_workspace(workspace(subscription={"trigger": OF_2024})))
        if finding.code == "T002"
    ]
    assert finding.severity == ERROR
    assert finding.place == "destinations[0].subscriptions[0].trigger"
    assert finding.message == "This trigger never lets identify events through."
    assert "no event name" in finding.why


def test_the_events_of_journey_steps_must_reach_their_mapping_too() -> None:
    steps = [{"key": "cart__reminded_1", "name": "Reminded"}]
    journeys = [{"id": "j", "name": "Cart", "entry": {"event": "Cart Modified"}, "steps": steps}]
    document = workspace(
        destination={"journeySteps": [{"key": "cart__reminded_1"}]},
        subscription={"trigger": 'type = "identify" or event = "Audience Entered" or event = "Audience Exited"'},
    )
    messages = [finding.message for finding in lint(parse_workspace(document | {"journeys": journeys}))]
    assert "This trigger never lets the track event 'Reminded' through." in messages


@pytest.mark.parametrize(
    ("trigger", "identify", "track"),
    [
        ('type = "identify" or type = "track"', True, True),
        (OF_2024, False, True),
        ('type = "track"', False, True),
        ('event != "Audience Entered"', True, False),
        ('event = null and type = "identify"', False, False),
        ('match(event, "Audience*")', False, True),
        ('!contains(event, "Left")', False, True),
        ('type = "identify" and traits.plan = "gold"', True, False),
        ('traits.plan = "gold" or type = "page"', True, True),
        ("userId != null", True, True),
        ('name = null and type = "track"', False, True),
        ('type = "screen"', False, False),
        ("not a trigger", False, False),
    ],
)
def test_reach_is_decided_by_type_and_event_name_alone(trigger: str, identify: bool, track: bool) -> None:
    compiled = compile_trigger(trigger)
    assert can_match(compiled, kind="identify", event=None) is identify
    assert can_match(compiled, kind="track", event="Audience Entered") is track


def test_a_trigger_with_another_event_name_misses_the_track_event() -> None:
    trigger = 'type = "identify" or event = "Audience Enter"'
    found = [finding.message for finding in lint(parse_workspace(workspace(subscription={"trigger": trigger})))]
    assert "This trigger never lets the track event 'Audience Entered' through." in found
    assert "This trigger never lets the track event 'Audience Exited' through." in found


@pytest.mark.parametrize(
    ("document", "code"),
    [
        (workspace(subscription={"trigger": "type ="}), "T002"),
        (workspace(subscription={"trigger": "((type = 'x'))"}), "T001"),
        (workspace(subscription={"trigger": 'type = "track" and event = "A" or type = "identify"'}), "T003"),
        (workspace(destination={"settings": {"apiKey": "sa-local-write"}}), "S001"),
        (workspace(destination={"settings": {"apiKey": "sa-local-write", "advertiser_id": "Acme"}}), "S002"),
        (workspace(destination={"settings": {"apiKey": "sa-local-write", "advertiser_id": "1003"}}), "S003"),
        (workspace(destination={"settings": {"apiKey": "nope", "advertiser_id": "1001"}}), "S004"),
        (workspace(destination={"settings": {"apiKey": "sa-local-read", "advertiser_id": "1001"}}), "S005"),
        (workspace(subscription={"action": "forwardProfile"}), "M001"),
        (workspace(email={"@pth": "$.traits.email"}), "M002"),
        (workspace(e_mail={"@path": "$.traits.email"}), "M003"),
        (workspace(marketing_status=""), "M004"),
        (workspace(email=EMAIL_ON_IDENTIFY_ONLY), "M005"),
        (workspace(destination={"generation": "3.387.0"}, advertiser_id="1001"), "M006"),
        (workspace(custom_user_properties=[{"name": "vip_customers", "type": "STRING", "value": "x"}]), "M008"),
        (workspace(custom_user_properties=[{"name": "plan", "type": "STRING", "value": "x"}] * 2), "M009"),
    ],
)
def test_each_mistake_has_its_code(document: dict[str, Any], code: str) -> None:
    assert code in codes(document)
    assert code not in codes(DEFAULT)


def test_a_doubled_equals_sign_is_told_once_and_as_the_engine_reads_it() -> None:
    document = workspace(subscription={"trigger": 'type == "identify"'})
    [finding] = [finding for finding in lint(parse_workspace(document)) if finding.place.endswith("trigger")]
    assert (finding.code, finding.severity) == ("T004", ERROR)
    assert finding.message == 'This trigger is read as type = "=": the engine knows no `==`.'
    assert codes(workspace(subscription={"trigger": 'type = "track" and (traits.plan == "gold")'})) >= {"T004"}
    assert "T004" not in codes(workspace(subscription={"trigger": 'type = "identify" and traits.sign = "=="'}))


@pytest.mark.parametrize("written", ["Opted In", {"@literal": "Opted In"}])
def test_a_value_that_is_none_of_the_choices_gets_the_nearest(written: object) -> None:
    document = workspace(marketing_status=written)
    [finding] = [finding for finding in lint(parse_workspace(document)) if finding.code == "M010"]
    assert (finding.severity, finding.place) == (ERROR, "destinations[0].subscriptions[0].mapping.marketing_status")
    assert finding.message == "Marketing Status has no choice 'Opted In'."
    assert finding.fix == "Choose 'Opted-in' or 'Indeterminate'. Did you mean 'Opted-in'?"


def test_choices_inside_a_list_are_looked_at_and_paths_are_not() -> None:
    properties = [{"name": "plan", "type": "TEXT", "value": {"@path": "$.traits.plan"}}]
    found = lint(parse_workspace(workspace(custom_user_properties=properties)))
    places = [finding.place for finding in found if finding.code == "M010"]
    assert places == ["destinations[0].subscriptions[0].mapping.custom_user_properties[0].type"]
    assert "M010" not in codes(workspace(marketing_status={"@path": "$.traits.status"}))


def test_a_generation_that_nobody_knows_hides_no_other_finding_than_those_of_its_mappings() -> None:
    document = workspace(destination={"generation": "3.51.0"})
    [finding] = lint(parse_workspace(document))
    assert (finding.code, finding.place) == ("W001", "destination 'StackAdapt Acme': generation")
    assert finding.fix.endswith("Did you mean '3.517.0'?")


def test_a_replaced_quote_silences_the_warning_about_free_text() -> None:
    guarded = {"@replace": {"pattern": '"', "replacement": "", "value": {"@path": "$.traits.first_name"}}}
    assert "M007" not in codes(workspace(standard_traits={"first_name": guarded}))
    assert "M007" in codes(workspace(standard_traits={"first_name": {"@path": "$.traits.first_name"}}))


def test_an_e_mail_missing_from_track_events_names_the_message_and_the_remedy() -> None:
    [finding] = [
        found for found in lint(parse_workspace(workspace(email=EMAIL_ON_IDENTIFY_ONLY))) if found.code == "M005"
    ]
    assert finding.message == "The mapping finds no email in track events."
    assert "$.context.traits.email" in finding.fix


def test_every_finding_says_why_and_how_to_mend_it() -> None:
    document = workspace(subscription={"trigger": OF_2024}, marketing_status=None, email=EMAIL_ON_IDENTIFY_ONLY)
    for finding in lint(parse_workspace(document)):
        assert finding.why.endswith(".")
        assert finding.fix.endswith(".")
        assert finding.place.startswith("destinations[0]")
