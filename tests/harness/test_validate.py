"""What `validate` sees in a document, in the words of the integration."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import yaml

from emulator.artefacts import contract_json, fixture
from emulator.errors import NotFound
from emulator.harness.checks.validate import ERROR, KINDS, WARNING, Checked, Finding, check, kind_named
from emulator.harness.event_files import Document

WORKSPACE = yaml.safe_load(fixture("workspace.yaml").read_text())
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
    return check(Document(file="x", value=value), kind_named(kind) if kind else None)


def only(value: Any) -> Finding:
    [finding] = checked(value).findings
    return finding


def seen(value: Any) -> list[tuple[str, str, str | None]]:
    return [(finding.severity, finding.place, finding.reason) for finding in checked(value).findings]


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
        ("workspace", WORKSPACE),
    ],
)
def test_a_document_is_recognised_and_a_sound_one_has_no_findings(kind: str, value: Any) -> None:
    found = checked(value)
    assert found.kind is not None
    assert found.kind.name == kind
    assert found.findings == ()


def test_every_kind_has_a_schema_whose_examples_it_recognises() -> None:
    for kind in KINDS:
        name, _, part = kind.schema.partition("#")
        for example in () if part else contract_json(name).get("examples", ()):
            assert checked(example).kind == kind


def test_an_audience_event_is_recognised_without_its_personas() -> None:
    for event in (
        {"type": "track", "userId": "u1", "event": "Audience Entered", "properties": {"vip": True}},
        {"type": "track", "userId": "u1", "event": "Joined", "properties": {"audience_key": "vip", "vip": True}},
        {"type": "identify", "messageId": "personas_2fyFNSKX4MjAbsNJF5ZnNzCq0OV", "userId": "u1", "traits": EMAIL},
    ):
        kind = checked(event).kind
        assert kind is not None
        assert kind.name == f"audience-{event['type']}"


def test_a_name_in_a_scenario_that_nothing_has_is_told_with_its_place() -> None:
    scenario = {"title": "T.", "about": "A.", "steps": [{"then": {"rejections": {"MISSING_MAIL": 1}}}]}
    found = only(scenario)
    assert (found.severity, found.place, found.found) == (ERROR, "steps[0].then.rejections", "MISSING_MAIL")
    assert found.fix == "Did you mean 'MISSING_EMAIL'?"
    found = only({**scenario, "shows": ["kit-pats"]})
    assert (found.place, found.fix) == ("shows[0]", "Did you mean 'kit-paths'?")
    assert only({**scenario, "titel": "T."}).fix == "Did you mean 'title'?"


def test_a_document_of_no_kind_gets_the_nearest_type() -> None:
    found = only({"type": "identfy", "userId": "u1"})
    assert (found.severity, found.place, found.found) == (ERROR, "type", "identfy")
    assert found.fix == "Did you mean 'identify'?"
    assert only({"userId": "u1"}).fix == "Say what it is with --as KIND."
    assert only(["x"]).message == "a document is a JSON object."


def test_a_document_can_be_called_what_it_is() -> None:
    assert checked({"userId": "u1", "traits": EMAIL}, "identify").findings == ()
    with pytest.raises(NotFound, match="'trak'.*Did you mean 'track'"):
        kind_named("trak")


@pytest.mark.parametrize(
    ("event", "place"),
    [
        ({**IDENTIFY, "traits": {}}, "(top level)"),
        ({**JOINED, "traits": {"vip": True}}, "(top level)"),
        ({**ENTERED, "context": {"personas": PERSONAS}}, "(top level)"),
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
def test_an_email_that_is_missing_or_misplaced_is_a_warning(event: dict[str, Any], place: str) -> None:
    assert seen(event) == [(WARNING, place, "MISSING_EMAIL")]


def test_an_email_at_the_wrong_place_is_told_the_right_one() -> None:
    found = only({**TRACK, "context": {}, "traits": EMAIL})
    assert found.message == "the email is at the wrong place: it belongs to context.traits.email on a track call."
    assert found.fix == "Move traits.email to context.traits.email."


def test_traits_of_an_audience_track_are_an_error_and_their_email_has_its_place_named() -> None:
    event = {**ENTERED, "context": {"personas": PERSONAS}, "traits": EMAIL}
    assert seen(event) == [(ERROR, "traits", None), (WARNING, "traits.email", "MISSING_EMAIL")]


def test_an_email_under_another_name_is_pointed_out() -> None:
    fix = only({**IDENTIFY, "traits": {"Email": "ada@example.com"}}).fix
    assert fix == "Put the email into traits.email. It stands under 'Email'; the name is 'email'."


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
def test_an_email_that_is_none_is_a_warning(email: Any) -> None:
    assert seen({**IDENTIFY, "traits": {"email": email}}) == [(WARNING, "traits.email", "INVALID_EMAIL")]


@pytest.mark.parametrize(
    ("event", "place", "message"),
    [
        ({**JOINED, "traits": EMAIL}, "traits", "the audience's key 'vip' is missing."),
        ({**JOINED, "traits": {**EMAIL, "vip": "true"}}, "traits.vip", "this must be true or false."),
        ({**ENTERED, "properties": {"audience_key": "vip"}}, "properties", "the audience's key 'vip' is missing."),
        ({**ENTERED, "properties": {"vip": 1}}, "properties.vip", "this must be true or false."),
        (
            {**ENTERED, "properties": {"audience_key": "vop", "vip": True}},
            "properties.audience_key",
            "this names another audience than context.personas.computation_key.",
        ),
        ({**ENTERED, "context": {"traits": EMAIL}}, "context", "the key 'personas' is missing."),
    ],
)
def test_what_makes_an_audience_event_useless_is_an_error(event: dict[str, Any], place: str, message: str) -> None:
    found = only(event)
    assert (found.severity, found.place, found.message) == (ERROR, place, message)


def test_a_missing_audience_says_what_comes_of_it() -> None:
    assert "refuses" in str(only({**ENTERED, "context": {"traits": EMAIL}}).why)
    assert "the person leaves" in str(only({**JOINED, "traits": EMAIL}).why)


def test_a_name_that_contradicts_the_boolean_is_a_warning() -> None:
    found = only({**ENTERED, "event": "Audience Exited"})
    assert (found.severity, found.place) == (WARNING, "properties.vip")
    assert checked({**ENTERED, "event": "Left the club"}).findings == ()


def test_a_member_that_looks_like_a_slip_is_a_warning() -> None:
    found = only({"type": "track", "userId": "u1", "event": "e", "propertys": {}})
    assert (found.severity, found.place, found.fix) == (WARNING, "propertys", "Did you mean 'properties'?")
    assert checked({**TRACK, "projectId": "p"}).findings == ()


def test_an_id_under_a_misspelt_name_is_named() -> None:
    found = checked({"type": "identify", "userID": "u1", "traits": EMAIL}).findings[0]
    assert found.message == "A call says of whom it speaks: it needs userId or anonymousId."
    assert found.fix == "'userID' is close to it: write 'userId'."


def test_a_time_that_nobody_can_read_is_a_warning() -> None:
    assert seen({**IDENTIFY, "timestamp": "01.03.2026"}) == [(WARNING, "timestamp", None)]
    assert seen({**IDENTIFY, "timestamp": "2026-03-01T12:00:00.000Z"}) == []


def test_a_call_larger_than_its_route_takes_is_an_error() -> None:
    big = {**IDENTIFY, "traits": {**EMAIL, "note": "x" * 32 * 1024}}
    found = only(big)
    assert (found.severity, found.message) == (ERROR, "Exceed payload limit.")
    assert found.fix == "This route takes at most 32 KB."
    assert only({"batch": [IDENTIFY, big]}).message == "batch[1] is larger than 32 KB."


def test_a_batch_is_looked_at_call_by_call() -> None:
    batch = {"batch": [IDENTIFY, {**TRACK, "event": ""}, {**IDENTIFY, "traits": {}}, 5]}
    assert seen(batch) == [
        (ERROR, "batch[1].event", None),
        (ERROR, "batch[3]", None),
        (WARNING, "batch[2]", "MISSING_EMAIL"),
    ]


def test_a_workspace_s_references_and_mappings_are_looked_at() -> None:
    document = copy.deepcopy(WORKSPACE)
    document["destinations"][0]["audiences"][0]["key"] = "vip_custmers"
    document["destinations"][0]["subscriptions"][0]["mapping"]["email"] = {"@pth": "$.traits.email"}
    reference, mapping = checked(document).findings
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
    return {"v": value}


def test_a_deep_document_is_checked_or_refused_but_not_choked_on() -> None:
    assert checked(nested(31)).findings == ()
    assert only(nested(200)).message == "this is nested too deeply."
