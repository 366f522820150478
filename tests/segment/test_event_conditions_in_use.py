"""Audiences with conditions on events and dates are entered and left as calls come and the clock moves."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emulator.errors import WorkspaceError
from emulator.events import MembershipChanged
from emulator.segment.tables import DUE
from emulator.timestamps import to_millis
from tests.segment.conftest import OpenWithCondition
from tests.segment.event_conditions import ORDER, members, track, turns


def test_performing_an_event_often_enough_enters_the_audience(open_with: OpenWithCondition) -> None:
    segment_env = open_with({"event": ORDER, "operator": "at_least", "value": 2})
    track(segment_env)
    assert members(segment_env) == []
    track(segment_env)
    assert members(segment_env) == ["u1"]
    assert [payload["type"] for payload in segment_env.payloads()] == ["identify", "track"]


def test_at_most_is_left_by_performing_the_event(open_with: OpenWithCondition) -> None:
    segment_env = open_with({"event": ORDER, "operator": "at_most", "value": 1})
    segment_env.identify("u1")
    assert members(segment_env) == ["u1"]
    track(segment_env)
    track(segment_env)
    assert members(segment_env) == []


def test_page_and_screen_calls_are_events_with_the_page_s_name(open_with: OpenWithCondition) -> None:
    segment_env = open_with(
        {
            "any": [
                {
                    "event": "Page Viewed",
                    "where": [{"property": "page_name", "operator": "equals", "value": "Pricing"}],
                },
                {"event": "Screen Viewed", "where": [{"property": "screen_name", "operator": "exists"}]},
            ]
        }
    )
    segment_env.segment.ingest("page", {"userId": "u1", "name": "Home"})
    segment_env.segment.ingest("page", {"userId": "u2", "name": "Pricing"})
    segment_env.segment.ingest("screen", {"userId": "u3", "name": "Start"})
    assert members(segment_env) == ["u2", "u3"]


def test_the_event_s_own_timestamp_counts(open_with: OpenWithCondition) -> None:
    segment_env = open_with({"event": ORDER, "within": "7d"})
    track(segment_env, timestamp="2026-02-20T12:00:00Z")
    assert members(segment_env) == []
    track(segment_env, timestamp="2026-02-27T12:00:00Z")
    assert members(segment_env) == ["u1"]
    segment_env.advance(days=5)
    assert members(segment_env) == []


def test_profiles_leave_when_their_events_leave_the_window(open_with: OpenWithCondition) -> None:
    segment_env = open_with({"event": ORDER, "within": "7d"})
    track(segment_env)
    segment_env.advance(days=6)
    assert members(segment_env) == ["u1"]
    segment_env.advance(days=3)
    assert members(segment_env) == []
    assert turns(segment_env) == [("2026-03-01T12:00:00+00:00", True), ("2026-03-08T12:00:00+00:00", False)]
    assert segment_env.payloads()[-1]["timestamp"] == "2026-03-08T12:00:00.000Z"


def test_not_performed_within_a_window_enters_when_the_clock_moves(open_with: OpenWithCondition) -> None:
    segment_env = open_with(
        {"all": [{"event": ORDER}, {"event": ORDER, "operator": "exactly", "value": 0, "within": "30d"}]}
    )
    track(segment_env)
    assert members(segment_env) == []
    segment_env.advance(days=30)
    assert members(segment_env) == ["u1"]
    track(segment_env)
    assert members(segment_env) == []


def test_a_window_in_the_past_is_entered_and_left(open_with: OpenWithCondition) -> None:
    segment_env = open_with({"event": ORDER, "between": ["1d", "2d"]})
    track(segment_env)
    segment_env.advance(days=10)
    assert turns(segment_env) == [("2026-03-02T12:00:00+00:00", True), ("2026-03-03T12:00:00+00:00", False)]


def test_a_call_applies_the_effect_of_time_first(open_with: OpenWithCondition) -> None:
    """Time was not processed since the event left the window: the call comes after the exit and enters again."""
    segment_env = open_with({"event": ORDER, "within": "1d"})
    track(segment_env)
    segment_env.sandbox.clock.advance(timedelta(days=2))
    track(segment_env)
    assert [entered for _, entered in turns(segment_env)] == [True, False, True]


def test_date_conditions_follow_the_clock(open_with: OpenWithCondition) -> None:
    segment_env = open_with({"trait": "renewal", "operator": "within_next", "value": "7d"})
    segment_env.identify("u1", renewal="2026-03-20T00:00:00Z")
    segment_env.identify("u2", renewal="tomorrow")
    segment_env.advance(days=30)
    assert turns(segment_env) == [("2026-03-13T00:00:00+00:00", True), ("2026-03-20T00:00:00.001000+00:00", False)]


@pytest.mark.parametrize(
    ("operator", "value", "matching"),
    [
        ("before_date", "2026-03-01T12:00:00Z", ["2026-02-28T00:00:00+01:00", "2026-03-01T11:59:59Z"]),
        ("after_date", "2026-03-01T12:00:00Z", ["2026-03-08T12:00:00Z", "2026-03-08T12:00:01Z"]),
        ("within_last", "1d", ["2026-03-01T11:59:59Z", "2026-03-01T12:00:00Z"]),
        ("within_next", "7d", ["2026-03-01T12:00:00Z", "2026-03-08T12:00:00Z"]),
        ("before_last", "1d", ["2026-02-28T00:00:00+01:00"]),
        ("after_next", "7d", ["2026-03-08T12:00:00Z", "2026-03-08T12:00:01Z"]),
    ],
)
def test_dates_are_compared_as_documented(
    open_with: OpenWithCondition, operator: str, value: str, matching: list[str]
) -> None:
    dates = ["2026-02-28T00:00:00+01:00", "2026-03-01T11:59:59Z", "2026-03-01T12:00:00Z", "2026-03-08T12:00:00Z"]
    dates += [
        "2026-03-08T12:00:01Z",
        "soon",
        5,
        "2026-02-28",
        "2026-02-28T00:00:00",
        "2026-04-01",
        "2026-03-01T12:00:00",
    ]
    segment_env = open_with({"trait": "d", "operator": operator, "value": value})
    for date in dates:
        segment_env.identify(str(date), d=date)
    assert members(segment_env) == matching


def test_a_timestamp_without_zone_is_kept_but_never_matches(open_with: OpenWithCondition) -> None:
    segment_env = open_with({"trait": "d", "operator": "after_date", "value": "2019-01-01T00:00:00Z"})
    dates = ["2026-01-01", "20260101", "2026-W01-1", "20260101T10", "2026-01-01T00:00:00", "2026-01-01 10:00"]
    for date in dates:
        segment_env.identify(date, d=date)
    assert [profile["traits"]["d"] for profile in segment_env.segment.profiles()] == dates
    assert members(segment_env) == []


def test_an_audience_can_refer_to_another(open_env: Any, document: dict[str, Any]) -> None:
    rich = document["audiences"][0]
    active = {"key": "active", "id": "aud_active", "name": "Active", "condition": {"event": ORDER, "within": "1d"}}
    both = {"all": [{"audience": "active"}, {"not": {"audience": "vip_customers"}}]}
    document["audiences"] = [{"key": "a", "id": "aud_a", "name": "A", "condition": both}, rich, active]
    segment_env = open_env(document)
    track(segment_env, "u1")
    assert [member["userId"] for member in segment_env.segment.members("a")] == ["u1"]
    segment_env.identify("u1", total_spent=900)
    assert segment_env.segment.members("a") == []
    segment_env.identify("u1", total_spent=1)
    segment_env.advance(days=1)
    assert segment_env.segment.members("a") == []
    assert [change.entered for change in segment_env.heard(MembershipChanged) if change.audience_key == "a"] == [
        True,
        False,
        True,
        False,
    ]


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ({"audience": "vip_customers"}, "would create a cycle.*vip_customers"),
        ({"not": {"audience": "vip_customer"}}, "unknown audience.*Did you mean 'vip_customers'"),
    ],
)
def test_cycles_and_unknown_audiences_are_rejected(
    open_with: OpenWithCondition, condition: dict[str, Any], message: str
) -> None:
    with pytest.raises(WorkspaceError, match=message):
        open_with(condition)


steps = st.lists(
    st.one_of(
        st.tuples(st.just("track"), st.sampled_from(["A", "B"]), st.integers(-48, 24)),
        st.tuples(st.just("wait"), st.just(""), st.integers(1, 60)),
    ),
    max_size=12,
)
windows = st.sampled_from(
    [
        {"event": "A", "within": "1d"},
        {"event": "A", "operator": "at_least", "value": 2, "within": "2d"},
        {"all": [{"event": "A"}, {"not": {"event": "B", "within": "1d"}}]},
        {"any": [{"event": "A", "between": ["1d", "2d"]}, {"event": "B", "operator": "exactly", "value": 1}]},
        {"event": "A", "operator": "exactly", "value": 1, "between": ["6h", "1d"]},
        {"event": "A", "operator": "at_most", "value": 1, "within": "1d"},
    ]
)


travelled = {
    "id": "j",
    "name": "J",
    "entry": {"event": "A", "within": "2d"},
    "exit": {"event": "B", "operator": "at_least", "value": 2, "within": "1d"},
    "steps": [
        {"key": "j__1", "name": "1", "wait": "5h"},
        {"key": "j__2", "name": "2", "wait": "1d", "condition": {"not": {"event": "B", "within": "1d"}}},
    ],
}


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps, windows)
def test_moving_the_clock_at_once_or_hour_by_hour_has_the_same_result(
    open_with: OpenWithCondition, done: list[tuple[str, str, int]], condition: dict[str, Any]
) -> None:
    def played(hours_at_once: int) -> list[tuple[str, str, bool]]:
        segment_env = open_with(condition, journeys=[travelled])
        for kind, event, hours in done:
            if kind == "track":
                at = segment_env.sandbox.clock.now() + timedelta(hours=hours)
                track(segment_env, event=event, timestamp=at.isoformat())
            for _ in range(hours // hours_at_once if kind == "wait" else 0):
                segment_env.advance(hours=hours_at_once)
            if kind == "wait":
                segment_env.advance(hours=hours % hours_at_once)
        present = to_millis(segment_env.sandbox.clock.now())
        with segment_env.sandbox.store.begin() as transaction:
            assert all(row.at > present for row in transaction.execute(DUE.select()))
        heard = segment_env.heard(MembershipChanged)
        return [(change.at.isoformat(), change.audience_key, change.entered) for change in heard]

    assert played(1) == played(1_000)
