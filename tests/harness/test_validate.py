"""What `validate` finds in a document."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import yaml

from emulator.artefacts import contract_json, fixture
from emulator.errors import UnknownName
from emulator.harness.checks import Checked, check_document
from emulator.harness.checks.document_kinds import KINDS, kind_named
from emulator.harness.checks.finding import CHECKS, ERROR, SUBSCRIPTION, WARNING, Finding
from emulator.harness.checks.finding import WORKSPACE as WHOLE_WORKSPACE
from emulator.harness.event_files import Document

WORKSPACE = yaml.safe_load(fixture("workspace.yaml").read_text())
# Without free text that is sent unescaped, and with an audience that only people with an email can enter.
CLEAN = copy.deepcopy(WORKSPACE)
CLEAN["destinations"][0]["subscriptions"][0]["mapping"]["standard_traits"] = {}
CLEAN["audiences"][0]["condition"] = {"trait": "email", "operator": "exists"}
PERSONAS = {
    "computation_class": "audience",
    "computation_id": "aud_1",
    "computation_key": "vip",
    "namespace": "spa_1",
    "space_id": "spa_1",
}
EMAIL = {"email": "ada@example.com"}
STEP_EXAMPLE = contract_json("segment/journey-step.schema.json")["examples"][0]
STEP = {**STEP_EXAMPLE, "context": {**STEP_EXAMPLE["context"], "traits": EMAIL}}
IDENTIFY = {"type": "identify", "userId": "u1", "traits": EMAIL}
TRACK = {"type": "track", "userId": "u1", "event": "Order Completed", "context": {"traits": EMAIL}}
JOINED = {"type": "identify", "userId": "u1", "traits": {**EMAIL, "vip": True}, "context": {"personas": PERSONAS}}
ENTERED = {
    "type": "track",
    "userId": "u1",
    "event": "Audience Entered",
    "properties": {"audience_key": "vip", "vip": True},
    "context": {"personas": PERSONAS, "traits": EMAIL},
}


def checked(value: Any, kind: str | None = None) -> Checked:
    return check_document(Document(file="x", value=value), kind_named(kind) if kind else None)


def only(value: Any) -> Finding:
    [finding] = checked(value).findings
    return finding


def seen(value: Any) -> list[tuple[str, str]]:
    return [(finding.code, finding.place) for finding in checked(value).findings]


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("identify", IDENTIFY),
        ("track", TRACK),
        ("page", {"type": "page", "userId": "u1"}),
        ("screen", {"type": "screen", "userId": "u1"}),
        ("group", {"type": "group", "userId": "u1", "groupId": "g1"}),
        ("alias", {"type": "alias", "userId": "u1", "previousId": "a1"}),
        ("batch", {"batch": [IDENTIFY, TRACK]}),
        ("audience-identify", JOINED),
        ("audience-track", ENTERED),
        ("journey-step", STEP),
        ("scenario", {"title": "T.", "about": "A.", "steps": [{"when": [{"advance": "4h"}]}]}),
        ("mapping", {"email": {"@path": "$.traits.email"}, "marketing_status": "Opted-in"}),
        ("destination-instance", WORKSPACE["destinations"][0]),
        ("workspace", CLEAN),
    ],
)
def test_a_valid_document_is_recognised_and_has_no_findings(kind: str, value: Any) -> None:
    found = checked(value)
    assert found.kind is not None
    assert found.kind.name == kind
    assert found.findings == ()


EXAMPLES = [
    pytest.param(kind.name, example, id=f"{kind.name}-{index}")
    for kind in KINDS
    if "#" not in kind.schema
    for index, example in enumerate(contract_json(kind.schema).get("examples", ()))
]


@pytest.mark.parametrize(("kind", "example"), EXAMPLES)
def test_an_example_of_a_schema_is_recognised(kind: str, example: Any) -> None:
    found = checked(example).kind
    assert found is not None
    assert found.name == kind


def test_every_kind_has_an_example() -> None:
    """In its schema, or in the test of valid documents above."""
    in_schemas = {str(parameters.id).rpartition("-")[0] for parameters in EXAMPLES}
    above = {"workspace", "scenario", "page", "screen", "group", "alias"}
    assert in_schemas | above == {kind.name for kind in KINDS}


def test_an_audience_event_is_recognised_without_its_personas() -> None:
    for event in (
        {"type": "track", "userId": "u1", "event": "Audience Entered", "properties": {"vip": True}},
        {"type": "track", "userId": "u1", "event": "Joined", "properties": {"audience_key": "vip", "vip": True}},
        {"type": "identify", "messageId": "personas_2fyFNSKX4MjAbsNJF5ZnNzCq0OV", "userId": "u1", "traits": EMAIL},
    ):
        kind = checked(event).kind
        assert kind is not None
        assert kind.name == f"audience-{event['type']}"


def test_an_unknown_name_in_a_scenario_is_found_with_its_place() -> None:
    scenario = {"title": "T.", "about": "A.", "steps": [{"then": {"rejections": {"MISSING_MAIL": 1}}}]}
    found = only(scenario)
    assert (found.code, found.severity, found.place) == ("N001", ERROR, "steps[0].then.rejections")
    assert found.message == "Unknown reason code 'MISSING_MAIL'."
    assert found.fix == "Did you mean 'MISSING_EMAIL'?"
    found = only({**scenario, "shows": ["kit-pats"]})
    assert (found.place, found.fix) == ("shows[0]", "Did you mean 'kit-paths'?")
    assert only({**scenario, "titel": "T."}).fix == "Did you mean 'title'?"


def test_a_document_of_unknown_kind_gets_the_nearest_type() -> None:
    found = only({"type": "identfy", "userId": "u1"})
    assert (found.severity, found.place, found.found) == (ERROR, "type", "identfy")
    assert found.fix == "Did you mean 'identify'?"
    assert only({"userId": "u1"}).fix == "Name the kind with --as KIND."
    assert only(["x"]).message == "A document must be a JSON object."


def test_the_kind_of_a_document_can_be_given() -> None:
    assert checked({"userId": "u1", "traits": EMAIL}, "identify").findings == ()
    with pytest.raises(UnknownName, match="'trak'.*Did you mean 'track'"):
        kind_named("trak")


@pytest.mark.parametrize(
    "event",
    [
        {**IDENTIFY, "traits": {}},
        {**JOINED, "traits": {"vip": True}},
        {**ENTERED, "context": {"personas": PERSONAS}},
    ],
)
def test_a_missing_email_is_a_warning(event: dict[str, Any]) -> None:
    found = only(event)
    assert (found.code, found.severity, found.place) == ("E001", WARNING, "(top level)")
    assert "MISSING_EMAIL" in str(found.why)


@pytest.mark.parametrize(
    ("event", "place"),
    [
        ({**IDENTIFY, "traits": {}, "properties": EMAIL}, "properties.email"),
        ({**IDENTIFY, "traits": {}, **EMAIL}, "email"),
        ({**TRACK, "context": {}, "traits": EMAIL}, "traits.email"),
        ({**TRACK, "context": {}, "properties": EMAIL}, "properties.email"),
        (
            {**JOINED, "traits": {"vip": True}, "context": {**JOINED["context"], "traits": EMAIL}},
            "context.traits.email",
        ),
    ],
)
def test_a_misplaced_email_is_a_warning(event: dict[str, Any], place: str) -> None:
    found = only(event)
    assert (found.code, found.severity, found.place) == ("E002", WARNING, place)
    assert "MISSING_EMAIL" in str(found.why)


def test_a_misplaced_email_gets_the_right_field() -> None:
    found = only({**TRACK, "context": {}, "traits": EMAIL})
    assert found.message == "The email is in the wrong field: track events have it in context.traits.email."
    assert found.fix == "Move traits.email to context.traits.email."


def test_traits_of_an_audience_track_are_an_error_and_their_email_is_misplaced() -> None:
    event = {**ENTERED, "context": {"personas": PERSONAS}, "traits": EMAIL}
    assert seen(event) == [("V005", "traits"), ("E002", "traits.email")]


def test_an_email_under_another_name_is_pointed_out() -> None:
    fix = only({**IDENTIFY, "traits": {"Email": "ada@example.com"}}).fix
    assert fix == "Put the email into traits.email. Rename 'Email' to 'email'."


@pytest.mark.parametrize("event", [TRACK, {**TRACK, "context": None}, {"type": "track", "userId": "u", "event": "e"}])
def test_a_track_call_needs_no_email(event: dict[str, Any]) -> None:
    assert checked(event).findings == ()


def test_an_email_as_an_enriched_trait_of_an_audience_track_is_found() -> None:
    event = {**ENTERED, "context": {"personas": PERSONAS}, "properties": {**ENTERED["properties"], **EMAIL}}
    assert checked(event).findings == ()


@pytest.mark.parametrize(
    "email",
    ["ada", "ada@example", "Ada <ada@example.com>", " ada@example.com", "a@b.com,c@d.com", f"{'a' * 250}@b.com", True],
)
def test_an_invalid_email_is_a_warning(email: Any) -> None:
    found = only({**IDENTIFY, "traits": {"email": email}})
    assert (found.code, found.severity, found.place) == ("E003", WARNING, "traits.email")
    assert "INVALID_EMAIL" in str(found.why)


@pytest.mark.parametrize(
    ("event", "place", "message"),
    [
        ({**JOINED, "traits": EMAIL}, "traits", "The audience's key 'vip' is missing."),
        ({**JOINED, "traits": {**EMAIL, "vip": "true"}}, "traits.vip", "This value must be true or false."),
        ({**ENTERED, "properties": {"audience_key": "vip"}}, "properties", "The audience's key 'vip' is missing."),
        ({**ENTERED, "properties": {"vip": 1}}, "properties.vip", "This value must be true or false."),
        (
            {**ENTERED, "properties": {"audience_key": "vop", "vip": True}},
            "properties.audience_key",
            "This key differs from context.personas.computation_key.",
        ),
        ({**ENTERED, "context": {"traits": EMAIL}}, "context", "The key 'personas' is missing."),
    ],
)
def test_a_mistake_that_makes_an_audience_event_useless_is_an_error(
    event: dict[str, Any], place: str, message: str
) -> None:
    found = only(event)
    assert (found.severity, found.place, found.message) == (ERROR, place, message)


def test_the_consequence_of_a_missing_audience_is_explained() -> None:
    assert "rejects" in str(only({**ENTERED, "context": {"traits": EMAIL}}).why)
    assert "the profile leaves" in str(only({**JOINED, "traits": EMAIL}).why)


def test_a_name_that_contradicts_the_boolean_is_a_warning() -> None:
    found = only({**ENTERED, "event": "Audience Exited"})
    assert (found.severity, found.place) == (WARNING, "properties.vip")
    assert checked({**ENTERED, "event": "Left the club"}).findings == ()


def test_a_misspelt_field_is_a_warning() -> None:
    found = only({"type": "track", "userId": "u1", "event": "e", "propertys": {}})
    assert (found.severity, found.place, found.fix) == (WARNING, "propertys", "Did you mean 'properties'?")
    assert checked({**TRACK, "projectId": "p"}).findings == ()


def test_a_misspelt_id_is_named() -> None:
    found = checked({"type": "identify", "userID": "u1", "traits": EMAIL}).findings[0]
    assert found.message == "A call says of whom it speaks: it needs userId or anonymousId."
    assert found.fix == "'userID' looks like a typo: write 'userId'."


def test_an_invalid_timestamp_is_a_warning() -> None:
    assert seen({**IDENTIFY, "timestamp": "01.03.2026"}) == [("C003", "timestamp")]


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("StackAdapt Audiences", []),
        ("All", []),
        ("Mixpanel", []),
        ("StackAdapt Events & Conversions", []),
        ("stackadapt audiences", [("C004", "integrations.stackadapt audiences")]),
        ("StackAdapt", [("C004", "integrations.StackAdapt")]),
        ("all", [("C004", "integrations.all")]),
    ],
)
def test_a_wrong_name_in_the_integrations_object_is_found(name: str, found: list[tuple[str, str]]) -> None:
    assert seen({**IDENTIFY, "integrations": {name: False}}) == found
    assert seen({**IDENTIFY, "timestamp": "2026-03-01T12:00:00.000Z"}) == []


def test_a_call_larger_than_its_route_accepts_is_an_error() -> None:
    big = {**IDENTIFY, "traits": {**EMAIL, "note": "x" * 32 * 1024}}
    found = only(big)
    assert (found.severity, found.message) == (ERROR, "Exceed payload limit.")
    assert found.fix == "This endpoint takes at most 32 KB."
    assert only({"batch": [IDENTIFY, big]}).message == "batch[1] is larger than 32 KB."


def test_the_calls_of_a_batch_are_checked() -> None:
    batch = {"batch": [IDENTIFY, {**TRACK, "event": ""}, {**IDENTIFY, "traits": {}}, 5]}
    assert seen(batch) == [
        ("V005", "batch[1].event"),
        ("V005", "batch[3]"),
        ("E001", "batch[2]"),
    ]


def test_the_references_and_mappings_of_a_workspace_are_checked() -> None:
    document = copy.deepcopy(WORKSPACE)
    document["destinations"][0]["audiences"][0]["key"] = "vip_custmers"
    document["destinations"][0]["subscriptions"][0]["mapping"]["email"] = {"@pth": "$.traits.email"}
    mapping, reference = checked(document).findings
    assert (reference.place, reference.found) == ("destinations[0].audiences[0].key", "vip_custmers")
    assert reference.fix == "Did you mean 'vip_customers'?"
    assert mapping.place == "destinations[0].subscriptions[0].mapping.email"
    assert (mapping.found, mapping.fix) == ("@pth", "Did you mean '@path'?")


def test_a_secret_is_not_shown() -> None:
    document = copy.deepcopy(WORKSPACE)
    document["tokens"][0]["token"] = 123456789
    document["destinations"][0]["settings"]["apiKey"] = 987654321
    shown = str([finding.as_dict() for finding in checked(document).findings])
    assert "tokens[0].token" in shown
    assert "123456789" not in shown
    assert "987654321" not in shown


def nested(depth: int) -> Any:
    value: Any = {"@path": "$.x"}
    for _ in range(depth):
        value = {"@transform": {"apply": value, "mapping": {}}}
    return {"email": value}


def test_a_deep_document_is_checked_or_refused() -> None:
    assert checked(nested(31)).findings == ()
    assert only(nested(200)).message == "This document is nested too deeply."


def test_every_finding_of_validate_is_made_of_sentences() -> None:
    found = [
        *checked([]).findings,
        *checked({"userId": "u1"}).findings,
        *checked(nested(200)).findings,
        *checked({"type": "identify", "userID": "u1", "traits": {}, "propertys": {}, "timestamp": "x"}).findings,
        *checked({**IDENTIFY, "integrations": {"all": False}}).findings,
        *checked({**TRACK, "context": {}, "traits": {**EMAIL, "note": "x" * 32 * 1024}}).findings,
        *checked({**JOINED, "traits": {"vip": "true", "email": "x"}}).findings,
        *checked({**JOINED, "traits": EMAIL}).findings,
        *checked({**ENTERED, "event": "Audience Exited", "properties": {"audience_key": "x", "vip": True}}).findings,
        *checked({**CLEAN, "apiVersion": "2027-01"}).findings,
        *checked({"emial": {"@path": "$.traits.email"}}).findings,
        *checked({"email": {"@case": {"operator": "title", "value": {"@path": "$.x"}}}}).findings,
        *checked({"title": "T.", "about": "A.", "steps": [{"then": {"rejections": {"X": 1}}}]}).findings,
    ]
    assert {finding.code for finding in found} | {"V001"} == {
        code for code, check in CHECKS.items() if not {SUBSCRIPTION, WHOLE_WORKSPACE} & set(check.subjects)
    }
    for finding in found:
        assert finding.severity == CHECKS[finding.code].severity
        for text in filter(None, (finding.message, finding.why, finding.fix)):
            assert text[0] in "`'" or text[0].isupper(), text
            assert text.endswith((".", "?")), text
