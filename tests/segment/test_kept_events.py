"""Of performed events, those are stored that a condition can still need."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.segment.conditions.compile import compile_condition
from emulator.segment.engage.event_retention import EventRetention
from emulator.segment.profiles.facts import Performed, ProfileFacts
from emulator.segment.tables import DUE, PERFORMED
from tests.segment.conftest import OpenWithCondition, SegmentEnv
from tests.segment.event_conditions import HOUR, ORDER, members, remembered, track, turns


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
