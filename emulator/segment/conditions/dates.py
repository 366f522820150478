"""Conditions that compare a trait with a date, or with the present: then time alone can change the outcome.

"Time comparison operators" in Segment's documentation of audiences and query language: they hold for custom traits
only, read ISO 8601 timestamps with a zone, and both ends of a range are in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from emulator.durations import PATTERN, parse_duration
from emulator.segment.conditions.condition import Condition, check_value
from emulator.segment.profiles.facts import ProfileFacts
from emulator.timestamps import MILLISECOND, parse_moment, parse_zoned, to_millis

DURATION = "a duration: 90s, 15m, 4h or 2d"


@dataclass(frozen=True, slots=True, kw_only=True)
class RelativeOperator:
    """`test(age, span)` judges a date that was `age` milliseconds ago; a negative age is still to come.

    `span` is what the condition gives, in milliseconds. `edges(span)` are the ages at which the outcome changes.
    """

    test: Callable[[int, int], bool]
    edges: Callable[[int], tuple[int, ...]]


RELATIVE: Mapping[str, RelativeOperator] = {
    "within_last": RelativeOperator(test=lambda age, span: 0 <= age <= span, edges=lambda span: (0, span + 1)),
    "within_next": RelativeOperator(test=lambda age, span: -span <= age <= 0, edges=lambda span: (-span, 1)),
    "before_last": RelativeOperator(test=lambda age, span: age >= span, edges=lambda span: (span,)),
    "after_next": RelativeOperator(test=lambda age, span: age <= -span, edges=lambda span: (1 - span,)),
}
FIXED: Mapping[str, Callable[[int, int], bool]] = {
    "before_date": lambda found, date: found < date,
    "after_date": lambda found, date: found > date,
}


def compile_relative(trait: str, operator: str, value: object, *, where: str) -> Condition:
    """A trait against the present. Raises WorkspaceError unless the value is a duration such as `7d`."""
    is_duration = isinstance(value, str) and PATTERN.fullmatch(value) is not None
    check_value(operator, value, fits=is_duration, takes=DURATION, where=where)
    span, rule = millis_of(str(value), where=f"{where}.value"), RELATIVE[operator]

    def holds(known: ProfileFacts) -> bool:
        date = _date(known, trait)
        return date is not None and rule.test(known.now - date, span)

    def moments(known: ProfileFacts) -> Iterator[int]:
        date = _date(known, trait)
        if date is not None:
            yield from (date + edge for edge in rule.edges(span))

    return Condition(holds=holds, moments=moments)


def compile_fixed(trait: str, operator: str, value: object, *, where: str) -> Condition:
    """A trait against a date. Raises WorkspaceError unless the value is a timestamp."""
    limit, compare = parse_moment(value), FIXED[operator]
    takes = "an ISO 8601 timestamp in quotes: '2026-01-31T00:00:00Z'"
    check_value(operator, value, fits=limit is not None, takes=takes, where=where)
    limit_millis = to_millis(limit) if limit else 0

    def holds(known: ProfileFacts) -> bool:
        date = _date(known, trait)
        return date is not None and compare(date, limit_millis)

    return Condition(holds=holds)


def millis_of(duration: str, *, where: str) -> int:
    """`"1h"` → 3600000. Raises InputError."""
    return parse_duration(duration, where=where) // MILLISECOND


def _date(known: ProfileFacts, trait: str) -> int | None:
    """What is no timestamp with a zone is no date, and never matches."""
    moment = parse_zoned(known.traits.get(trait))
    return None if moment is None else to_millis(moment)
