"""The smallest change to a trigger that lets events pass, found by trying changes and evaluating each result.

`repaired_trigger` first writes the trigger as the engine reads it (see `trigger_text`), then tries changes of its
conditions, the smallest first, until the engine lets every event pass.
"""

from __future__ import annotations

import heapq
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from itertools import count
from typing import Any, TypeAlias

from emulator.harness.trigger_text import read_trigger
from emulator.harness.trigger_tree import Comparison, Correction, Item, Level, grouped, joined, mixed, quoted
from emulator.mapping import MappingError, Trigger, compile_trigger

Event: TypeAlias = Mapping[str, Any]
Accepts: TypeAlias = Callable[[Trigger, Event], bool]

# The number of triggers that are tried.
_TRIED = 600
# What a change costs: those that leave more of the trigger as it is cost less.
_REGROUPED, _SIMILAR, _ADDED_EVENT, _OTHER_JOIN, _ADDED_TYPE, _REMOVED = 2, 2, 3, 5, 7, 8
_TYPES = {"identified": "identify", "tracked": "track", "user": "identify", "event": "track"}
_LETTERS = "Values are compared letter by letter, with regard to case."
_NO_EVENT_NAME = "An identify event has no event name, so no condition on `event` can match it. "
_ONE_LEVEL = "The engine applies the last `and` or `or` of a level to the whole level."

_WRITE_OR = "write `or` instead of `and`"
_WRITE_AND = "write `and` instead of"

_Change = tuple[int, Level, Correction]


@dataclass(frozen=True, slots=True, kw_only=True)
class RepairedTrigger:
    """A trigger that the engine reads in full and that lets the events pass: `text`, ready to paste.

    `corrections` say what was wrong and what was changed; none when nothing had to be.
    """

    text: str
    corrections: tuple[Correction, ...]

    @property
    def cause(self) -> str:
        """What was wrong, in sentences."""
        return " ".join(dict.fromkeys(each.cause for each in self.corrections))

    @property
    def sentence(self) -> str:
        """What was changed: `Write = instead of is and "track" instead of "Track".`; empty for nothing."""
        changes = list(dict.fromkeys(each.change for each in self.corrections))
        text = " and ".join(filter(None, [", ".join(changes[:-1]), *changes[-1:]]))
        return f"{text[0].upper()}{text[1:]}." if text else ""

    @property
    def advice(self) -> str:
        """What was changed, and the trigger to paste."""
        return f"{self.sentence} Corrected trigger: `{self.text}`."


def matches(trigger: Trigger, event: Event) -> bool:
    """Whether the engine lets an event pass; False where it fails."""
    try:
        return trigger.matches(event)
    except MappingError:
        return False


def repaired_trigger(text: str, events: Sequence[Event], accepts: Accepts = matches) -> RepairedTrigger | None:
    """The trigger closest to `text` that lets every one of the events pass. None without events, or for none found.

    `accepts` decides whether a trigger lets an event pass.
    """

    def passes(candidate: str) -> bool:
        trigger = compile_trigger(candidate)
        return trigger.error is None and all(accepts(trigger, event) for event in events)

    if not events:
        return None
    if passes(text):
        return RepairedTrigger(text=text, corrections=())
    reading = read_trigger(text)
    if reading.tree is not None:
        spelled, spelling = _spelled(reading.tree, events)
        found = _searched(spelled, events, passes)
        if found is not None:
            tree, changes = found
            return RepairedTrigger(text=str(tree), corrections=_settled((*reading.corrections, *spelling, *changes)))
    return _rewritten(events, reading.corrections, passes)


def _spelled(tree: Level, events: Sequence[Event]) -> tuple[Level, tuple[Correction, ...]]:
    """With the values that the events have, spelled as there."""
    corrections: list[Correction] = []

    def spelled(item: Item) -> Item:
        if isinstance(item, Level):
            return Level(items=tuple(map(spelled, item.items)), joins=item.joins)
        for test, correction in _same_values(item, events):
            corrections.append(correction)
            return test
        return item

    changed = spelled(tree)
    assert isinstance(changed, Level)  # noqa: S101 - a level stays one
    return changed, tuple(corrections)


def _settled(corrections: tuple[Correction, ...]) -> tuple[Correction, ...]:
    """Without `AND` corrected to `and` where `or` is written after all."""
    capitals = [each.change.replace("`and`", "`or`", 1) for each in corrections if each.change.startswith(_WRITE_AND)]
    if not capitals or all(each.change != _WRITE_OR for each in corrections):
        return corrections
    return tuple(
        replace(each, change=capitals[0]) if each.change == _WRITE_OR or each.change.startswith(_WRITE_AND) else each
        for each in corrections
    )


def _searched(
    tree: Level, events: Sequence[Event], passes: Callable[[str], bool]
) -> tuple[Level, tuple[Correction, ...]] | None:
    """The tree with the cheapest changes that passes, and the changes."""
    order = count()
    queue: list[tuple[int, int, Level, tuple[Correction, ...]]] = [(0, next(order), tree, ())]
    seen = {str(tree)}
    for _ in range(_TRIED):
        if not queue:
            return None
        cost, _, current, made = heapq.heappop(queue)
        if passes(str(current)):
            return current, made
        for more, changed, correction in _changes(current, events):
            text = str(changed)
            if text not in seen:
                seen.add(text)
                heapq.heappush(queue, (cost + more, next(order), changed, (*made, correction)))
    return None


def _rewritten(
    events: Sequence[Event], corrections: tuple[Correction, ...], passes: Callable[[str], bool]
) -> RepairedTrigger | None:
    """A new trigger with the types of the events."""
    types = dict.fromkeys(event.get("type") for event in events)
    text = " or ".join(f"type = {quoted(str(kind))}" for kind in types)
    if not passes(text):
        return None
    causes = [each.cause for each in corrections] or ["The trigger has no condition that these events meet."]
    return RepairedTrigger(
        text=text, corrections=tuple(Correction(cause=cause, change="write a new trigger") for cause in causes)
    )


def _changes(tree: Level, events: Sequence[Event]) -> Iterator[_Change]:
    """Every single change: its cost, the changed tree, what it corrects."""
    yield from _in_level(tree, events)
    for position, item in enumerate(tree.items):
        if isinstance(item, Level):
            for cost, changed, correction in _in_level(item, events):
                yield cost, _with(tree, position, changed), correction
    yield from _regrouped(tree)
    yield from _added_types(tree, events)


def _in_level(level: Level, events: Sequence[Event]) -> Iterator[_Change]:
    for position, item in enumerate(level.items):
        if isinstance(item, Comparison):
            for cost, test, correction in _other_values(item, events):
                yield cost, _with(level, position, test), correction
        if len(level.items) > 1:
            correction = Correction(cause=_cause_of_removal(item), change=f"remove `{_shown(item)}`")
            yield _REMOVED, _without(level, position), correction
    if level.operator == "and" and len(level.items) > 1:
        nameless = any(event.get("event") is None for event in events) and any(map(_is_about_event_names, level.items))
        correction = Correction(
            cause=f"{_NO_EVENT_NAME if nameless else ''}With `and`, one event must meet every condition.",
            change=_WRITE_OR,
        )
        yield _OTHER_JOIN, joined(level.items, "or"), correction
    yield from _added_events(level, events)


def _other_values(test: Comparison, events: Sequence[Event]) -> Iterator[tuple[int, Comparison, Correction]]:
    """The test with a value that the events have, in place of a similar one."""
    if test.operator != "=":
        return
    written, known = _value_in(test), _known(test, events)
    if isinstance(written, str):
        texts = {value.lower(): value for value in known if isinstance(value, str)}
        for close in get_close_matches(written.lower(), texts, n=2, cutoff=0.6):
            yield _SIMILAR, _having(test, texts[close]), _instead(test, texts[close], None)


def _same_values(test: Comparison, events: Sequence[Event]) -> Iterator[tuple[Comparison, Correction]]:
    """The test with the spelling or type that its value has in the events."""
    written, known = _value_in(test), _known(test, events)
    if test.operator != "=" or written in known:
        return
    for value in known:
        plain = str(written).lower()
        if isinstance(value, str) and isinstance(written, str) and value.lower() in (plain, _TYPES.get(plain)):
            yield _having(test, value), _instead(test, value, _LETTERS if value.lower() == plain else None)
        elif type(value) is not type(written) and json.dumps(value).strip('"') == str(written):
            yield _having(test, value), _instead(test, value, "A number is never equal to a string.")


def _known(test: Comparison, events: Sequence[Event]) -> list[Any]:
    """The values that the events have where the test looks."""
    found = (_found(test.field, event) for event in events)
    return [value for value in dict.fromkeys(found) if value is not None]


def _having(test: Comparison, value: object) -> Comparison:
    return Comparison(field=test.field, operator=test.operator, value=json.dumps(value, ensure_ascii=False))


def _instead(test: Comparison, value: object, cause: str | None) -> Correction:
    shown = json.dumps(value, ensure_ascii=False)
    return Correction(
        cause=cause or f"No such event has `{test}`; the nearest value is {shown}.",
        change=f"write {shown} instead of {test.value}",
    )


def _added_events(level: Level, events: Sequence[Event]) -> Iterator[_Change]:
    """With another event name beside one in the level."""
    for position, item in enumerate(level.items):
        if not (isinstance(item, Comparison) and item.field == "event" and item.operator == "="):
            continue
        names = {event["event"] for event in events if isinstance(event.get("event"), str)}
        for name in sorted(names - {_value_in(each) for each in level.items if isinstance(each, Comparison)}):
            other = Comparison(field="event", operator="=", value=quoted(name))
            correction = Correction(cause=f"No condition lets the event {quoted(name)} pass.", change=f"add `{other}`")
            if level.operator == "or":
                yield _ADDED_EVENT, joined((*level.items, other), "or"), correction
            elif all(isinstance(each, Comparison) for each in level.items):
                yield _ADDED_EVENT, _with(level, position, joined((item, other), "or")), correction


def _added_types(tree: Level, events: Sequence[Event]) -> Iterator[_Change]:
    """With another type of event beside the whole."""
    for kind in dict.fromkeys(event["type"] for event in events if isinstance(event.get("type"), str)):
        other = Comparison(field="type", operator="=", value=quoted(kind))
        correction = Correction(cause=f"No condition lets {kind} events pass.", change=f"add `{other}`")
        if tree.operator == "or" or len(tree.items) == 1:
            yield _ADDED_TYPE, joined((*tree.items, other), "or"), correction
        elif all(isinstance(each, Comparison) for each in tree.items):
            yield _ADDED_TYPE, joined((tree, other), "or"), correction


def _regrouped(tree: Level) -> Iterator[_Change]:
    """With parentheses around some of the conditions of a level without any."""
    tests = tuple(item for item in tree.items if isinstance(item, Comparison))
    if len(tests) < len(tree.items):
        return
    if mixed(tree):
        parentheses = Correction(cause=_ONE_LEVEL, change="put the alternatives in parentheses")
        for inner, outer in (("or", "and"), ("and", "or")):
            yield _REGROUPED, grouped(tree, inner, outer), parentheses
    if tree.operator == "and":
        for field in dict.fromkeys(test.field for test in tests if test.operator == "="):
            same = tuple(test for test in tests if test.field == field and test.operator == "=")
            others = tuple(test for test in tests if test not in same)
            correction = Correction(
                cause=f"No event has two values of `{field}`.", change=f"write `or` between the conditions on `{field}`"
            )
            if len(same) > 1:
                yield (
                    _REGROUPED,
                    joined((joined(same, "or"), *others), "and") if others else joined(same, "or"),
                    correction,
                )


def _with(level: Level, position: int, item: Item) -> Level:
    """With another item at the position; a group of one is unwrapped."""
    if isinstance(item, Level) and len(item.items) == 1:
        item = item.items[0]
    if isinstance(item, Level) and len(level.items) == 1:
        return item
    return Level(items=(*level.items[:position], item, *level.items[position + 1 :]), joins=level.joins)


def _without(level: Level, position: int) -> Level:
    """Without the item, and without `and` or `or` on one of its sides."""
    items = (*level.items[:position], *level.items[position + 1 :])
    joins = list(level.joins)
    del joins[max(position - 1, 0)]
    if len(items) == 1 and isinstance(items[0], Level):
        return items[0]
    return Level(items=items, joins=tuple(joins))


def _cause_of_removal(item: Item) -> str:
    if _is_about_event_names(item):
        return _NO_EVENT_NAME.rstrip()
    return f"These events do not meet `{_shown(item)}`."


def _is_about_event_names(item: Item) -> bool:
    tests = item.items if isinstance(item, Level) else (item,)
    return all(isinstance(test, Comparison) and test.field == "event" for test in tests)


def _shown(item: Item) -> str:
    return f"({item})" if isinstance(item, Level) else str(item)


def _value_in(test: Comparison) -> object:
    """The value of a test: the string between its quotes, a number, or the word."""
    try:
        value: object = json.loads(test.value)
    except ValueError:
        return test.value.strip('"')
    return value


def _found(field: str, event: Event) -> Any:
    """The string, number or boolean that an event has in a field."""
    found: Any = event
    for name in field.split("."):
        found = found.get(name) if isinstance(found, Mapping) else None
    return found if isinstance(found, str | int | float) else None
