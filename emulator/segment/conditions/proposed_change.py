"""What a profile would have to do to meet a condition: the traits to set and the events to perform.

A change is proposed for each clause that does not hold and then evaluated: only one that makes the whole condition hold
is returned.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from emulator.segment.conditions.compile import Source, compile_condition, kind_of
from emulator.segment.conditions.dates import FIXED, RELATIVE, millis_of
from emulator.segment.conditions.operators import OPERATORS
from emulator.segment.profiles.facts import Performed, ProfileFacts
from emulator.timestamps import iso_of_millis, parse_timestamp, to_millis

_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_EMAIL = "person@example.com"
_SECOND = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Traits to set, None for one to remove, and events to perform now, with their properties."""

    traits: Mapping[str, Any] = field(default_factory=dict)
    events: tuple[tuple[str, Mapping[str, Any]], ...] = ()

    def __or__(self, other: Change) -> Change:
        return Change(traits={**self.traits, **other.traits}, events=(*self.events, *other.events))

    def as_dict(self) -> dict[str, Any]:
        """The JSON form: `{"traits": {…}, "events": [{"event", "properties"}]}`."""
        events = [{"event": event, "properties": _nested(properties)} for event, properties in self.events]
        return {"traits": dict(self.traits), "events": events}


def _nested(properties: Mapping[str, Any]) -> dict[str, Any]:
    """Properties by path as an object: `shipping.city` in `shipping`."""
    nested: dict[str, Any] = {}
    for path, value in properties.items():
        *outer, last = path.split(".")
        inner = nested
        for name in outer:
            inner = inner.setdefault(name, {})
        inner[last] = value
    return nested


def change_for(condition: Source, facts: ProfileFacts) -> Change | None:
    """A change after which the condition holds; None where none was found, or none is needed."""
    compiled = compile_condition(condition, where="condition")
    if compiled.holds(facts):
        return None
    proposed = min(_proposed(condition, facts, True), key=_size, default=None)
    return proposed if proposed is not None and compiled.holds(_changed(facts, proposed)) else None


def _proposed(condition: Source, facts: ProfileFacts, wanted: bool) -> Iterator[Change]:
    """Changes that may give the condition the outcome `wanted`."""
    if compile_condition(condition, where="condition").holds(facts) == wanted:
        yield Change()
        return
    kind = kind_of(condition)
    if kind == "not":
        yield from _proposed(condition["not"], facts, not wanted)
    elif kind in ("all", "any"):
        parts = [min(_proposed(part, facts, wanted), key=_size, default=None) for part in condition[kind]]
        if (kind == "any") == wanted:
            yield from (part for part in parts if part is not None)
            return
        together = Change()
        for part in parts:
            if part is None:
                return
            together |= part
        yield together
    elif kind == "trait":
        for value in _values(condition, facts, wanted):
            yield from _checked(condition, facts, wanted, Change(traits={condition["trait"]: value}))
    elif kind == "event":
        yield from _more_events(condition, facts, wanted)


def _more_events(condition: Source, facts: ProfileFacts, wanted: bool) -> Iterator[Change]:
    """More events of the kind. Those that were performed cannot be taken back."""
    properties: dict[str, Any] = {}
    for test in condition.get("where", ()):
        value = next((value for value in _of_operator(test, facts, None) if value is not None), None)
        properties |= {} if value is None else {test["property"]: value}
    for times in range(1, condition.get("value", 1) + 2):
        change = Change(events=((condition["event"], properties),) * times)
        yield from _checked(condition, facts, wanted, change)


def _checked(condition: Source, facts: ProfileFacts, wanted: bool, change: Change) -> Iterator[Change]:
    if compile_condition(condition, where="condition").holds(_changed(facts, change)) == wanted:
        yield change


def _values(condition: Source, facts: ProfileFacts, wanted: bool) -> Iterator[Any]:
    found = facts.traits.get(condition["trait"])
    if not wanted:
        yield None
    yield from _of_operator(condition, facts, found)
    yield from (None, _EMAIL if condition["trait"] == "email" else "value")


def _of_operator(condition: Source, facts: ProfileFacts, found: Any) -> Iterator[Any]:
    """Values near the one of the condition, the most natural first; not each of them fits."""
    name, value = condition["operator"], condition.get("value")
    if name in RELATIVE or name in FIXED:
        yield from _dates(name, value, facts.now)
    elif name in OPERATORS and isinstance(value, list):
        yield from value
    elif isinstance(value, bool):
        yield from (value, not value)
    elif isinstance(value, int | float):
        if isinstance(found, str) and (number := _NUMBER.search(found)):
            yield float(number[0]) if "." in number[0] else int(number[0])
        yield from (value, value + 1, value - 1)
    elif isinstance(value, str):
        yield from (value, f"{value} other")


def _dates(name: str, value: Any, now: int) -> Iterator[str]:
    if name in FIXED:
        limit = parse_timestamp(value)
        millis = to_millis(limit) if limit else now
        yield from map(iso_of_millis, (millis - _SECOND, millis + _SECOND))
    else:
        span = millis_of(value, where="value")
        yield from map(iso_of_millis, (now, now - span, now + span))


def _changed(facts: ProfileFacts, change: Change) -> ProfileFacts:
    traits = {**facts.traits, **change.traits}
    performed = {name: list(events) for name, events in facts.performed.items()}
    for event, properties in change.events:
        performed.setdefault(event, []).append(Performed(event=event, at=facts.now, properties=properties))
    return replace(
        facts, traits={name: value for name, value in traits.items() if value is not None}, performed=performed
    )


def _size(change: Change) -> int:
    return len(change.traits) + len(change.events)
