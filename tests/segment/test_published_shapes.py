"""Every payload shape that Segment publishes for Engage, and what the default workspace's destination makes of it.

Audiences and steps of event-triggered journeys are emitted here as well (`test_audience_events`, `test_journeys`). The
others, computed traits, journeys of the first generation, linked and account-level audiences, come from the real Engage
only: these samples are how a user's own recordings of them look.
"""

from __future__ import annotations

from typing import Any

import pytest

from emulator.harness.preview import preview
from emulator.harness.subscription_context import contexts_of
from emulator.workspace import load_workspace

CLASS = 'Segment Computation Class must be one of: "audience" or "journey_step".'
EMAIL = "The root value is missing the required field 'email'."


def personas(kind: str, number: str, key: str, **more: Any) -> dict[str, Any]:
    space = {"namespace": "spa_1", "space_id": "spa_1"}
    return {"computation_class": kind, "computation_id": number, "computation_key": key, **space, **more}


def identify(context: dict[str, Any], **traits: Any) -> dict[str, Any]:
    return {"type": "identify", "userId": "u123", "context": {"personas": context}, "traits": traits}


def track(context: dict[str, Any], event: str, email: str | None = "a@b.co", **properties: Any) -> dict[str, Any]:
    traits = {"traits": {"email": email}} if email else {}
    return {
        "type": "track",
        "userId": "u123",
        "event": event,
        "context": {"personas": context, **traits},
        "properties": properties,
    }


AUDIENCE = personas("audience", "aud_1", "first_time_shopper")
TRAIT = personas("trait", "tra_1", "total_revenue_180_days")
FIRST_JOURNEY = personas("audience", "aud_2", "j_o_first_purchase__opened_email_dje83h")
LINKED = personas("audience", "aud_3", "lapsed", event_emitter_id="e1", computation_run_id="r1")
STEP = personas("journey_step", "journey_name__step_name_8943l", "journey_name__step_name_8943l", event_emitter_id="e1")
OPENED = "j_o_first_purchase__opened_email_dje83h"
JOURNEY = {
    "journey_context": {"triggering_event": {"organization": "Pied Piper"}},
    "journey_metadata": {"journey_id": "2GKsjADZkD", "epoch_id": "yiC2qPZNIS"},
}
ENRICHED = {"first_time_shopper": True, "email": "a@b.co", "user_id": "u123"}

SHAPES = {
    "audience entered, identify": (identify(AUDIENCE, first_time_shopper=True, email="a@b.co"), "enter"),
    "audience exited, identify": (identify(AUDIENCE, first_time_shopper=False, email="a@b.co"), "exit"),
    "audience entered, track": (
        track(AUDIENCE, "Audience Entered", audience_key="first_time_shopper", first_time_shopper=True),
        "enter",
    ),
    "audience exited, track": (
        track(AUDIENCE, "Audience Exited", audience_key="first_time_shopper", first_time_shopper=False),
        "exit",
    ),
    "audience without audience_key, email enriched": (
        track(AUDIENCE, "Audience Entered", None) | {"properties": ENRICHED},
        "enter",
    ),
    "audience in the minimal documented form": (identify(AUDIENCE, first_time_shopper=True), EMAIL),
    "computed trait, identify": (identify(TRAIT, total_revenue_180_days=450.0, email="a@b.co"), CLASS),
    "computed trait, track": (
        track(TRAIT, "Trait Computed", trait_key="total_revenue_180_days", total_revenue_180_days=450.0),
        CLASS,
    ),
    "first journeys, track with a string": (track(FIRST_JOURNEY, "Audience Entered", **{OPENED: "true"}), "enter"),
    "first journeys, identify with a string": (identify(FIRST_JOURNEY, **{OPENED: "true", "email": "a@b.co"}), "enter"),
    "first journeys, the string false": (track(FIRST_JOURNEY, "Audience Exited", **{OPENED: "false"}), "enter"),
    "event-triggered journeys, documented": (track(STEP, "Custom", **JOURNEY, user_name="Richard"), "exit"),
    "event-triggered journeys, all events": (
        track(STEP, "Custom", **JOURNEY, journey_name__step_name_8943l=True),
        "enter",
    ),
    "linked audience, track with entities": (
        track(LINKED, "Audience Entered", audience_key="lapsed", lapsed=True, orders=[{"TOTAL": 5}]),
        "enter",
    ),
    "account-level audience, group": (
        {"type": "group", "groupId": "g1", "context": {"personas": AUDIENCE}, "traits": {"first_time_shopper": True}},
        "not triggered",
    ),
}


@pytest.mark.parametrize(("event", "outcome"), SHAPES.values(), ids=list(SHAPES))
def test_a_published_shape_has_the_outcome_of_the_destination(event: dict[str, Any], outcome: str) -> None:
    [subject] = contexts_of(load_workspace(), None)
    [seen] = preview([event], [subject], batch=False)
    [event] = seen.events
    if outcome in ("enter", "exit"):
        assert event["status"] == "ready"
        assert f'\\"action\\":\\"{outcome}\\"' in (seen.document or "")
    else:
        assert outcome in (event["status"], event.get("message"))
