"""Journeys: "Understanding Journeys Logic" and "Event-Triggered Journeys Steps" in Segment's documentation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from emulator.artefacts import contract_json
from emulator.errors import WorkspaceError
from emulator.events import MembershipChanged
from emulator.schemas import mistakes

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


@pytest.fixture
def open_shop(open_room: Callable[..., Any], document: dict[str, Any], journey: dict[str, Any]) -> Callable[..., Any]:
    """Opens a room with the journey, its second step connected with the given settings."""

    def open_(*connections: dict[str, Any], **more: Any) -> Any:
        document["journeys"] = [journey]
        document["destinations"][0]["journeySteps"] = list(connections)
        return open_room(document, **more)

    return open_


@pytest.fixture
def shop(open_shop: Callable[..., Any]) -> Any:
    return open_shop({"key": REMINDED, "traits": ["first_name"]}, {"key": GIVEN_UP})


def fill_cart(room: Any, user: str = "u1", **properties: Any) -> None:
    room.identify(user, email=f"{user}@example.com", first_name="Ada")
    room.segment.ingest("track", {"userId": user, "event": "Cart Modified", "properties": properties})


def order(room: Any, user: str = "u1") -> None:
    room.segment.ingest("track", {"userId": user, "event": "Order Completed"})


def joined(room: Any) -> list[tuple[str, bool]]:
    return [(change.audience_key, change.entered) for change in room.heard(MembershipChanged)]


def sizes(room: Any) -> list[int]:
    [journey] = room.segment.journeys()
    return [journey["size"], *(step["size"] for step in journey["steps"])]


def test_people_pass_the_steps_in_order_as_their_waits_end(shop: Any) -> None:
    fill_cart(shop)
    assert joined(shop) == [(ENTERED, True)]
    shop.advance(hours=1)
    assert sizes(shop) == [1, 1, 0, 0]
    shop.advance(hours=1)
    assert sizes(shop) == [1, 1, 1, 0]
    shop.advance(days=3)
    assert joined(shop) == [(ENTERED, True), (REMINDED, True), (GIVEN_UP, True)]
    assert [change.at.isoformat() for change in shop.heard(MembershipChanged)] == [
        "2026-03-01T12:00:00+00:00",
        "2026-03-01T14:00:00+00:00",
        "2026-03-02T14:00:00+00:00",
    ]


def test_somebody_stays_in_a_step_until_the_next_one_s_condition_holds(shop: Any) -> None:
    fill_cart(shop)
    shop.identify("u1", vip=True)
    shop.advance(days=10)
    assert sizes(shop) == [1, 1, 1, 0]
    shop.identify("u1", vip=None)
    assert sizes(shop) == [1, 1, 1, 1]


def test_a_step_is_kept_although_its_condition_no_longer_holds(shop: Any) -> None:
    fill_cart(shop)
    shop.advance(days=3)
    shop.identify("u1", vip=True)
    assert sizes(shop) == [1, 1, 1, 1]
    assert all(entered for _, entered in joined(shop))


def test_who_meets_the_exit_condition_leaves_every_step_for_good(shop: Any) -> None:
    fill_cart(shop)
    shop.advance(hours=2)
    order(shop)
    assert joined(shop) == [(ENTERED, True), (REMINDED, True), (ENTERED, False), (REMINDED, False)]
    fill_cart(shop)
    shop.advance(days=3)
    assert sizes(shop) == [0, 0, 0, 0]
    assert len(joined(shop)) == 4


def test_an_exit_event_counts_only_when_it_comes_after_the_entry(shop: Any) -> None:
    order(shop)
    shop.advance(hours=1)
    fill_cart(shop)
    shop.advance(hours=2)
    assert sizes(shop) == [1, 1, 1, 0]


def test_who_meets_the_exit_condition_does_not_enter_until_it_is_over(
    open_shop: Callable[..., Any], journey: dict[str, Any]
) -> None:
    journey["exit"] = {"trait": "paused_until", "operator": "within_next", "value": "30d"}
    room = open_shop()
    room.identify("u1", paused_until="2026-03-10T00:00:00Z")
    fill_cart(room)
    assert joined(room) == []
    room.advance(days=10)
    assert room.heard(MembershipChanged)[0].at.isoformat() == "2026-03-10T00:00:00.001000+00:00"


@pytest.mark.parametrize("later", [{"milliseconds": 0}, {"milliseconds": 1}, {"days": 3}], ids=str)
def test_who_does_what_leads_in_and_out_at_one_moment_stays_out(
    open_shop: Callable[..., Any], journey: dict[str, Any], later: dict[str, int]
) -> None:
    gift = {"property": "gift", "operator": "equals", "value": True}
    journey["exit"] = {"event": "Cart Modified", "where": [gift]}
    room = open_shop()
    fill_cart(room, gift=True)
    room.advance(**later)
    room.identify("u1", city="Paris")
    room.advance(days=3)
    assert joined(room) == []
    assert sizes(room) == [0, 0, 0, 0]


def test_a_journey_without_exit_condition_sends_no_exits(
    open_shop: Callable[..., Any], journey: dict[str, Any]
) -> None:
    del journey["exit"]
    room = open_shop({"key": REMINDED})
    fill_cart(room)
    room.advance(hours=2)
    order(room)
    assert all(entered for _, entered in joined(room))


def test_somebody_without_known_id_does_not_enter(shop: Any) -> None:
    shop.segment.ingest("track", {"anonymousId": "a", "event": "Cart Modified"})
    assert joined(shop) == []
    shop.segment.ingest("identify", {"anonymousId": "a", "userId": "u1"})
    assert joined(shop) == [(ENTERED, True)]


def test_joining_a_step_sends_a_track_of_class_journey_step(shop: Any) -> None:
    fill_cart(shop, cart_id="c1", items=[1, 2])
    shop.advance(hours=2)
    [event] = shop.payloads()
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
def test_the_schema_takes_the_samples_that_segment_published(sample: dict[str, Any]) -> None:
    assert mistakes(sample, SCHEMA) == []
    assert mistakes({**sample, "traits": {}}, SCHEMA)
    sample = {**sample, "properties": {"journey_context": {}}}
    assert [mistake.place for mistake in mistakes(sample, SCHEMA)] == ["properties"]


def test_leaving_sends_the_same_event_with_false_once_for_every_email(shop: Any) -> None:
    fill_cart(shop)
    shop.identify("u1", email="new@example.com")
    shop.advance(hours=2)
    order(shop)
    sent = [
        (event["event"], event["properties"][REMINDED], event["context"]["traits"]["email"])
        for event in shop.payloads()
    ]
    assert sent == [
        ("Reminded", True, "new@example.com"),
        ("Reminded", False, "u1@example.com"),
        ("Reminded", False, "new@example.com"),
    ]
    epochs = {event["properties"]["journey_metadata"]["epoch_id"] for event in shop.payloads()}
    assert len(epochs) == 1
    for event in shop.payloads():
        assert mistakes(event, SCHEMA) == []


def test_step_entered_events_carry_no_boolean_and_tell_of_joining_alone(open_shop: Callable[..., Any]) -> None:
    room = open_shop({"key": REMINDED, "events": "entered", "event": "Nudge", "email": False})
    fill_cart(room)
    room.advance(hours=2)
    order(room)
    [event] = room.payloads()
    assert mistakes(event, SCHEMA) == []
    assert event["event"] == "Nudge"
    assert set(event["properties"]) == {"journey_context", "journey_metadata"}
    assert set(event["properties"]["journey_metadata"]) == {"journey_id", "epoch_id"}
    assert "traits" not in event["context"]


@pytest.mark.parametrize(("events", "action"), [("all", "enter"), ("entered", "exit")])
def test_stackadapt_takes_a_step_without_boolean_for_leaving(
    open_shop: Callable[..., Any], events: str, action: str
) -> None:
    """The published destination looks at the value under the step's key; where there is none it says `exit`."""
    room = open_shop({"key": REMINDED, "events": events})
    fill_cart(room)
    room.advance(hours=2)
    [document] = room.transport.documents()
    assert f'\\"action\\":\\"{action}\\"' in document


def test_events_of_later_steps_join_the_context(open_shop: Callable[..., Any], journey: dict[str, Any]) -> None:
    journey["steps"][1] = {
        "key": REMINDED,
        "name": "Reminded",
        "condition": {"event": "Cart Viewed", "where": [{"property": "total", "operator": "at_least", "value": 5}]},
    }
    room = open_shop({"key": REMINDED})
    fill_cart(room, a=1)
    room.segment.ingest("track", {"userId": "u1", "event": "Cart Viewed", "properties": {"total": 9, "b": 2}})
    [event] = room.payloads()
    assert event["properties"]["journey_context"] == {"Cart Modified": {"a": 1}, "Cart Viewed": {"total": 9, "b": 2}}


def test_merged_profiles_go_on_with_the_older_one_s_journey(shop: Any) -> None:
    shop.segment.ingest("identify", {"userId": "u1", "traits": {"first_name": "Ada"}})
    fill_cart(shop)
    shop.advance(hours=1)
    shop.segment.ingest("identify", {"anonymousId": "a", "traits": {"email": "a@example.com"}})
    shop.segment.ingest("track", {"anonymousId": "a", "event": "Cart Modified"})
    shop.segment.ingest("track", {"anonymousId": "a", "userId": "u1", "event": "e"})
    shop.advance(hours=1)
    assert sizes(shop) == [1, 1, 1, 0]


def test_journeys_survive_a_restart(open_shop: Callable[..., Any], tmp_path: Any) -> None:
    fill_cart(open_shop({"key": REMINDED}, store=tmp_path / "s.sqlite"))
    again = open_shop({"key": REMINDED}, store=tmp_path / "s.sqlite")
    again.advance(hours=2)
    assert [event["event"] for event in again.payloads()] == ["Reminded"]


def test_a_step_warns_of_missing_emails_and_missing_booleans(
    open_shop: Callable[..., Any], journey: dict[str, Any]
) -> None:
    [seen] = open_shop({"key": REMINDED, "events": "entered", "email": False}).segment.journeys()
    assert seen["steps"][1]["destinations"] == ["StackAdapt Acme"]
    for warning, words in zip(
        seen["steps"][1]["warnings"], ("requires an email", "gets no email", "takes for leaving"), strict=True
    ):
        assert words in warning
    journey["entry"] = {"all": [journey["entry"], {"trait": "email", "operator": "exists"}]}
    [seen] = open_shop({"key": REMINDED}).segment.journeys()
    assert [step["warnings"] for step in seen["steps"]] == [[], [], []]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"entry": {"trait": "t", "operator": "at_least"}}, r"journey 'jrn_cart': entry\.value"),
        ({"exit": {"audience": "vips"}}, r"journey 'jrn_cart': exit: .*unknown audience"),
        ({"steps": [{"key": "vip_customers", "name": "x"}]}, r"audiences and journey steps\[1\]: the same one"),
        ({"steps": [{"key": "k" * 32, "name": "x"}]}, r"journeys\[0\]\.steps\[0\]\.key.*31 characters"),
    ],
)
def test_a_mistake_in_a_journey_names_its_place(
    open_shop: Callable[..., Any], journey: dict[str, Any], change: dict[str, Any], message: str
) -> None:
    journey.update(change)
    with pytest.raises(WorkspaceError, match=message):
        open_shop()


def test_an_unknown_step_in_a_connection_is_named(open_shop: Callable[..., Any]) -> None:
    with pytest.raises(WorkspaceError, match=r"journeySteps\[0\]\.key: .*no such journey step.*'cart__reminded_2'"):
        open_shop({"key": "cart__reminded_3"})
