"""Conditions on what people did, and when, evaluated on facts: "Engage Audiences" and the query language in Segment's
documentation.
"""

from __future__ import annotations

from typing import Any

import pytest

from emulator.errors import UserMistake, WorkspaceError
from emulator.segment.conditions.compile import compile_condition, requires
from emulator.segment.profiles.facts import Performed, ProfileFacts
from tests.segment.event_conditions import HOUR, ORDER

DAY = 24 * HOUR
NOW = 1_000 * DAY
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
