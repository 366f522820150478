"""Segment's published destination against the emulator."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from .clients import send
from .packages import NEWEST
from .served import ADVERTISER, TOKEN, ServedEmulator

pytestmark = pytest.mark.node(NEWEST)

SETTINGS = {"apiKey": TOKEN, "advertiser_id": ADVERTISER}
MAPPING = {"marketing_status": "Opted-in"}
AUDIENCE_ID = "aud_conformance"
AUDIENCE_KEY = "conformance_vips"

UPSERT_PROFILES = """mutation Upsert($input: UpsertProfilesInput!) {
  upsertProfiles(input: $input) { userErrors { message } }
}"""


def audience_event(user_id: str, email: str | None, *, entered: bool = True) -> dict[str, Any]:
    """An identify call of Engage for an audience."""
    traits = {"first_name": user_id.title(), AUDIENCE_KEY: entered} | ({"email": email} if email else {})
    personas = {"computation_class": "audience", "computation_id": AUDIENCE_ID, "computation_key": AUDIENCE_KEY}
    return {
        "type": "identify",
        "messageId": f"message-{user_id}",
        "userId": user_id,
        "traits": traits,
        "context": {"personas": personas},
    }


def sync(served: ServedEmulator, *events: dict[str, Any], mode: str = "batch") -> dict[str, Any]:
    """Sends the events to the emulator with the newest package."""
    return send(NEWEST, served.graphql, mode, list(events), settings=SETTINGS, mapping=MAPPING)


def delivered_without_errors(outcome: dict[str, Any]) -> bool:
    """Whether every response has data and no user errors."""
    nodes = outcome["results"][-1].get("multistatus") or [{"body": outcome["results"][-1]["data"]}]
    return all(
        "errors" not in node["body"] and not any(field["userErrors"] for field in node["body"]["data"].values())
        for node in nodes
    )


def test_one_event_and_a_batch_become_profiles_and_segment_members(served: ServedEmulator) -> None:
    assert delivered_without_errors(sync(served, audience_event("ann", "ann@example.com"), mode="event"))
    batch = sync(served, audience_event("bob", "bob@example.com"), audience_event("cy", "cy@example.com"))
    assert [node["status"] for node in batch["results"][0]["multistatus"]] == [200, 200]
    assert delivered_without_errors(batch)

    assert served.profiles("ann@example.com") == [{"email": "ann@example.com", "marketingStatus": "OPTED_IN"}]
    everyone = ["ann@example.com", "bob@example.com", "cy@example.com"]
    assert served.members(served.create_segment("segment_engage_audience_id", AUDIENCE_ID)) == everyone
    assert served.members(served.create_segment("segment_engage_audience_name", AUDIENCE_KEY)) == everyone
    assert served.members(served.create_segment("segment_engage_audience_id", "aud_other")) == []


def test_a_profile_that_exits_the_audience_leaves_the_segment(served: ServedEmulator) -> None:
    segment = served.create_segment("segment_engage_audience_id", AUDIENCE_ID)
    sync(served, audience_event("ann", "ann@example.com"), audience_event("bob", "bob@example.com"))
    assert served.members(segment) == ["ann@example.com", "bob@example.com"]
    sync(served, audience_event("bob", "bob@example.com", entered=False), mode="event")
    assert served.members(segment) == ["ann@example.com"]
    assert len(served.profiles("bob@example.com")) == 1


def test_a_deleted_user_has_no_profile(served: ServedEmulator) -> None:
    sync(served, audience_event("ann", "ann@example.com"), mode="event")
    deleted = sync(served, {"type": "delete", "userId": "ann"}, mode="delete")
    assert deleted["results"]["data"]["deleteProfilesWithExternalIds"]["userErrors"] == []
    assert served.profiles("ann@example.com") == []


def test_an_event_without_email_is_rejected_by_segment_and_not_sent(served: ServedEmulator) -> None:
    outcome = sync(served, audience_event("dee", None), mode="event")
    assert outcome["error"]["message"] == "The root value is missing the required field 'email'."
    assert outcome["error"]["status"] == 400
    assert served.get("/_emulator/records")["records"] == []


def test_a_batch_is_sent_without_the_event_that_segment_rejects(served: ServedEmulator) -> None:
    batch = sync(served, audience_event("dee", None), audience_event("ann", "ann@example.com"))
    assert [node["status"] for node in batch["results"][0]["multistatus"]] == [400, 200]
    assert len(served.profiles("ann@example.com")) == 1


def test_a_record_without_email_from_another_client_is_rejected_with_a_reason(served: ServedEmulator) -> None:
    profiles = [{"userId": "dee", "first_name": "Dee"}]
    upsert = {"advertiserId": ADVERTISER, "externalProvider": "segment_io", "syncId": "s1", "profiles": profiles}
    sync(served, audience_event("ann", "ann@example.com"), mode="event")
    assert served.query(UPSERT_PROFILES, input=upsert)["upsertProfiles"]["userErrors"] == []
    [rejection] = served.get("/_emulator/rejections")["rejections"]
    assert rejection["reason"] == "MISSING_EMAIL"
    assert rejection["record"]["userId"] == "dee"


def test_a_quote_in_a_trait_breaks_the_document_and_segment_still_reports_success(served: ServedEmulator) -> None:
    event = audience_event("ann", "ann@example.com")
    event["traits"]["first_name"] = 'Ann "the boss"'
    outcome = sync(served, event, mode="event")
    assert outcome["results"][-1]["output"] == "Action Executed"
    [error] = outcome["results"][-1]["data"]["errors"]
    assert error["message"].startswith("Syntax Error")
    assert served.profiles("ann@example.com") == []


def test_an_unknown_token_fails_the_delivery_with_401(served: ServedEmulator) -> None:
    settings = {**SETTINGS, "apiKey": "unknown"}
    event = audience_event("ann", "ann@example.com")
    outcome = send(NEWEST, served.graphql, "event", [event], settings=settings, mapping=MAPPING)
    assert (outcome["error"]["name"], outcome["error"]["status"]) == ("HTTPError", 401)


def test_profiles_become_visible_after_the_latency(node_packages: None, tmp_path: Path) -> None:
    with ServedEmulator(tmp_path / "serve.log", "--latency", "4h") as served:
        assert delivered_without_errors(sync(served, audience_event("ann", "ann@example.com"), mode="event"))
        assert served.profiles("ann@example.com") == []
        served.post("/_emulator/clock/advance", {"hours": 4})
        assert len(served.profiles("ann@example.com")) == 1
