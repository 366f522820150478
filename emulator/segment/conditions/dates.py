"""Conditions that compare a trait with a date, or with the present: then time alone can change the outcome.

"Time comparison operators" in Segment's documentation: they apply to custom traits only, read ISO 8601 timestamps with
a zone, and include both ends of a range.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from emulator.durations import PATTERN, parse_duration
from emulator.segment.conditions.condition import Condition, check_value, on_trait
from emulator.segment.profiles.facts import ProfileFacts
from emulator.timestamps import MILLISECOND, iso_of_millis, parse_timestamp, parse_zoned, to_millis

DURATION = "a duration such as 90s, 15m, 4h, 2d, 3h59m or 4 hours"
DATE = "an ISO 8601 timestamp in quotes: '2026-01-31T00:00:00Z'"


@dataclass(frozen=True, slots=True, kw_only=True)
class RelativeOperator:
    """`test(age, span)` is whether a date `age` milliseconds ago matches; a negative age is in the future.

    `span` is the value of the condition, in milliseconds. `edges(span)` are the ages at which the outcome changes.
    `needs` has places for the value and the present.
    """

    description: str
    needs: str
    test: Callable[[int, int], bool]
    edges: Callable[[int], tuple[int, ...]]
    takes: str = DURATION


@dataclass(frozen=True, slots=True, kw_only=True)
class FixedOperator:
    """`test(found, date)` is whether a date matches; both are in milliseconds since 1970.

    `needs` has a place for the date.
    """

    description: str
    needs: str
    test: Callable[[int, int], bool]
    takes: str = DATE


RELATIVE: Mapping[str, RelativeOperator] = {
    "within_last": RelativeOperator(
        description="a date at most this long ago",
        needs="at most {value} before {now}",
        test=lambda age, span: 0 <= age <= span,
        edges=lambda span: (0, span + 1),
    ),
    "within_next": RelativeOperator(
        description="a date at most this far ahead",
        needs="at most {value} after {now}",
        test=lambda age, span: -span <= age <= 0,
        edges=lambda span: (-span, 1),
    ),
    "before_last": RelativeOperator(
        description="a date at least this long ago",
        needs="at least {value} before {now}",
        test=lambda age, span: age >= span,
        edges=lambda span: (span,),
    ),
    "after_next": RelativeOperator(
        description="a date at least this far ahead",
        needs="at least {value} after {now}",
        test=lambda age, span: age <= -span,
        edges=lambda span: (1 - span,),
    ),
}
FIXED: Mapping[str, FixedOperator] = {
    "before_date": FixedOperator(
        description="an earlier date", needs="before {value}", test=lambda found, date: found < date
    ),
    "after_date": FixedOperator(
        description="a later date", needs="after {value}", test=lambda found, date: found > date
    ),
}


def compile_relative(trait: str, name: str, value: object, *, where: str) -> Condition:
    """A trait compared with the present. Raises WorkspaceError unless the value is a duration such as `7d`."""
    operator = RELATIVE[name]
    is_duration = isinstance(value, str) and PATTERN.fullmatch(value) is not None
    check_value(name, value, fits=is_duration, takes=operator.takes, where=where)
    span = millis_of(str(value), where=f"{where}.value")

    def holds(facts: ProfileFacts) -> bool:
        date = _date(facts, trait)
        return date is not None and operator.test(facts.now - date, span)

    def next_changes(facts: ProfileFacts) -> Iterator[int]:
        date = _date(facts, trait)
        if date is not None:
            yield from (date + edge for edge in operator.edges(span))

    return on_trait(trait, holds, _needs(operator.needs, value), next_changes)


def compile_fixed(trait: str, name: str, value: object, *, where: str) -> Condition:
    """A trait compared with a date. Raises WorkspaceError unless the value is a timestamp."""
    limit, operator = parse_timestamp(value), FIXED[name]
    check_value(name, value, fits=limit is not None, takes=operator.takes, where=where)
    limit_millis = to_millis(limit) if limit else 0

    def holds(facts: ProfileFacts) -> bool:
        date = _date(facts, trait)
        return date is not None and operator.test(date, limit_millis)

    return on_trait(trait, holds, _needs(operator.needs, value))


def millis_of(duration: str, *, where: str) -> int:
    """`"1h"` → 3600000. Raises InputError."""
    return parse_duration(duration, where=where) // MILLISECOND


def _date(facts: ProfileFacts, trait: str) -> int | None:
    """The trait's date in milliseconds; None, which never matches, for anything but a timestamp with a zone."""
    at = parse_zoned(facts.traits.get(trait))
    return None if at is None else to_millis(at)


def _needs(phrase: str, value: object) -> Callable[[ProfileFacts, bool], str]:
    def needs(facts: ProfileFacts, wanted: bool) -> str:
        when = phrase.format(value=value, now=iso_of_millis(facts.now))
        return f"{'' if wanted else 'anything but '}a timestamp with a time zone, {when}"

    return needs
