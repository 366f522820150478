"""Audiences of what people did, and when: "Engage Audiences" and the query language in Segment's documentation."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any, Protocol

import pytest
import sqlalchemy
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emulator import statements
from emulator.errors import UserMistake, WorkspaceError
from emulator.events import MembershipChanged
from emulator.segment.conditions.compile import compile_condition, requires
from emulator.segment.engage.event_retention import EventRetention
from emulator.segment.profiles.facts import Performed, ProfileFacts
from emulator.segment.tables import DUE, PERFORMED
from emulator.timestamps import to_millis
from tests.segment.conftest import OpenEnv, SegmentEnv

HOUR = 3_600_000
DAY = 24 * HOUR
NOW = 1_000 * DAY
ORDER = "Order Completed"


Done = dict[str, list[Performed]]


def performed(*days_ago: float, event: str = ORDER, **properties: Any) -> Done:
    return {event: [Performed(event=event, at=NOW - round(days * DAY), properties=properties) for days in days_ago]}


def meets(condition: dict[str, Any], done: Done) -> bool:
    return compile_condition(condition, where="c").holds(ProfileFacts(traits={}, performed=done, now=NOW))


@pytest.mark.parametrize(
    ("condition", "counts"),
    [
        ({}, {1, 2, 3}),
        ({"operator": "at_least", "value": 2}, {2, 3}),
        ({"operator": "at_most", "value": 1}, {0, 1}),
        ({"operator": "exactly", "value": 2}, {2}),
        ({"operator": "exactly", "value": 0}, {0}),
    ],
)
def test_an_event_is_counted_at_least_at_most_or_exactly(condition: dict[str, Any], counts: set[int]) -> None:
    condition = {"event": ORDER, **condition}
    assert {count for count in range(4) if meets(condition, performed(*range(count)))} == counts


def test_not_performed_is_exactly_zero_times_or_not() -> None:
    for condition in ({"event": ORDER, "operator": "exactly", "value": 0}, {"not": {"event": ORDER}}):
        assert meets(condition, performed(1, event="Other"))
        assert not meets(condition, performed(1))


def test_within_counts_the_last_days_and_in_between_a_window_further_back() -> None:
    within, between = {"event": ORDER, "within": "30d"}, {"event": ORDER, "between": ["30d", "90d"]}
    assert [days for days in (-1, 0, 29.9, 30, 89.9, 90) if meets(within, performed(days))] == [0, 29.9]
    assert [days for days in (-1, 0, 29.9, 30, 89.9, 90) if meets(between, performed(days))] == [30, 89.9]


def test_active_30_to_90_days_ago_but_not_since() -> None:
    """The example of "Engage Audiences"."""
    lapsed = {"all": [{"event": ORDER, "between": ["30d", "90d"]}, {"not": {"event": ORDER, "within": "30d"}}]}
    assert meets(lapsed, performed(45))
    assert not meets(lapsed, performed(45, 3))


def test_events_are_filtered_by_all_their_property_tests() -> None:
    condition = {
        "event": ORDER,
        "where": [
            {"property": "total", "operator": "at_least", "value": 100},
            {"property": "currency", "operator": "one_of", "value": ["EUR", "USD"]},
        ],
    }
    assert meets(condition, performed(1, total=100, currency="EUR"))
    assert not meets(condition, performed(1, total=99, currency="EUR"))
    assert not meets(condition, performed(1, total=100))


@pytest.mark.parametrize(
    ("condition", "place", "allowed"),
    [
        ({"event": "e", "between": ["90d", "30d"]}, "c.between", "shorter"),
        ({"event": "e", "within": "1d", "between": ["1d", "2d"]}, "c", "within, or between"),
        ({"event": "e", "where": [{"property": "p", "operator": "at_least"}]}, "c.where[0].value", "a number"),
        ({"not": {"event": "e", "where": [{"property": "p", "operator": "one_of"}]}}, "c.not.where[0].value", "array"),
        ({"trait": "t", "operator": "within_last", "value": 7}, "c.value", "2d"),
        ({"trait": "t", "operator": "before_date", "value": "soon"}, "c.value", "ISO 8601"),
    ],
)
def test_an_error_in_a_condition_names_path_and_allowed_values(
    condition: dict[str, Any], place: str, allowed: str
) -> None:
    with pytest.raises(WorkspaceError) as caught:
        compile_condition(condition, where="c")
    assert caught.value.where == place
    assert allowed in (caught.value.allowed or "")


def test_a_duration_out_of_range_is_rejected() -> None:
    with pytest.raises(UserMistake, match=r"c\.within: this duration is too long"):
        compile_condition({"event": "e", "within": f"{'9' * 30}d"}, where="c")


def test_an_event_condition_does_not_require_an_email() -> None:
    exists = {"trait": "email", "operator": "exists"}
    assert not requires({"event": ORDER}, "email")
    assert requires({"all": [{"event": ORDER}, exists]}, "email")
    assert not requires({"any": [{"event": ORDER}, exists]}, "email")
    assert requires({"not": {"trait": "email", "operator": "not_exists"}}, "email")
    assert not requires({"not": exists}, "email")


def test_an_audience_requires_what_the_one_it_refers_to_requires() -> None:
    exists = {"trait": "email", "operator": "exists"}
    assert requires({"audience": "reachable"}, "email", {"reachable": exists})
    assert not requires({"not": {"audience": "reachable"}}, "email", {"reachable": exists})
    assert not requires({"audience": "all"}, "email", {"all": {"trait": "x", "operator": "exists"}})


def test_each_audience_is_evaluated_once() -> None:
    class Counting(dict[str, Any]):
        looked = 0

        def __getitem__(self, key: str) -> Any:
            self.looked += 1
            return super().__getitem__(key)

    audiences = Counting(a0={"trait": "email", "operator": "exists"})
    audiences |= {f"a{n}": {"all": [{"audience": f"a{n - 1}"}, {"audience": f"a{n - 1}"}]} for n in range(1, 13)}
    assert requires({"audience": "a12"}, "email", audiences)
    assert audiences.looked == 13


# ---- in an emulator


class OpenWithCondition(Protocol):
    """Opens an environment whose one audience has a condition."""

    def __call__(self, condition: dict[str, Any], **more: Any) -> SegmentEnv: ...


@pytest.fixture
def open_with(open_env: OpenEnv, document: dict[str, Any]) -> OpenWithCondition:
    def open_(condition: dict[str, Any], **more: Any) -> SegmentEnv:
        document["audiences"][0]["condition"] = condition
        return open_env(document | more)

    return open_


def track(segment_env: SegmentEnv, user: str = "u1", event: str = ORDER, **more: Any) -> None:
    segment_env.segment.ingest("track", {"userId": user, "event": event, **more})


def members(segment_env: SegmentEnv) -> list[str]:
    return [member["userId"] for member in segment_env.segment.members("vip_customers")]


def turns(segment_env: SegmentEnv) -> list[tuple[str, bool]]:
    return [(change.at.isoformat(), change.entered) for change in segment_env.heard(MembershipChanged)]


def remembered(segment_env: SegmentEnv) -> list[tuple[str, str]]:
    with segment_env.sandbox.store.begin() as transaction:
        return [(row.event, row.properties) for row in transaction.execute(PERFORMED.select())]


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


def test_only_events_and_properties_that_a_condition_refers_to_are_stored(open_with: OpenWithCondition) -> None:
    where = [{"property": "cart.total", "operator": "at_least", "value": 100}]
    segment_env = open_with({"event": ORDER, "where": where})
    track(segment_env, properties={"cart": {"total": 500, "card": "4111"}, "coupon": "x"})
    track(segment_env, properties={"cart": {"total": 5}})
    track(segment_env, event="Other")
    assert remembered(segment_env) == [(ORDER, '{"cart.total": 500}')]
    assert members(segment_env) == ["u1"]


def test_an_event_is_deleted_when_no_window_needs_it(open_with: OpenWithCondition) -> None:
    segment_env = open_with({"any": [{"event": ORDER, "within": "1d"}, {"event": ORDER, "between": ["2d", "3d"]}]})
    track(segment_env)
    track(segment_env, timestamp="2026-01-01T00:00:00Z")
    assert len(remembered(segment_env)) == 1
    segment_env.advance(days=2)
    assert len(remembered(segment_env)) == 1
    segment_env.advance(days=1)
    assert remembered(segment_env) == []
    assert [entered for _, entered in turns(segment_env)] == [True, False, True, False]


def test_a_space_without_event_conditions_stores_no_events(segment_env: SegmentEnv) -> None:
    segment_env.identify("u1", total_spent=900)
    track(segment_env)
    with segment_env.sandbox.store.begin() as transaction:
        assert [transaction.execute(table.select()).all() for table in (PERFORMED, DUE)] == [[], []]


def test_events_of_merged_profiles_count_together(open_with: OpenWithCondition) -> None:
    segment_env = open_with({"event": ORDER, "operator": "at_least", "value": 2, "within": "7d"})
    segment_env.segment.ingest("track", {"anonymousId": "a", "event": ORDER})
    track(segment_env, "u1")
    assert members(segment_env) == []
    segment_env.segment.ingest("identify", {"anonymousId": "a", "userId": "u1"})
    assert members(segment_env) == ["u1"]
    segment_env.advance(days=7)
    assert (members(segment_env), remembered(segment_env)) == ([], [])


def test_events_and_due_times_survive_a_restart(open_env: Any, document: dict[str, Any], tmp_path: Any) -> None:
    document["audiences"][0]["condition"] = {"event": ORDER, "within": "7d"}
    track(open_env(document, store=tmp_path / "s.sqlite"))
    again = open_env(document, store=tmp_path / "s.sqlite")
    assert members(again) == ["u1"]
    again.advance(days=7)
    assert members(again) == []


counted = st.builds(
    lambda event, window: event | window,
    st.builds(
        lambda operator, value: {"event": ORDER, "operator": operator, "value": value},
        st.sampled_from(["at_least", "at_most", "exactly"]),
        st.integers(0, 3),
    ),
    st.sampled_from([{}, {"within": "5h"}, {"between": ["2h", "6h"]}, {"between": ["9h", "11h"]}]),
)
ages = st.lists(st.integers(-4, 12), max_size=25)


def seen(ages: list[int], now: int) -> ProfileFacts:
    done = [Performed(event=ORDER, at=-age * HOUR) for age in ages]
    return ProfileFacts(traits={}, performed={ORDER: done}, now=now)


@given(counted, ages)
def test_the_next_change_is_when_the_outcome_changes(condition: dict[str, Any], ages: list[int]) -> None:
    compiled = compile_condition(condition, where="c")
    answers = {now: compiled.holds(seen(ages, now * HOUR)) for now in range(24)}
    changes = [now * HOUR for now, answer in answers.items() if answer != answers[0]]
    assert list(compiled.next_changes(seen(ages, 0)) if compiled.next_changes else ()) == changes[:1]


@given(counted, ages, ages, st.booleans())
def test_the_kept_events_give_the_same_outcome_as_all_events(
    condition: dict[str, Any], ages: list[int], more: list[int], since: bool
) -> None:
    """Now and at any later hour, also for those since a point in time, and together with events received later."""
    compiled = compile_condition(condition, where="c")
    if since:
        compiled = replace(compiled, events=tuple(replace(need, since=True) for need in compiled.events))
    kept = EventRetention([compiled]).kept(ORDER, seen(ages, 0).performed[ORDER], 0)
    coming = seen(more, 0).performed[ORDER]
    for start in (-12, -3, 0):
        for now in range(24):
            everything = ProfileFacts(
                traits={}, performed={ORDER: [*seen(ages, 0).performed[ORDER], *coming]}, now=now * HOUR
            )
            less = ProfileFacts(traits={}, performed={ORDER: [*kept, *coming]}, now=now * HOUR)
            assert compiled.holds(less) == compiled.holds(everything)
            if since:
                assert compiled.holds(less.since(start * HOUR)) == compiled.holds(everything.since(start * HOUR))


@pytest.mark.parametrize("window", [{}, {"within": "1d"}])
def test_only_events_that_can_change_the_outcome_are_kept(open_with: OpenWithCondition, window: dict[str, str]) -> None:
    segment_env = open_with({"event": ORDER, "operator": "at_least", "value": 5, **window})
    for first in range(0, 300, 100):
        batch = [{"type": "track", "userId": "u1", "event": ORDER, "n": n} for n in range(first, first + 100)]
        segment_env.segment.ingest("batch", {"batch": batch})
    assert members(segment_env) == ["u1"]
    assert len(remembered(segment_env)) == 6
    segment_env.advance(days=1)
    assert (members(segment_env), len(remembered(segment_env))) == (([], 0) if window else (["u1"], 6))


def statements_of(segment_env: SegmentEnv, work: Callable[[], Any]) -> list[tuple[str, Any]]:
    """What is asked of the database meanwhile, each statement, without the names of schemas, with its parameters."""
    asked: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        asked.append((re.sub(r"\b\w+\.(segment_)", r"\1", statement), parameters))

    def prepared(connection: Any, text: str, values: Any, **options: Any) -> Any:
        # A prepared statement reaches the driver without SQLAlchemy.
        note(None, None, text, values)
        return executed(connection, text, values, **options)

    engine, executed = segment_env.sandbox.store._engine, statements._execute
    sqlalchemy.event.listen(engine, "before_cursor_execute", note)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(statements, "_execute", prepared)
        work()
    sqlalchemy.event.remove(engine, "before_cursor_execute", note)
    return asked


def test_few_events_per_span_are_kept_for_a_later_window(open_with: OpenWithCondition) -> None:
    segment_env = open_with({"event": ORDER, "between": ["1d", "2d"]})
    for _ in range(2):
        batch = [
            {"type": "track", "userId": "u1", "event": ORDER, "timestamp": f"2026-03-01T11:{n:02}:00Z"}
            for n in range(60)
        ]
        segment_env.segment.ingest("batch", {"batch": batch})
    assert len(remembered(segment_env)) == 4
    segment_env.advance(days=4)
    entered, left = (at for at, _ in turns(segment_env))
    assert (entered, left) == ("2026-03-02T11:00:00+00:00", "2026-03-03T11:59:00+00:00")


@pytest.mark.parametrize("times", [1, 50])
def test_a_clock_jump_computes_profiles_only_when_an_outcome_changes(open_with: OpenWithCondition, times: int) -> None:
    segment_env = open_with({"event": ORDER, "between": ["1d", "2d"]})
    for minutes in range(times):
        track(segment_env, timestamp=(segment_env.sandbox.clock.now() - timedelta(minutes=minutes)).isoformat())
    looked = [
        text
        for text, _ in statements_of(segment_env, lambda: segment_env.advance(days=4))
        if "FROM segment_performed" in text
    ]
    assert [entered for _, entered in turns(segment_env)] == [True, False]
    assert len([text for text in looked if text.startswith("SELECT")]) == 2


def test_a_call_applies_the_effect_of_time_once(open_with: OpenWithCondition) -> None:
    segment_env = open_with({"event": ORDER, "within": "1d"})
    for work in (
        lambda: track(segment_env),
        lambda: segment_env.segment.set_membership("vip_customers", entered=True, user_id="u1"),
    ):
        asked = statements_of(segment_env, work)
        assert len([text for text, _ in asked if "WHERE segment_due.at <=" in text]) == 1


def test_events_of_many_profiles_are_deleted_in_statements_of_bounded_size(open_with: OpenWithCondition) -> None:
    segment_env = open_with({"event": ORDER, "operator": "at_least", "value": 100, "within": "1d"})
    for user in range(12):
        batch = [{"type": "track", "userId": f"u{user}", "event": ORDER} for _ in range(100)]
        segment_env.segment.ingest("batch", {"batch": batch})
    assert len(remembered(segment_env)) == 1_200
    asked = statements_of(segment_env, lambda: segment_env.advance(days=2))
    assert remembered(segment_env) == []
    assert max(len(parameters) for text, parameters in asked if text.startswith("DELETE")) <= 512


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
