from __future__ import annotations

import copy
from typing import Any

import pytest
import yaml

from emulator.artefacts import fixture
from emulator.harness.checks import lint
from emulator.harness.checks.finding import CHECKS, ERROR, SUBSCRIPTION, Finding, rows
from emulator.harness.checks.triggers import can_match
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


def findings(document: dict[str, Any], code: str = "") -> list[Finding]:
    """All findings, or those with the code."""
    return [finding for finding in lint(parse_workspace(document)) if code in ("", finding.code)]


def codes(document: dict[str, Any]) -> set[str]:
    return {finding.code for finding in findings(document)}


NAME = {"@path": "$.traits.first_name"}
OF_2024_TRAITS = {"action": "forwardProfile", "mapping": {"traits": {"city": NAME}}}


@pytest.mark.parametrize(
    ("document", "severity", "field", "names"),
    [
        (DEFAULT, "note", "standard_traits", "first_name, last_name, address, city"),
        (workspace(standard_traits={"first_name": NAME}), "warning", "standard_traits", "first_name"),
        (workspace(destination={"generation": "3.387.0"}, subscription=OF_2024_TRAITS), "warning", "traits", "city"),
    ],
)
def test_free_text_of_the_published_default_is_a_note_and_in_a_mapping_of_ones_own_a_warning(
    document: dict[str, Any], severity: str, field: str, names: str
) -> None:
    [finding] = findings(document, "M007")
    assert (finding.severity, finding.place, finding.message) == (
        severity,
        f"destinations[0].subscriptions[0].mapping.{field}",
        f"Free text is sent unescaped: {names}.",
    )


def test_notes_come_after_the_errors_and_warnings_of_all_subscriptions() -> None:
    document = workspace(e_mail="x")
    [subscription] = document["destinations"][0]["subscriptions"]
    document["destinations"][0]["subscriptions"].append({**subscription, "name": "Second"})
    found = [(finding.code, finding.severity) for finding in findings(document)]
    assert found == [
        *[("M003", "error"), ("M003", "error")],
        *[("D011", "note"), ("M007", "note"), ("M007", "note")],
    ]


def test_the_trigger_of_the_2024_page_never_matches_identify_events() -> None:
    [finding] = findings(workspace(subscription={"trigger": OF_2024}), "T002")
    assert finding.severity == ERROR
    assert finding.place == "destinations[0].subscriptions[0].trigger"
    assert finding.message == "This trigger never matches identify events."
    assert "no event name" in str(finding.why)


def test_the_trigger_must_match_the_events_of_journey_steps() -> None:
    steps = [{"key": "cart__reminded_1", "name": "Reminded"}]
    journeys = [{"id": "j", "name": "Cart", "entry": {"event": "Cart Modified"}, "steps": steps}]
    document = workspace(
        destination={"journeySteps": [{"key": "cart__reminded_1"}]},
        subscription={"trigger": 'type = "identify" or event = "Audience Entered" or event = "Audience Exited"'},
    )
    messages = [finding.message for finding in findings(document | {"journeys": journeys})]
    assert "This trigger never matches the track event 'Reminded'." in messages


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
def test_type_and_event_name_alone_decide_whether_a_trigger_can_match(
    trigger: str, identify: bool, track: bool
) -> None:
    compiled = compile_trigger(trigger)
    assert can_match(compiled, kind="identify", event=None) is identify
    assert can_match(compiled, kind="track", event="Audience Entered") is track


def test_a_trigger_with_another_event_name_never_matches_the_track_events() -> None:
    trigger = 'type = "identify" or event = "Audience Enter"'
    assert [finding.message for finding in findings(workspace(subscription={"trigger": trigger}), "T002")] == [
        "This trigger never matches the track events 'Audience Entered' and 'Audience Exited'."
    ]


WITHOUT_EMAIL = {"type": "DROP_PROPERTIES", "fields": {"traits": ["email"], "context.traits": ["email"]}}


def a_filter(action: dict[str, Any]) -> dict[str, Any]:
    return {"title": "Filter", "if": "type != null", "actions": [action]}


EXPIRED = workspace() | {"tokens": [DEFAULT["tokens"][0] | {"expiresAt": "2020-01-01T00:00:00Z"}]}
MISTAKES = [
    (workspace(destination={"generation": "3.51.0"}), "W001"),
    (workspace(subscription={"trigger": "type ="}), "T002"),
    (workspace(subscription={"trigger": "((type = 'x'))"}), "T001"),
    (workspace(subscription={"trigger": 'type = "track" and event = "A" or type = "identify"'}), "T003"),
    (workspace(destination={"settings": {"apiKey": "sa-local-write"}}), "S001"),
    (workspace(destination={"settings": {"apiKey": "sa-local-write", "advertiser_id": "Acme"}}), "S002"),
    (workspace(destination={"settings": {"apiKey": "sa-local-write", "advertiser_id": "1003"}}), "S003"),
    (workspace(destination={"settings": {"apiKey": "nope", "advertiser_id": "1001"}}), "S004"),
    (workspace(destination={"settings": {"apiKey": "sa-local-read", "advertiser_id": "1001"}}), "S005"),
    (EXPIRED, "S006"),
    (workspace(destination={"generation": "3.387.0"}), "S007"),
    (workspace(subscription={"action": "forwardProfile"}), "M001"),
    (workspace(email={"@pth": "$.traits.email"}), "M002"),
    (workspace(e_mail={"@path": "$.traits.email"}), "M003"),
    (workspace(marketing_status=""), "M004"),
    (workspace(email=EMAIL_ON_IDENTIFY_ONLY), "M005"),
    (workspace(destination={"generation": "3.387.0"}, advertiser_id="1001"), "M006"),
    (workspace(custom_user_properties=[{"name": "vip_customers", "type": "STRING", "value": "x"}]), "M008"),
    (workspace(custom_user_properties=[{"name": "plan", "type": "STRING", "value": "x"}] * 2), "M009"),
    (workspace(subscription={"trigger": 'type == "identify"'}), "T004"),
    (workspace(subscription={"trigger": 'type = "identify" or type = "track" or Evnt = "x"'}), "T005"),
    (workspace(custom_properties_mode="v1", custom_traits={"plan": {"@path": "$.traits.plan"}}), "P001"),
    (workspace(standard_traits={"city": {"@path": "$.traits.city"}}), "M007"),
    (workspace(marketing_status="Opted In"), "M010"),
    (workspace(destination={"filters": [a_filter({"type": "DROP"})]}), "F002"),
    (workspace(destination={"filters": [a_filter(WITHOUT_EMAIL)]}), "F003"),
    (workspace(destination={"source": "Website"}), "F004"),
]


@pytest.mark.parametrize(("document", "code"), MISTAKES)
def test_each_mistake_has_its_code(document: dict[str, Any], code: str) -> None:
    found = findings(document, code)
    assert found
    for finding in found:
        assert finding.severity == CHECKS[code].severity
        assert finding.place.startswith("destination")
        for text in (finding.message, finding.why, finding.fix):
            assert text is not None
            assert text[0] in "`'" or text[0].isupper()
            assert text.endswith((".", "?"))
    assert code == "M007" or code not in codes(DEFAULT)


def test_every_check_of_a_subscription_is_tested() -> None:
    checks = {check.code for check in CHECKS.values() if SUBSCRIPTION in check.subjects}
    assert checks <= {code for _, code in MISTAKES}


def test_the_table_of_checks_has_code_severity_and_title() -> None:
    assert ("T003", "warning", "The trigger mixes `and` and `or` without parentheses.") in rows()
    assert all(title.endswith(".") and "|" not in title for _, _, title in rows())


def test_a_doubled_equals_sign_is_one_finding_that_shows_how_the_engine_reads_it() -> None:
    document = workspace(subscription={"trigger": 'type == "identify"'})
    [finding] = [finding for finding in findings(document) if finding.place.endswith("trigger")]
    assert (finding.code, finding.severity) == ("T004", ERROR)
    assert finding.message == 'The engine does not support `==`: it reads this trigger as type = "=".'
    assert codes(workspace(subscription={"trigger": 'type = "track" and (traits.plan == "gold")'})) >= {"T004"}
    assert "T004" not in codes(workspace(subscription={"trigger": 'type = "identify" and traits.sign = "=="'}))


PLAN = {"plan": {"@path": "$.traits.plan"}}
DECLARE = "Set custom_properties_mode to v2 and declare the properties in custom_user_properties."
UPDATE = "Use generation 3.517.0 or newer and declare the properties in custom_user_properties."
EVERYONE = " Or give every person a value for each property, such as 0 or false."
TRAITS_2024 = {"action": "forwardProfile", "mapping": {"traits": PLAN}}


@pytest.mark.parametrize(
    ("document", "field", "columns", "fix"),
    [
        (workspace(custom_properties_mode="v1", custom_traits=PLAN), "custom_traits", "plan", DECLARE),
        (workspace(custom_properties_mode="v1", custom_traits={"@path": "$.traits"}), "custom_traits", "all of them",
         DECLARE),
        (workspace(destination={"generation": "3.497.0"}, custom_traits=PLAN), "custom_traits", "plan", UPDATE),
        (workspace(destination={"generation": "3.387.0"}, subscription=TRAITS_2024), "traits", "plan", UPDATE),
    ],
)  # fmt: skip
def test_inferred_properties_are_reported(document: dict[str, Any], field: str, columns: str, fix: str) -> None:
    [finding] = findings(document, "P001")
    assert (finding.severity, finding.place) == ("warning", f"destinations[0].subscriptions[0].mapping.{field}")
    assert finding.message == (
        f"The columns of custom properties are inferred from the values in each request: {columns}."
    )
    assert finding.why == (
        "Each mapping replaces the one before. A request in which no event has a value for a property takes it out of "
        "StackAdapt's mapping, and the values of everyone who is processed then are dropped."
    )
    assert finding.fix == fix + EVERYONE


def test_declared_and_standard_properties_are_not_inferred() -> None:
    declared = [{"name": "plan", "type": "STRING", "value": {"@path": "$.traits.plan"}}]
    assert "P001" not in codes(workspace(custom_user_properties=declared))
    assert "P001" not in codes(workspace(custom_traits=PLAN)), "the default mode v2 ignores this field"
    standard = {"action": "forwardProfile", "mapping": {"traits": {"city": {"@path": "$.traits.city"}}}}
    assert "P001" not in codes(workspace(destination={"generation": "3.387.0"}, subscription=standard))


# The trigger, and the whole findings about it: code, message, why, fix.
TRIGGERS = [
    (
        'type = "identify" and type = "track"',
        "T002",
        "This trigger never matches identify events and the track events 'Audience Entered' and 'Audience Exited'.",
        "With `and`, one event must meet every condition.",
        'Write `or` instead of `and`. Corrected trigger: `type = "identify" or type = "track"`.',
    ),
    (
        "type is 'identify' or type is 'track'",
        "T002",
        "This trigger never matches identify events and the track events 'Audience Entered' and 'Audience Exited'.",
        (
            "Only double quotes mark a string. The engine knows no operator `is`. Allowed: =, !=, <, <=, >, >=, "
            'contains(field, "text"), match(field, "start*"), and ! before these two.'
        ),
        (
            "Write strings in double quotes and write `=` instead of `is`. "
            'Corrected trigger: `type = "identify" or type = "track"`.'
        ),
    ),
    (
        'type = "identify" or event = "Audience entered" or event = "Audience Exited"',
        "T002",
        "This trigger never matches the track event 'Audience Entered'.",
        "Values are compared letter by letter, with regard to case.",
        (
            'Write "Audience Entered" instead of "Audience entered". '
            'Corrected trigger: `type = "identify" or event = "Audience Entered" or event = "Audience Exited"`.'
        ),
    ),
    (
        'type = "identify" || type = "track"',
        "T001",
        "This trigger cannot be parsed.",
        (
            "The engine does not read `||`: only `and` and `or` join conditions. "
            "A trigger that Segment cannot parse matches no event; only the delivery's result says so."
        ),
        'Write `or` instead of `||`. Corrected trigger: `type = "identify" or type = "track"`.',
    ),
    (
        'type = "track" and event != null or type = "identify"',
        "T003",
        "This trigger mixes `and` and `or` without parentheses.",
        "The engine has no operator precedence: the last operator of a level applies to the whole level.",
        'Put the alternatives in parentheses: `(type = "track" and event != null) or type = "identify"`.',
    ),
    (
        'type == "identify"',
        "T004",
        'The engine does not support `==`: it reads this trigger as type = "=".',
        "The engine reads the second sign as the value and ignores the rest silently.",
        'Write `=` instead of `==` and add `type = "track"`. Corrected trigger: `type = "identify" or type = "track"`.',
    ),
    (
        'type = "identify" or type = "track" or Evnt = "x"',
        "T005",
        "The engine knows no field `Evnt` and skips it.",
        "The trigger lets the audience's events pass all the same, but not for the reason it states.",
        "Write `event` instead of `Evnt`.",
    ),
]


@pytest.mark.parametrize(("trigger", "code", "message", "why", "fix"), TRIGGERS)
def test_a_wrong_trigger_is_one_finding_with_the_cause_and_the_corrected_trigger(
    trigger: str, code: str, message: str, why: str, fix: str
) -> None:
    found = [each for each in findings(workspace(subscription={"trigger": trigger})) if each.place.endswith("trigger")]
    assert [(each.code, each.message, each.why, each.fix) for each in found] == [(code, message, why, fix)]


@pytest.mark.parametrize("written", ["Opted In", {"@literal": "Opted In"}])
def test_an_invalid_choice_gets_the_nearest_one(written: object) -> None:
    [finding] = findings(workspace(marketing_status=written), "M010")
    assert (finding.severity, finding.place) == (ERROR, "destinations[0].subscriptions[0].mapping.marketing_status")
    assert finding.message == "Marketing Status has no choice 'Opted In'."
    assert (finding.allowed, finding.fix) == ("Opted-in, Indeterminate", "Did you mean 'Opted-in'?")


def test_choices_inside_an_array_are_checked_and_paths_are_not() -> None:
    properties = [{"name": "plan", "type": "TEXT", "value": {"@path": "$.traits.plan"}}]
    places = [finding.place for finding in findings(workspace(custom_user_properties=properties), "M010")]
    assert places == ["destinations[0].subscriptions[0].mapping.custom_user_properties[0].type"]
    assert "M010" not in codes(workspace(marketing_status={"@path": "$.traits.status"}))


def test_an_unknown_generation_hides_the_findings_of_its_subscriptions() -> None:
    finding, note = findings(workspace(destination={"generation": "3.51.0"}))
    assert (note.code, note.severity) == ("D011", "note")
    assert (finding.code, finding.place) == ("W001", "destination 'StackAdapt Acme': generation")
    assert str(finding.fix).endswith("Did you mean '3.517.0'?")


def test_a_replaced_quote_silences_the_warning_about_free_text() -> None:
    guarded = {"@replace": {"pattern": '"', "replacement": "", "value": {"@path": "$.traits.first_name"}}}
    assert "M007" not in codes(workspace(standard_traits={"first_name": guarded}))
    assert "M007" in codes(workspace(standard_traits={"first_name": {"@path": "$.traits.first_name"}}))


def test_an_email_missing_from_track_events_names_the_event_and_the_fix() -> None:
    [finding] = findings(workspace(email=EMAIL_ON_IDENTIFY_ONLY), "M005")
    assert finding.message == "The mapping finds no email in track events."
    assert "$.context.traits.email" in str(finding.fix)
