"""Audiences of what people did, and when: "Engage Audiences" and the query language in Segment's documentation."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emulator.errors import UserMistake, WorkspaceError
from emulator.events import MembershipChanged
from emulator.segment.conditions.compile import compile_condition, requires
from emulator.segment.engage.event_retention import EventRetention
from emulator.segment.profiles.facts import Performed, ProfileFacts
from emulator.segment.tables import DUE, PERFORMED
from emulator.timestamps import to_millis

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
        ({"not": {"event": "e", "where": [{"property": "p", "operator": "one_of"}]}}, "c.not.where[0].value", "list"),
        ({"trait": "t", "operator": "within_last", "value": 7}, "c.value", "2d"),
        ({"trait": "t", "operator": "before_date", "value": "soon"}, "c.value", "ISO 8601"),
    ],
)
def test_a_mistake_in_a_condition_names_place_and_remedy(condition: dict[str, Any], place: str, allowed: str) -> None:
    with pytest.raises(WorkspaceError) as caught:
        compile_condition(condition, where="c")
    assert caught.value.where == place
    assert allowed in (caught.value.allowed or "")


def test_a_time_that_no_clock_can_tell_is_refused() -> None:
    with pytest.raises(UserMistake, match=r"c\.within: this is too long"):
        compile_condition({"event": "e", "within": f"{'9' * 30}d"}, where="c")


def test_no_event_says_that_somebody_has_an_email() -> None:
    exists = {"trait": "email", "operator": "exists"}
    assert not requires({"event": ORDER}, "email")
    assert requires({"all": [{"event": ORDER}, exists]}, "email")
    assert not requires({"any": [{"event": ORDER}, exists]}, "email")
    assert requires({"not": {"trait": "email", "operator": "not_exists"}}, "email")
    assert not requires({"not": exists}, "email")


def test_an_audience_that_asks_for_members_of_one_with_email_requires_it() -> None:
    exists = {"trait": "email", "operator": "exists"}
    assert requires({"audience": "reachable"}, "email", {"reachable": exists})
    assert not requires({"not": {"audience": "reachable"}}, "email", {"reachable": exists})
    assert not requires({"audience": "all"}, "email", {"all": {"trait": "x", "operator": "exists"}})


def test_each_audience_is_looked_into_once_however_many_ask_for_it() -> None:
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


@pytest.fixture
def shop(open_room: Callable[..., Any], document: dict[str, Any]) -> Callable[..., Any]:
    """Opens a room whose one audience has a condition."""

    def open_(condition: dict[str, Any], **more: Any) -> Any:
        document["audiences"][0]["condition"] = condition
        return open_room(document | more)

    return open_


def track(room: Any, user: str = "u1", event: str = ORDER, **more: Any) -> None:
    room.segment.ingest("track", {"userId": user, "event": event, **more})


def members(room: Any) -> list[str]:
    return [member["userId"] for member in room.segment.members("vip_customers")]


def turns(room: Any) -> list[tuple[str, bool]]:
    return [(change.at.isoformat(), change.entered) for change in room.heard(MembershipChanged)]


def remembered(room: Any) -> list[tuple[str, str]]:
    with room.sandbox.store.begin() as transaction:
        return [(row.event, row.properties) for row in transaction.execute(PERFORMED.select())]


def test_performing_an_event_often_enough_enters_the_audience(shop: Any) -> None:
    room = shop({"event": ORDER, "operator": "at_least", "value": 2})
    track(room)
    assert members(room) == []
    track(room)
    assert members(room) == ["u1"]
    assert [payload["type"] for payload in room.payloads()] == ["identify", "track"]


def test_at_most_is_left_by_performing_the_event(shop: Any) -> None:
    room = shop({"event": ORDER, "operator": "at_most", "value": 1})
    room.identify("u1")
    assert members(room) == ["u1"]
    track(room)
    track(room)
    assert members(room) == []


def test_page_and_screen_calls_are_events_with_the_page_s_name(shop: Any) -> None:
    room = shop(
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
    room.segment.ingest("page", {"userId": "u1", "name": "Home"})
    room.segment.ingest("page", {"userId": "u2", "name": "Pricing"})
    room.segment.ingest("screen", {"userId": "u3", "name": "Start"})
    assert members(room) == ["u2", "u3"]


def test_the_event_s_own_timestamp_counts(shop: Any) -> None:
    room = shop({"event": ORDER, "within": "7d"})
    track(room, timestamp="2026-02-20T12:00:00Z")
    assert members(room) == []
    track(room, timestamp="2026-02-27T12:00:00Z")
    assert members(room) == ["u1"]
    room.advance(days=5)
    assert members(room) == []


def test_a_window_that_slides_shut_makes_people_leave_at_that_moment(shop: Any) -> None:
    room = shop({"event": ORDER, "within": "7d"})
    track(room)
    room.advance(days=6)
    assert members(room) == ["u1"]
    room.advance(days=3)
    assert members(room) == []
    assert turns(room) == [("2026-03-01T12:00:00+00:00", True), ("2026-03-08T12:00:00+00:00", False)]
    assert room.payloads()[-1]["timestamp"] == "2026-03-08T12:00:00.000Z"


def test_not_performed_within_makes_people_enter_when_the_clock_moves(shop: Any) -> None:
    room = shop({"all": [{"event": ORDER}, {"event": ORDER, "operator": "exactly", "value": 0, "within": "30d"}]})
    track(room)
    assert members(room) == []
    room.advance(days=30)
    assert members(room) == ["u1"]
    track(room)
    assert members(room) == []


def test_a_window_in_the_past_is_entered_and_left(shop: Any) -> None:
    room = shop({"event": ORDER, "between": ["1d", "2d"]})
    track(room)
    room.advance(days=10)
    assert turns(room) == [("2026-03-02T12:00:00+00:00", True), ("2026-03-03T12:00:00+00:00", False)]


def test_a_call_finds_things_as_time_has_left_them(shop: Any) -> None:
    """Nobody looked since the window slid shut: the next call comes after the exit, and enters again."""
    room = shop({"event": ORDER, "within": "1d"})
    track(room)
    room.sandbox.clock.advance(timedelta(days=2))
    track(room)
    assert [entered for _, entered in turns(room)] == [True, False, True]


def test_dates_of_traits_come_and_go_with_the_clock(shop: Any) -> None:
    room = shop({"trait": "renewal", "operator": "within_next", "value": "7d"})
    room.identify("u1", renewal="2026-03-20T00:00:00Z")
    room.identify("u2", renewal="tomorrow")
    room.advance(days=30)
    assert turns(room) == [("2026-03-13T00:00:00+00:00", True), ("2026-03-20T00:00:00.001000+00:00", False)]


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
def test_dates_are_compared_as_documented(shop: Any, operator: str, value: str, matching: list[str]) -> None:
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
    room = shop({"trait": "d", "operator": operator, "value": value})
    for date in dates:
        room.identify(str(date), d=date)
    assert members(room) == matching


def test_a_timestamp_without_zone_is_kept_but_never_matches(shop: Any) -> None:
    room = shop({"trait": "d", "operator": "after_date", "value": "2019-01-01T00:00:00Z"})
    dates = ["2026-01-01", "20260101", "2026-W01-1", "20260101T10", "2026-01-01T00:00:00", "2026-01-01 10:00"]
    for date in dates:
        room.identify(date, d=date)
    assert [profile["traits"]["d"] for profile in room.segment.profiles()] == dates
    assert members(room) == []


def test_an_audience_can_ask_for_members_of_another(open_room: Any, document: dict[str, Any]) -> None:
    rich = document["audiences"][0]
    active = {"key": "active", "id": "aud_active", "name": "Active", "condition": {"event": ORDER, "within": "1d"}}
    both = {"all": [{"audience": "active"}, {"not": {"audience": "vip_customers"}}]}
    document["audiences"] = [{"key": "a", "id": "aud_a", "name": "A", "condition": both}, rich, active]
    room = open_room(document)
    track(room, "u1")
    assert [member["userId"] for member in room.segment.members("a")] == ["u1"]
    room.identify("u1", total_spent=900)
    assert room.segment.members("a") == []
    room.identify("u1", total_spent=1)
    room.advance(days=1)
    assert room.segment.members("a") == []
    assert [change.entered for change in room.heard(MembershipChanged) if change.audience_key == "a"] == [
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
def test_audiences_that_ask_for_each_other_or_for_nobody_are_refused(
    shop: Any, condition: dict[str, Any], message: str
) -> None:
    with pytest.raises(WorkspaceError, match=message):
        shop(condition)


def test_only_what_a_condition_asks_for_is_remembered(shop: Any) -> None:
    where = [{"property": "cart.total", "operator": "at_least", "value": 100}]
    room = shop({"event": ORDER, "where": where})
    track(room, properties={"cart": {"total": 500, "card": "4111"}, "coupon": "x"})
    track(room, properties={"cart": {"total": 5}})
    track(room, event="Other")
    assert remembered(room) == [(ORDER, '{"cart.total": 500}')]
    assert members(room) == ["u1"]


def test_an_event_is_forgotten_when_no_window_needs_it_any_more(shop: Any) -> None:
    room = shop({"any": [{"event": ORDER, "within": "1d"}, {"event": ORDER, "between": ["2d", "3d"]}]})
    track(room)
    track(room, timestamp="2026-01-01T00:00:00Z")
    assert len(remembered(room)) == 1
    room.advance(days=2)
    assert len(remembered(room)) == 1
    room.advance(days=1)
    assert remembered(room) == []
    assert [entered for _, entered in turns(room)] == [True, False, True, False]


def test_a_space_without_such_conditions_remembers_nothing(room: Any) -> None:
    room.identify("u1", total_spent=900)
    track(room)
    with room.sandbox.store.begin() as transaction:
        assert [transaction.execute(table.select()).all() for table in (PERFORMED, DUE)] == [[], []]


def test_events_of_merged_profiles_count_together(shop: Any) -> None:
    room = shop({"event": ORDER, "operator": "at_least", "value": 2, "within": "7d"})
    room.segment.ingest("track", {"anonymousId": "a", "event": ORDER})
    track(room, "u1")
    assert members(room) == []
    room.segment.ingest("identify", {"anonymousId": "a", "userId": "u1"})
    assert members(room) == ["u1"]
    room.advance(days=7)
    assert (members(room), remembered(room)) == ([], [])


def test_events_and_moments_survive_a_restart(open_room: Any, document: dict[str, Any], tmp_path: Any) -> None:
    document["audiences"][0]["condition"] = {"event": ORDER, "within": "7d"}
    track(open_room(document, store=tmp_path / "s.sqlite"))
    again = open_room(document, store=tmp_path / "s.sqlite")
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
def test_the_next_moment_is_the_one_at_which_the_answer_changes(condition: dict[str, Any], ages: list[int]) -> None:
    compiled = compile_condition(condition, where="c")
    answers = {now: compiled.holds(seen(ages, now * HOUR)) for now in range(24)}
    changes = [now * HOUR for now, answer in answers.items() if answer != answers[0]]
    assert list(compiled.moments(seen(ages, 0)) if compiled.moments else ()) == changes[:1]


@given(counted, ages, ages, st.booleans())
def test_the_events_that_are_kept_answer_as_all_of_them_would(
    condition: dict[str, Any], ages: list[int], more: list[int], since: bool
) -> None:
    """Now and at any later hour, also for those since some moment, and together with what comes in later."""
    compiled = compile_condition(condition, where="c")
    if since:
        compiled = replace(compiled, events=tuple(replace(need, since=True) for need in compiled.events))
    kept = EventRetention([compiled]).kept(ORDER, seen(ages, 0).performed[ORDER], 0)
    coming = seen(more, 0).performed[ORDER]
    for moment in (-12, -3, 0):
        for now in range(24):
            everything = ProfileFacts(
                traits={}, performed={ORDER: [*seen(ages, 0).performed[ORDER], *coming]}, now=now * HOUR
            )
            less = ProfileFacts(traits={}, performed={ORDER: [*kept, *coming]}, now=now * HOUR)
            assert compiled.holds(less) == compiled.holds(everything)
            if since:
                assert compiled.holds(less.since(moment * HOUR)) == compiled.holds(everything.since(moment * HOUR))


@pytest.mark.parametrize("window", [{}, {"within": "1d"}])
def test_no_more_events_are_kept_than_can_decide(shop: Any, window: dict[str, str]) -> None:
    room = shop({"event": ORDER, "operator": "at_least", "value": 5, **window})
    for first in range(0, 300, 100):
        batch = [{"type": "track", "userId": "u1", "event": ORDER, "n": n} for n in range(first, first + 100)]
        room.segment.ingest("batch", {"batch": batch})
    assert members(room) == ["u1"]
    assert len(remembered(room)) == 6
    room.advance(days=1)
    assert (members(room), len(remembered(room))) == (([], 0) if window else (["u1"], 6))


def statements_of(room: Any, work: Callable[[], Any]) -> list[tuple[str, Any]]:
    """What is asked of the database meanwhile, each statement, without the names of schemas, with its parameters."""
    asked: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        asked.append((re.sub(r"\b\w+\.(segment_)", r"\1", statement), parameters))

    engine = room.sandbox.store._engine
    sqlalchemy.event.listen(engine, "before_cursor_execute", note)
    work()
    sqlalchemy.event.remove(engine, "before_cursor_execute", note)
    return asked


def test_of_events_that_a_window_has_still_to_reach_a_few_for_each_span_are_kept(shop: Any) -> None:
    room = shop({"event": ORDER, "between": ["1d", "2d"]})
    for _ in range(2):
        batch = [
            {"type": "track", "userId": "u1", "event": ORDER, "timestamp": f"2026-03-01T11:{n:02}:00Z"}
            for n in range(60)
        ]
        room.segment.ingest("batch", {"batch": batch})
    assert len(remembered(room)) == 4
    room.advance(days=4)
    entered, left = (moment for moment, _ in turns(room))
    assert (entered, left) == ("2026-03-02T11:00:00+00:00", "2026-03-03T11:59:00+00:00")


@pytest.mark.parametrize("times", [1, 50])
def test_a_jump_of_the_clock_looks_at_people_only_when_an_answer_changes(shop: Any, times: int) -> None:
    room = shop({"event": ORDER, "between": ["1d", "2d"]})
    for minutes in range(times):
        track(room, timestamp=(room.sandbox.clock.now() - timedelta(minutes=minutes)).isoformat())
    looked = [text for text, _ in statements_of(room, lambda: room.advance(days=4)) if "FROM segment_performed" in text]
    assert [entered for _, entered in turns(room)] == [True, False]
    assert len([text for text in looked if text.startswith("SELECT")]) == 2


def test_a_call_lets_time_have_its_effect_once(shop: Any) -> None:
    room = shop({"event": ORDER, "within": "1d"})
    for work in (lambda: track(room), lambda: room.segment.set_membership("vip_customers", entered=True, user_id="u1")):
        asked = statements_of(room, work)
        assert len([text for text, _ in asked if "WHERE segment_due.at <=" in text]) == 1


def test_what_many_people_did_is_forgotten_in_statements_of_bounded_size(shop: Any) -> None:
    room = shop({"event": ORDER, "operator": "at_least", "value": 100, "within": "1d"})
    for user in range(12):
        batch = [{"type": "track", "userId": f"u{user}", "event": ORDER} for _ in range(100)]
        room.segment.ingest("batch", {"batch": batch})
    assert len(remembered(room)) == 1_200
    asked = statements_of(room, lambda: room.advance(days=2))
    assert remembered(room) == []
    assert max(len(parameters) for text, parameters in asked if text.startswith("DELETE")) <= 500


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
def test_a_clock_moved_at_once_or_hour_by_hour_leads_to_the_same(
    shop: Any, done: list[tuple[str, str, int]], condition: dict[str, Any]
) -> None:
    def played(hours_at_once: int) -> list[tuple[str, str, bool]]:
        room = shop(condition, journeys=[travelled])
        for kind, event, hours in done:
            if kind == "track":
                moment = room.sandbox.clock.now() + timedelta(hours=hours)
                track(room, event=event, timestamp=moment.isoformat())
            for _ in range(hours // hours_at_once if kind == "wait" else 0):
                room.advance(hours=hours_at_once)
            if kind == "wait":
                room.advance(hours=hours % hours_at_once)
        present = to_millis(room.sandbox.clock.now())
        with room.sandbox.store.begin() as transaction:
            assert all(row.at > present for row in transaction.execute(DUE.select()))
        heard = room.heard(MembershipChanged)
        return [(change.at.isoformat(), change.audience_key, change.entered) for change in heard]

    assert played(1) == played(1_000)
