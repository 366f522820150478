"""Conditions on events: performed a number of times, within a window of time, with certain properties.

"Engage Audiences" and the query language in Segment's documentation: `within` counts events of the last days, `between`
those of a window further back, both by the event's timestamp. Not performed is `exactly` 0 times. Property tests take
the operators of traits except those that compare dates.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from emulator.errors import WorkspaceError
from emulator.segment.conditions.clause import Clause, times
from emulator.segment.conditions.condition import Condition, EventRequirement, check_value
from emulator.segment.conditions.dates import millis_of
from emulator.segment.conditions.operators import OPERATORS
from emulator.segment.profiles.facts import Performed, ProfileFacts, Window


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """`test(count, value)` is whether an event was performed often enough; `needs` says so, `denied` the opposite."""

    test: Callable[[int, int], bool]
    needs: Callable[[int], str]
    denied: Callable[[int], str]


COUNTS: Mapping[str, Count] = {
    "at_least": Count(
        test=lambda count, value: count >= value,
        needs=lambda value: f"at least {times(value)}",
        denied=lambda value: f"at most {times(value - 1)}",
    ),
    "at_most": Count(
        test=lambda count, value: count <= value,
        needs=lambda value: f"at most {times(value)}",
        denied=lambda value: f"at least {times(value + 1)}",
    ),
    "exactly": Count(
        test=lambda count, value: count == value,
        needs=lambda value: f"exactly {times(value)}",
        denied=lambda value: f"not exactly {times(value)}",
    ),
}

Filter = Callable[[Performed], bool]


def compile_event(condition: Mapping[str, Any], *, where: str) -> Condition:
    """The condition on an event. Raises WorkspaceError for a window that ends before it starts, or a bad filter."""
    event, operator = condition["event"], COUNTS[condition.get("operator", "at_least")]
    value, window = condition.get("value", 1), _window(condition, where)
    compare = operator.test
    tests = condition.get("where", ())
    filters = tuple(_filter(test, f"{where}.where[{position}]") for position, test in enumerate(tests))

    def accepts(done: Performed) -> bool:
        return all(passes(done) for passes in filters)

    def matching(facts: ProfileFacts) -> Iterator[Performed]:
        return (done for done in facts.performed.get(event, ()) if accepts(done))

    def counted(facts: ProfileFacts) -> int:
        return sum(_is_in(window, facts.now - done.at) for done in matching(facts))

    def holds(facts: ProfileFacts) -> bool:
        return compare(counted(facts), value)

    def next_changes(facts: ProfileFacts) -> Iterator[int]:
        count, present = counted(facts), holds(facts)
        for at, change in _changes(window, matching(facts), facts.now):
            count += change
            if compare(count, value) != present:
                yield at
                return

    return Condition(
        holds=holds,
        explain=_explained(condition, operator, counted),
        next_changes=next_changes if window else None,
        events=(
            EventRequirement(
                event=event,
                properties=frozenset(test["property"] for test in tests),
                accepts=accepts,
                window=window,
                # No comparison tells one more than the value from a hundred more.
                most=value + 1,
            ),
        ),
    )


def _explained(
    condition: Mapping[str, Any], operator: Count, counted: Callable[[ProfileFacts], int]
) -> Callable[[ProfileFacts, bool], Clause]:
    event, value, which = condition["event"], condition.get("value", 1), _which(condition)

    def explain(facts: ProfileFacts, wanted: bool) -> Clause:
        count = counted(facts)
        # Of more events than decide the outcome, only so many are stored.
        found = times(count) if count <= value else f"more than {times(value)}"
        needs = operator.needs(value) if wanted else operator.denied(value)
        return Clause(
            text=f"{event} performed{which} needs {needs}",
            passed=operator.test(count, value) == wanted,
            found=found,
            needs=needs,
            state=f"{event} was performed {found}{which}",
        )

    return explain


def _is_in(window: Window, age: int) -> bool:
    """Whether an event of this age counts. It leaves a window when it reaches the window's age."""
    return window is None or window[0] <= age < window[1]


def _changes(window: Window, performed: Iterable[Performed], now: int) -> Iterator[tuple[int, int]]:
    """When events will come into the window or leave it, each with the change of their count."""
    nearer, further = window or (0, 0)
    changes: Counter[int] = Counter()
    for done in performed:
        changes[done.at + nearer] += 1
        changes[done.at + further] -= 1
    return ((at, changes[at]) for at in sorted(changes) if at > now)


def _window(condition: Mapping[str, Any], where: str) -> Window:
    if "within" in condition and "between" in condition:
        raise WorkspaceError(
            "an event has one window", where=where, found="within and between", allowed="within, or between"
        )
    if "within" in condition:
        return 0, millis_of(condition["within"], where=f"{where}.within")
    if "between" in condition:
        nearer, further = (millis_of(text, where=f"{where}.between") for text in condition["between"])
        if nearer >= further:
            raise WorkspaceError(
                "the window ends before it starts",
                where=f"{where}.between",
                found=condition["between"],
                allowed="the shorter time first: [30d, 90d] is 30 to 90 days ago",
            )
        return nearer, further
    return None


def _which(condition: Mapping[str, Any]) -> str:
    """Which events count, in words: ` in the last 30d with total: a number ≥ 5`; empty for all of them."""
    window = ""
    if "within" in condition:
        window = f" in the last {condition['within']}"
    elif "between" in condition:
        nearer, further = condition["between"]
        window = f" between {nearer} and {further} ago"
    tests = [
        f"{test['property']}: {OPERATORS[test['operator']].needs(test.get('value'))}"
        for test in condition.get("where", ())
    ]
    return window + (f" with {' and '.join(tests)}" if tests else "")


def _filter(test: Mapping[str, Any], where: str) -> Filter:
    operator, value, path = OPERATORS[test["operator"]], test.get("value"), test["property"]
    check_value(test["operator"], value, fits=operator.fits(value), takes=operator.takes, where=where)
    return lambda done: operator.test(done.properties.get(path), value)
