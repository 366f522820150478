"""Which events must be stored because a condition may count them, and for how long.

Page and screen calls count as the events `Page Viewed` and `Screen Viewed`, with their name as the property `page_name`
or `screen_name` ("Engage Audiences").
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from emulator.segment.conditions.condition import Condition, EventRequirement
from emulator.segment.profiles.facts import Performed
from emulator.segment.tracking.calls import Call
from emulator.timestamps import to_millis

# "Unify product limits": conditions evaluate the events of three years.
HISTORY_MILLIS = 3 * 365 * 24 * 60 * 60 * 1000

_VIEWS = {"page": ("Page Viewed", "page_name"), "screen": ("Screen Viewed", "screen_name")}


class EventRetention:
    """What the conditions of a space require of events, by event name. False when they require none.

    With `everything`, all events are kept, for conditions that come later.
    """

    def __init__(self, conditions: Iterable[Condition], *, everything: bool = False) -> None:
        self._everything = everything
        self._required: dict[str, list[EventRequirement]] = {}
        for condition in conditions:
            for requirement in condition.events:
                self._required.setdefault(requirement.event, []).append(requirement)

    def __bool__(self) -> bool:
        return self._everything or bool(self._required)

    def performed(self, call: Call) -> Performed | None:
        """The event in a call, with the properties that conditions refer to; None when no condition may count it."""
        event = event_of(call)
        if event is None or not (self._everything or event[0] in self._required):
            return None
        name, properties = event
        if self._everything:
            found = dict(_by_path(properties))
        else:
            paths = frozenset[str]().union(*(requirement.properties for requirement in self._required[name]))
            found = {path: value for path in paths if (value := _value_at(properties, path)) is not None}
        received_at = to_millis(call.received_at)
        if to_millis(call.timestamp) <= received_at - HISTORY_MILLIS:
            return None
        done = Performed(event=name, at=to_millis(call.timestamp), properties=found)
        return done if self.kept(name, [done], received_at) else None

    def kept(self, event: str, performed: Sequence[Performed], now: int) -> list[Performed]:
        """Those of a profile's events of one name that a condition may still count, in the same order."""
        if self._everything:
            return [done for done in performed if done.at > now - HISTORY_MILLIS]
        requirements = self._required.get(event, ())
        kept = {id(done) for requirement in requirements for done in requirement.relevant(performed, now)}
        return [done for done in performed if id(done) in kept]


def event_of(call: Call) -> tuple[str, Mapping[str, Any]] | None:
    """Name and properties of the event in a call; None for an identify, group or alias call."""
    given = call.message.get("properties") or {}
    if call.type == "track":
        return call.message["event"], given
    if call.type in _VIEWS:
        event, name = _VIEWS[call.type]
        return event, {**given, name: call.message.get("name")}
    return None


def _by_path(properties: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    """Every property by its path, those within others too."""
    for name, value in properties.items():
        if value is None:
            continue
        yield f"{before}{name}", value
        if isinstance(value, Mapping):
            yield from _by_path(value, f"{before}{name}.")


def _value_at(properties: Mapping[str, Any], path: str) -> Any:
    found: Any = properties
    for name in path.split("."):
        found = found.get(name) if isinstance(found, Mapping) else None
    return found
