"""Journeys: "Understanding Journeys Logic" and "Event-Triggered Journeys Steps" in Segment's documentation."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

import pytest

from emulator.artefacts import contract_json
from emulator.errors import WorkspaceError
from emulator.events import MembershipChanged
from emulator.schemas import mistakes
from tests.segment.conftest import OpenEnv, SegmentEnv

ENTERED, REMINDED, GIVEN_UP = "cart__entered_1", "cart__reminded_2", "cart__given_up_3"
SCHEMA = "segment/journey-step.schema.json"


@pytest.fixture
def journey() -> dict[str, Any]:
    """An abandoned cart: reminded after two hours without a purchase, given up a day later."""
    return {
        "id": "jrn_cart",
        "name": "Abandoned cart",
        "entry": {"event": "Cart Modified"},
        "exit": {"event": "Order Completed"},
        "steps": [
            {"key": ENTERED, "name": "Entered"},
            {"key": REMINDED, "name": "Reminded", "wait": "2h"},
            {
                "key": GIVEN_UP,
                "name": "Given up",
                "wait": "1d",
                "condition": {"trait": "vip", "operator": "not_exists"},
            },
        ],
    }


class OpenJourney(Protocol):
    """Opens an environment with the journey and the given step connections."""

    def __call__(self, *connections: dict[str, Any], store: Path | None = None) -> SegmentEnv: ...


@pytest.fixture
def open_journey(open_env: OpenEnv, document: dict[str, Any], journey: dict[str, Any]) -> OpenJourney:
    def open_(*connections: dict[str, Any], store: Path | None = None) -> SegmentEnv:
        document["journeys"] = [journey]
        document["destinations"][0]["journeySteps"] = list(connections)
        return open_env(document, store=store)

    return open_


@pytest.fixture
def journey_env(open_journey: OpenJourney) -> SegmentEnv:
    return open_journey({"key": REMINDED, "traits": ["first_name"]}, {"key": GIVEN_UP})


def fill_cart(segment_env: SegmentEnv, user: str = "u1", **properties: Any) -> None:
    segment_env.identify(user, email=f"{user}@example.com", first_name="Ada")
    segment_env.segment.ingest("track", {"userId": user, "event": "Cart Modified", "properties": properties})


def order(segment_env: SegmentEnv, user: str = "u1") -> None:
    segment_env.segment.ingest("track", {"userId": user, "event": "Order Completed"})


def joined(segment_env: SegmentEnv) -> list[tuple[str, bool]]:
    return [(change.audience_key, change.entered) for change in segment_env.heard(MembershipChanged)]


def sizes(segment_env: SegmentEnv) -> list[int]:
    [journey] = segment_env.segment.journeys()
    return [journey["size"], *(step["size"] for step in journey["steps"])]


def test_profiles_join_the_steps_in_order_as_their_waits_end(journey_env: SegmentEnv) -> None:
    fill_cart(journey_env)
    assert joined(journey_env) == [(ENTERED, True)]
    journey_env.advance(hours=1)
    assert sizes(journey_env) == [1, 1, 0, 0]
    journey_env.advance(hours=1)
    assert sizes(journey_env) == [1, 1, 1, 0]
    journey_env.advance(days=3)
    assert joined(journey_env) == [(ENTERED, True), (REMINDED, True), (GIVEN_UP, True)]
    assert [change.at.isoformat() for change in journey_env.heard(MembershipChanged)] == [
        "2026-03-01T12:00:00+00:00",
        "2026-03-01T14:00:00+00:00",
        "2026-03-02T14:00:00+00:00",
    ]


def test_a_profile_stays_in_a_step_until_it_meets_the_next_one_s_condition(journey_env: SegmentEnv) -> None:
    fill_cart(journey_env)
    journey_env.identify("u1", vip=True)
    journey_env.advance(days=10)
    assert sizes(journey_env) == [1, 1, 1, 0]
    journey_env.identify("u1", vip=None)
    assert sizes(journey_env) == [1, 1, 1, 1]


def test_a_profile_stays_in_a_step_whose_condition_it_no_longer_meets(journey_env: SegmentEnv) -> None:
    fill_cart(journey_env)
    journey_env.advance(days=3)
    journey_env.identify("u1", vip=True)
    assert sizes(journey_env) == [1, 1, 1, 1]
    assert all(entered for _, entered in joined(journey_env))


def test_meeting_the_exit_condition_leaves_every_step_permanently(journey_env: SegmentEnv) -> None:
    fill_cart(journey_env)
    journey_env.advance(hours=2)
    order(journey_env)
    assert joined(journey_env) == [(ENTERED, True), (REMINDED, True), (ENTERED, False), (REMINDED, False)]
    fill_cart(journey_env)
    journey_env.advance(days=3)
    assert sizes(journey_env) == [0, 0, 0, 0]
    assert len(joined(journey_env)) == 4


def test_an_exit_event_counts_only_after_the_entry(journey_env: SegmentEnv) -> None:
    order(journey_env)
    journey_env.advance(hours=1)
    fill_cart(journey_env)
    journey_env.advance(hours=2)
    assert sizes(journey_env) == [1, 1, 1, 0]


def test_a_profile_does_not_enter_while_it_meets_the_exit_condition(
    open_journey: OpenJourney, journey: dict[str, Any]
) -> None:
    journey["exit"] = {"trait": "paused_until", "operator": "within_next", "value": "30d"}
    segment_env = open_journey()
    segment_env.identify("u1", paused_until="2026-03-10T00:00:00Z")
    fill_cart(segment_env)
    assert joined(segment_env) == []
    segment_env.advance(days=10)
    assert segment_env.heard(MembershipChanged)[0].at.isoformat() == "2026-03-10T00:00:00.001000+00:00"


@pytest.mark.parametrize("later", [{"milliseconds": 0}, {"milliseconds": 1}, {"days": 3}], ids=str)
def test_entry_and_exit_at_the_same_time_keep_a_profile_out(
    open_journey: OpenJourney, journey: dict[str, Any], later: dict[str, int]
) -> None:
    gift = {"property": "gift", "operator": "equals", "value": True}
    journey["exit"] = {"event": "Cart Modified", "where": [gift]}
    segment_env = open_journey()
    fill_cart(segment_env, gift=True)
    segment_env.advance(**later)
    segment_env.identify("u1", city="Paris")
    segment_env.advance(days=3)
    assert joined(segment_env) == []
    assert sizes(segment_env) == [0, 0, 0, 0]


def test_a_journey_without_exit_condition_sends_no_exits(open_journey: OpenJourney, journey: dict[str, Any]) -> None:
    del journey["exit"]
    segment_env = open_journey({"key": REMINDED})
    fill_cart(segment_env)
    segment_env.advance(hours=2)
    order(segment_env)
    assert all(entered for _, entered in joined(segment_env))


def test_an_anonymous_profile_does_not_enter(journey_env: SegmentEnv) -> None:
    journey_env.segment.ingest("track", {"anonymousId": "a", "event": "Cart Modified"})
    assert joined(journey_env) == []
    journey_env.segment.ingest("identify", {"anonymousId": "a", "userId": "u1"})
    assert joined(journey_env) == [(ENTERED, True)]


def test_joining_a_step_sends_a_track_of_class_journey_step(journey_env: SegmentEnv) -> None:
    fill_cart(journey_env, cart_id="c1", items=[1, 2])
    journey_env.advance(hours=2)
    [event] = journey_env.payloads()
    assert mistakes(event, SCHEMA) == []
    assert event["event"] == "Reminded"
    assert event["userId"] == "u1"
    personas = event["context"]["personas"]
    assert personas.pop("event_emitter_id").startswith("event_emitter_")
    assert personas == {
        "computation_class": "journey_step",
        "computation_id": REMINDED,
        "computation_key": REMINDED,
        "namespace": "spa_local",
        "space_id": "spa_local",
    }
    assert event["context"]["traits"] == {"email": "u1@example.com"}
    metadata = event["properties"]["journey_metadata"]
    assert metadata.pop("epoch_id")
    assert event["properties"] == {
        "first_name": "Ada",
        "journey_context": {"Cart Modified": {"cart_id": "c1", "items": [1, 2]}},
        "journey_metadata": {"journey_id": "jrn_cart", "journey_name": "Abandoned cart"},
        REMINDED: True,
    }
    assert "traits" not in event
    assert event["integrations"] == {"All": False, "StackAdapt Audiences": True}


@pytest.mark.parametrize("sample", contract_json(SCHEMA)["examples"], ids=["documented", "in Segment's tests"])
def test_segment_s_published_samples_fit_the_schema(sample: dict[str, Any]) -> None:
    assert mistakes(sample, SCHEMA) == []
    assert mistakes({**sample, "traits": {}}, SCHEMA)
    sample = {**sample, "properties": {"journey_context": {}}}
    assert [mistake.place for mistake in mistakes(sample, SCHEMA)] == ["properties"]


def test_leaving_sends_the_same_event_with_false_once_for_every_email(journey_env: SegmentEnv) -> None:
    fill_cart(journey_env)
    journey_env.identify("u1", email="new@example.com")
    journey_env.advance(hours=2)
    order(journey_env)
    sent = [
        (event["event"], event["properties"][REMINDED], event["context"]["traits"]["email"])
        for event in journey_env.payloads()
    ]
    assert sent == [
        ("Reminded", True, "u1@example.com"),
        ("Reminded", True, "new@example.com"),
        ("Reminded", False, "u1@example.com"),
        ("Reminded", False, "new@example.com"),
    ]
    epochs = {event["properties"]["journey_metadata"]["epoch_id"] for event in journey_env.payloads()}
    assert len(epochs) == 1
    for event in journey_env.payloads():
        assert mistakes(event, SCHEMA) == []


def test_step_entered_events_have_no_boolean_and_are_sent_on_joining_only(open_journey: OpenJourney) -> None:
    segment_env = open_journey({"key": REMINDED, "events": "entered", "event": "Nudge", "email": False})
    fill_cart(segment_env)
    segment_env.advance(hours=2)
    order(segment_env)
    [event] = segment_env.payloads()
    assert mistakes(event, SCHEMA) == []
    assert event["event"] == "Nudge"
    assert set(event["properties"]) == {"journey_context", "journey_metadata"}
    assert set(event["properties"]["journey_metadata"]) == {"journey_id", "epoch_id"}
    assert "traits" not in event["context"]


@pytest.mark.parametrize(("events", "action"), [("all", "enter"), ("entered", "exit")])
def test_stackadapt_reads_a_step_without_boolean_as_leaving(
    open_journey: OpenJourney, events: str, action: str
) -> None:
    """The published destination looks at the value under the step's key; where there is none it says `exit`."""
    segment_env = open_journey({"key": REMINDED, "events": events})
    fill_cart(segment_env)
    segment_env.advance(hours=2)
    [document] = segment_env.transport.documents()
    assert f'\\"action\\":\\"{action}\\"' in document


def test_events_of_later_steps_join_the_context(open_journey: OpenJourney, journey: dict[str, Any]) -> None:
    journey["steps"][1] = {
        "key": REMINDED,
        "name": "Reminded",
        "condition": {"event": "Cart Viewed", "where": [{"property": "total", "operator": "at_least", "value": 5}]},
    }
    segment_env = open_journey({"key": REMINDED})
    fill_cart(segment_env, a=1)
    segment_env.segment.ingest("track", {"userId": "u1", "event": "Cart Viewed", "properties": {"total": 9, "b": 2}})
    [event] = segment_env.payloads()
    assert event["properties"]["journey_context"] == {"Cart Modified": {"a": 1}, "Cart Viewed": {"total": 9, "b": 2}}


def test_merged_profiles_continue_the_older_one_s_journey(journey_env: SegmentEnv) -> None:
    journey_env.segment.ingest("identify", {"userId": "u1", "traits": {"first_name": "Ada"}})
    fill_cart(journey_env)
    journey_env.advance(hours=1)
    journey_env.segment.ingest("identify", {"anonymousId": "a", "traits": {"email": "a@example.com"}})
    journey_env.segment.ingest("track", {"anonymousId": "a", "event": "Cart Modified"})
    journey_env.segment.ingest("track", {"anonymousId": "a", "userId": "u1", "event": "e"})
    journey_env.advance(hours=1)
    assert sizes(journey_env) == [1, 1, 1, 0]


def test_journeys_survive_a_restart(open_journey: OpenJourney, tmp_path: Any) -> None:
    fill_cart(open_journey({"key": REMINDED}, store=tmp_path / "s.sqlite"))
    again = open_journey({"key": REMINDED}, store=tmp_path / "s.sqlite")
    again.advance(hours=2)
    assert [event["event"] for event in again.payloads()] == ["Reminded"]


def test_a_step_warns_of_missing_emails_and_booleans(open_journey: OpenJourney, journey: dict[str, Any]) -> None:
    [seen] = open_journey({"key": REMINDED, "events": "entered", "email": False}).segment.journeys()
    assert seen["steps"][1]["destinations"] == ["StackAdapt Acme"]
    for warning, words in zip(
        seen["steps"][1]["warnings"], ("requires an email", "gets no email", "reads them as leaving"), strict=True
    ):
        assert words in warning
    journey["entry"] = {"all": [journey["entry"], {"trait": "email", "operator": "exists"}]}
    [seen] = open_journey({"key": REMINDED}).segment.journeys()
    assert [step["warnings"] for step in seen["steps"]] == [[], [], []]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"entry": {"trait": "t", "operator": "at_least"}}, r"journey 'jrn_cart': entry\.value"),
        ({"exit": {"audience": "vips"}}, r"journey 'jrn_cart': exit: .*unknown audience"),
        ({"steps": [{"key": "vip_customers", "name": "x"}]}, r"audiences and journey steps\[1\]: duplicates"),
        ({"steps": [{"key": "k" * 32, "name": "x"}]}, r"journeys\[0\]\.steps\[0\]\.key.*31 characters"),
    ],
)
def test_an_error_in_a_journey_names_its_path(
    open_journey: OpenJourney, journey: dict[str, Any], change: dict[str, Any], message: str
) -> None:
    journey.update(change)
    with pytest.raises(WorkspaceError, match=message):
        open_journey()


def test_an_unknown_step_in_a_connection_is_rejected(open_journey: OpenJourney) -> None:
    with pytest.raises(WorkspaceError, match=r"journeySteps\[0\]\.key: .*unknown journey step .*'cart__reminded_2'"):
        open_journey({"key": "cart__reminded_3"})


def test_the_service_says_why_a_profile_is_not_further(journey_env: SegmentEnv) -> None:
    def failed() -> list[str]:
        [about] = [each for each in journey_env.segment.explain_audiences(user_id="u1") if each["journey"]]
        assert (about["journey"], about["audience"], about["name"]) == ("jrn_cart", None, "Abandoned cart")
        assert about["conditions"]["text"] == "Cart Modified performed needs at least 1 time"
        return list(about["failed"])

    journey_env.identify("u1", email="u1@example.com", vip=True)
    assert failed() == ["Cart Modified was performed 0 times, needs at least 1 time"]
    fill_cart(journey_env)
    assert failed() == ['step "Reminded" waits until 2026-03-01T14:00:00.000Z']
    journey_env.advance(hours=2)
    assert failed() == [
        'step "Given up" waits until 2026-03-02T14:00:00.000Z',
        'step "Given up": vip is true (boolean), needs no value',
    ]
    order(journey_env)
    assert failed() == ["the profile left the journey, and enters only once"]
