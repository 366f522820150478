"""Which past events count for an audience: "Include Historical Event Data" in Segment's "Engage Audiences"."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.segment.conftest import NOON, OpenEnv, SegmentEnv

BOUGHT = {"event": "Order Completed"}
Open = Callable[..., SegmentEnv]


def buyers(**changes: Any) -> dict[str, Any]:
    return {"key": "buyers", "id": "aud_buyers", "name": "Buyers", "condition": BOUGHT} | changes


@pytest.fixture
def opened(open_env: OpenEnv, document: dict[str, Any], tmp_path: Path) -> Open:
    """Opens the same data with more audiences and settings of the space."""

    def open_(*audiences: dict[str, Any], **space: Any) -> SegmentEnv:
        changed = document | {
            "audiences": [*document["audiences"], *audiences],
            "space": {"id": "spa_local", "name": "Local"} | space,
        }
        return open_env(changed, store=tmp_path / "s.sqlite")

    return open_


def bought(segment_env: SegmentEnv, user_id: str = "u1", **call: Any) -> None:
    segment_env.segment.ingest("track", {"userId": user_id, "event": "Order Completed", **call})


def members(segment_env: SegmentEnv) -> list[str]:
    return [member["userId"] for member in segment_env.segment.members("buyers")]


def test_an_audience_added_later_counts_past_events_where_all_are_kept(opened: Open) -> None:
    bought(opened(keepAllEvents=True), properties={"total": 9, "shipping": {"city": "Oslo"}})
    where = [{"property": "shipping.city", "operator": "equals", "value": "Oslo"}]
    later = opened(buyers(condition=BOUGHT | {"where": where}), keepAllEvents=True)
    assert members(later) == []
    assert later.segment.compute("buyers")["entered"] == 1
    assert members(later) == ["u1"]


def test_without_that_it_counts_those_that_came_in_later(opened: Open) -> None:
    bought(opened())
    later = opened(buyers())
    assert later.segment.compute("buyers")["entered"] == 0
    bought(later)
    assert members(later) == ["u1"]


def test_without_historical_data_only_events_that_come_in_later_count(opened: Open) -> None:
    bought(opened(keepAllEvents=True))
    later = opened(buyers(includeHistory=False), keepAllEvents=True)
    assert later.segment.compute("buyers")["entered"] == 0
    bought(later, timestamp=(NOON - timedelta(days=30)).isoformat())
    assert members(later) == ["u1"], "it is the arrival that counts, not the time of the event"


def test_the_start_of_an_audience_is_kept(opened: Open) -> None:
    opened(keepAllEvents=True)
    audience = buyers(includeHistory=False, condition=BOUGHT | {"operator": "at_least", "value": 2})
    first = opened(audience, keepAllEvents=True)
    bought(first)
    again = opened(audience, keepAllEvents=True)
    bought(again)
    assert members(again) == ["u1"]


def test_an_audience_that_is_there_from_the_start_counts_everything(opened: Open) -> None:
    first = opened(buyers(includeHistory=False))
    bought(first)
    assert members(first) == ["u1"]


def test_not_performed_looks_at_the_same_events(opened: Open) -> None:
    bought(opened(keepAllEvents=True))
    never = buyers(includeHistory=False, condition=BOUGHT | {"operator": "exactly", "value": 0})
    later = opened(never, keepAllEvents=True)
    assert later.segment.compute("buyers")["entered"] == 1
    bought(later)
    assert members(later) == []
    [why] = [each for each in later.segment.explain_audiences(user_id="u1") if each["audience"] == "buyers"]
    assert not why["member"]
    assert "exactly 0" in why["failed"][0]


def test_traits_always_count(opened: Open) -> None:
    opened().identify("u1", plan="gold")
    condition = {"trait": "plan", "operator": "equals", "value": "gold"}
    later = opened(buyers(condition=condition, includeHistory=False))
    assert later.segment.compute("buyers")["entered"] == 1


@pytest.mark.parametrize(("age", "counted"), [(3 * 365 - 1, ["u1"]), (3 * 365, [])])
@pytest.mark.parametrize("keep", [False, True])
def test_events_of_three_years_count(opened: Open, age: int, counted: list[str], keep: bool) -> None:
    segment_env = opened(buyers(), keepAllEvents=keep)
    bought(segment_env, timestamp=(NOON - timedelta(days=age)).isoformat())
    assert members(segment_env) == counted


@pytest.mark.parametrize(("include", "options", "sent"), [(True, {}, 1), (False, {}, 0), (False, {"resync": True}, 1)])
def test_a_later_destination_gets_the_present_members_of_audiences_with_historical_data_or_with_a_resync(
    open_env: OpenEnv,
    document: dict[str, Any],
    tmp_path: Path,
    include: bool,
    options: dict[str, Any],
    sent: int,
) -> None:
    document["audiences"][0]["includeHistory"] = include
    open_env(document, store=tmp_path / "s.sqlite").identify("u1", email="ada@example.com", total_spent=900)
    document["destinations"].append(document["destinations"][0] | {"name": "Later"})
    later = open_env(document, store=tmp_path / "s.sqlite")
    assert later.segment.compute("vip_customers", "Later", **options)["sent"] == sent
    assert {row["userId"] for row in later.segment.deliveries() if row["destination"] == "Later"} == (
        {"u1"} if sent else set()
    )
    later.identify("u2", email="bob@example.com", total_spent=900)
    assert "u2" in {row["userId"] for row in later.segment.deliveries() if row["destination"] == "Later"}
