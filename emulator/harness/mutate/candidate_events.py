"""Events to try a mapping with: those of Engage, then variations of them at the boundaries of what is read, then more
at random.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from copy import deepcopy
from typing import Any, Final

from emulator.harness.mutate.sources import SOURCES, source_of
from emulator.ids import Ids

Event = dict[str, Any]

_TYPES: Final = ("identify", "track", "page", "screen", "group", "alias")
_ODD: Final[tuple[Any, ...]] = ("", 0, 42, -1.5, True, False, None, "text", "2026-02-30", [], {})
# One value in so many is odd.
_ODD_SHARE = 6


def events_around(
    bases: Sequence[Event],
    paths: Sequence[str],
    tested: Mapping[str, Sequence[Any]],
    *,
    related: Collection[str],
    seed: int,
) -> Iterator[Event]:
    """Endless variations of events by `paths` that are read, and by values that a trigger compares fields with.

    Those at `related` paths are tried one by one, with the usual fields of a type of event before unusual ones.
    """
    yield from bases
    usual = [(base, [path for path in paths if _is_usual(base, path)]) for base in bases]
    yield from _varied(usual, tested, related)
    yield from _varied([(base, paths) for base in bases], tested, related)
    yield from _at_random(bases, paths, tested, seed)


def _varied(
    bases: Sequence[tuple[Event, Sequence[str]]], tested: Mapping[str, Sequence[Any]], related: Collection[str]
) -> Iterator[Event]:
    """Each event with one path, with all of them, with all but one, and with each of the values at what is tested."""
    full = [_with_all(base, paths) for base, paths in bases]
    for base, paths in bases:
        yield from (_with_all(base, [path]) for path in paths if path in related)
    yield from full
    for event, (_, paths) in zip(full, bases, strict=True):
        yield from (_without(event, path) for path in paths if path in related)
    for event in (*(base for base, _ in bases), *full):
        for path, values in tested.items():
            yield from (_with_value(event, path, value) for value in values)
            yield _without(event, path)
        yield from ({**event, "type": other} for other in _TYPES)


def _is_usual(event: Event, path: str) -> bool:
    """Whether an event of this type has what a path leads to: an identify has no properties, any other no traits."""
    return source_of(path) != ("properties" if event.get("type") == "identify" else "traits")


def _at_random(
    bases: Sequence[Event], paths: Sequence[str], tested: Mapping[str, Sequence[Any]], seed: int
) -> Iterator[Event]:
    draw = Ids(seed).stream("events")
    while True:
        event = draw.choice(bases)
        for path in paths:
            if draw.randrange(2):
                odd = not draw.randrange(_ODD_SHARE)
                event = _with_value(event, path, draw.choice(_ODD)) if odd else _with_all(event, [path])
        for path, values in tested.items():
            if draw.randrange(2):
                event = _with_value(event, path, draw.choice(values))
        yield event


def _with_all(base: Event, paths: Sequence[str]) -> Event:
    """The event with a value at each of the paths that has none."""
    event = base
    for path in paths:
        if _at(event, path) is None:
            event = _with_value(event, path, value_at(path))
    return event


def value_at(path: str) -> Any:
    """A plausible value that says where in an event it is."""
    keys = _keys(path)
    where, name = source_of(path) or "event", keys[-1].lower()
    if path.removeprefix("$.") in SOURCES:
        return {"found_in": where}
    if "email" in name:
        return f"{where.replace('.', '-')}@example.com"
    if "birth" in name or "date" in name:
        return f"19{90 + (SOURCES.index(where) if where in SOURCES else 9)}-06-15"
    return f"{keys[-1]} of {where}"


def _with_value(base: Event, path: str, value: Any) -> Event:
    event = deepcopy(base)
    inner = event
    *way, last = _keys(path)
    for key in way:
        if not isinstance(inner.get(key), dict):
            inner[key] = {}
        inner = inner[key]
    inner[last] = value
    return event


def _without(base: Event, path: str) -> Event:
    event = deepcopy(base)
    *way, last = _keys(path)
    inner: Any = event
    for key in way:
        inner = inner.get(key) if isinstance(inner, dict) else None
    if isinstance(inner, dict):
        inner.pop(last, None)
    return event


def _at(event: Event, path: str) -> Any:
    inner: Any = event
    for key in _keys(path):
        inner = inner.get(key) if isinstance(inner, dict) else None
    return inner


def _keys(path: str) -> list[str]:
    return path.removeprefix("$.").split(".")
