"""Computing an audience for all profiles: the historical backfill, and a destination connected later."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

import pytest

from emulator.errors import NotFound
from emulator.segment.engage import queries as space
from tests.segment.conftest import OpenEnv, SegmentEnv

VIP = {"trait": "total_spent", "operator": "at_least", "value": 500}


class Reopen(Protocol):
    """Opens the same data with another condition for the one audience, and more audiences."""

    def __call__(self, condition: dict[str, Any], *more: dict[str, Any]) -> SegmentEnv: ...


@pytest.fixture
def reopened(open_env: OpenEnv, document: dict[str, Any], tmp_path: Path) -> Reopen:
    def open_(condition: dict[str, Any], *more: dict[str, Any]) -> SegmentEnv:
        audience = document["audiences"][0] | {"condition": condition}
        return open_env(document | {"audiences": [audience, *more]}, store=tmp_path / "s.sqlite")

    return open_


def members(segment_env: SegmentEnv, key: str = "vip_customers") -> list[str]:
    return [member["userId"] for member in segment_env.segment.members(key)]


def test_a_backfill_computes_all_profiles_and_sends_the_changes(reopened: Reopen) -> None:
    first = reopened(VIP)
    for user, spent in (("u1", 900), ("u2", 600), ("u3", 10)):
        first.identify(user, total_spent=spent)
    again = reopened({"trait": "total_spent", "operator": "at_most", "value": 600})
    assert members(again) == ["u1", "u2"], "nothing is computed by itself"
    before = len(again.payloads())
    assert again.segment.compute("vip_customers") == {"profiles": 3, "entered": 1, "left": 1, "events": 4}
    assert members(again) == ["u2", "u3"]
    sent = [(event["userId"], event.get("event")) for event in again.payloads()[before:]]
    assert sent == [("u1", None), ("u1", "Audience Exited"), ("u3", None), ("u3", "Audience Entered")]
    assert again.segment.compute("vip_customers") == {"profiles": 3, "entered": 0, "left": 0, "events": 0}
    assert len(again.payloads()) == before + 4


def test_a_new_audience_gets_profiles_that_already_met_its_condition(reopened: Reopen) -> None:
    reopened(VIP).identify("u1", total_spent=900, plan="gold")
    gold = {
        "key": "gold",
        "id": "aud_gold",
        "name": "Gold",
        "condition": {"trait": "plan", "operator": "equals", "value": "gold"},
    }
    again = reopened(VIP, gold)
    assert members(again, "gold") == []
    assert again.segment.compute("gold")["entered"] == 1
    assert members(again, "gold") == ["u1"]


def test_dependent_audiences_are_computed_too(reopened: Reopen) -> None:
    poor = {"key": "poor", "id": "aud_poor", "name": "Poor", "condition": {"not": {"audience": "vip_customers"}}}
    reopened(VIP, poor).identify("u1", total_spent=900)
    again = reopened({"trait": "total_spent", "operator": "at_least", "value": 1_000}, poor)
    assert again.segment.compute("vip_customers") == {"profiles": 1, "entered": 0, "left": 1, "events": 2}
    assert members(again, "poor") == ["u1"]


def test_events_from_before_a_condition_referred_to_them_are_not_counted(reopened: Reopen) -> None:
    """As with Include Historical Event Data left unchecked: only events after creation count."""
    first = reopened(VIP)
    first.segment.ingest("track", {"userId": "u1", "event": "Order Completed"})
    again = reopened({"event": "Order Completed"})
    assert again.segment.compute("vip_customers") == {"profiles": 1, "entered": 0, "left": 0, "events": 0}
    again.segment.ingest("track", {"userId": "u1", "event": "Order Completed"})
    assert members(again) == ["u1"]


def test_a_destination_connected_later_gets_every_present_member_once(
    open_env: OpenEnv, document: dict[str, Any], tmp_path: Path
) -> None:
    first = open_env(document, store=tmp_path / "s.sqlite")
    first.identify("u1", email="ada@example.com", total_spent=900)
    first.identify("u2", total_spent=1)
    later = document["destinations"][0] | {"name": "Later", "audiences": [{"key": "vip_customers", "sendTrack": False}]}
    document["destinations"].append(later)
    segment_env = open_env(document, store=tmp_path / "s.sqlite")
    before = len(segment_env.segment.deliveries())
    assert segment_env.segment.compute("vip_customers", "Later") == {
        "profiles": 2,
        "entered": 0,
        "left": 0,
        "events": 1,
        "sent": 1,
    }
    sent = [(row["destination"], row["type"], row["userId"]) for row in segment_env.segment.deliveries()[before:]]
    assert sent == [("Later", "identify", "u1")]
    assert segment_env.payloads()[-1]["traits"]["vip_customers"] is True


def test_present_and_new_members_are_sent_to_the_given_destination(
    open_env: OpenEnv, document: dict[str, Any], tmp_path: Path
) -> None:
    first = open_env(document, store=tmp_path / "s.sqlite")
    for user, spent in {"stays": 900, "enters": 100, "leaves": 600}.items():
        first.identify(user, email=f"{user}@example.com", total_spent=spent)
    bounds = [("at_most", 100), ("at_least", 900)]
    document["audiences"][0]["condition"] = {
        "any": [{"trait": "total_spent", "operator": operator, "value": value} for operator, value in bounds]
    }
    segment_env = open_env(document, store=tmp_path / "s.sqlite")
    before = len(segment_env.segment.deliveries())
    done = segment_env.segment.compute("vip_customers", "StackAdapt Acme")
    assert done == {"profiles": 3, "entered": 1, "left": 1, "events": 6, "sent": 2}
    sent = [(row["userId"], row["type"]) for row in segment_env.segment.deliveries()[before:]]
    assert sent == [(user, kind) for user in ("stays", "enters", "leaves") for kind in ("identify", "track")]


def test_a_backfill_pages_through_the_profiles(
    segment_env: SegmentEnv, monkeypatch: pytest.MonkeyPatch, document: dict[str, Any]
) -> None:
    for number in range(7):
        segment_env.identify(f"u{number}", total_spent=900)
    monkeypatch.setattr(space, "_PROFILES_AT_ONCE", 3)
    assert segment_env.segment.compute("vip_customers", "StackAdapt Acme") == {
        "profiles": 7,
        "entered": 0,
        "left": 0,
        "events": 14,
        "sent": 7,
    }
    assert len(segment_env.payloads()) == 7 * 2 * 2


@pytest.mark.parametrize(
    ("key", "destination", "message"),
    [
        ("vip_customer", None, "unknown audience.*Did you mean 'vip_customers'"),
        ("vip_customers", "StackAdapt Acne", "unknown destination instance.*Did you mean 'StackAdapt Acme'"),
        ("lonely", "StackAdapt Acme", "not connected to this destination instance.*Allowed: none"),
    ],
)
def test_an_unknown_name_is_not_found(
    open_env: Any, document: dict[str, Any], key: str, destination: str | None, message: str
) -> None:
    lonely = {"key": "lonely", "id": "aud_lonely", "name": "Lonely", "condition": {"event": "Sigh"}}
    document["audiences"].append(lonely)
    segment_env = open_env(document)
    with pytest.raises(NotFound, match=message):
        segment_env.segment.compute(key, destination)
