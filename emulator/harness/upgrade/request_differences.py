"""How the requests and the records of two sides differ, apart from what that does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from emulator.harness.plan import ADDED, CHANGED, REMOVED
from emulator.harness.upgrade.request_parts import RequestParts
from emulator.harness.upgrade.side_runs import SentBatch, SideRun, who_of
from emulator.harness.upgrade.sides import Place
from emulator.harness.upgrade.upgrade_findings import (
    CONSENT,
    DELETION,
    EXAMPLES,
    MEMBERSHIP,
    PROPERTY,
    RECORD,
    REQUEST,
)

ORDER = "order of the root fields"
DOCUMENT = "document"
_OPTED_IN = "isOptedIn"
_IDENTIFIERS = frozenset({"email", "userId"})
_MEMBERSHIP_MEMBERS = frozenset({"action", "audienceId", "audienceName"})
_ABSENT = object()

Event = Mapping[str, Any]


@dataclass(slots=True, kw_only=True)
class Noted:
    """A difference. `concern` is the part of a profile that it can change, None for any.

    `place` and `event` are of the first case; `refused` says whether StackAdapt refuses the new request for it.
    """

    part: str
    what: str
    how: str
    concern: tuple[str, str] | None
    place: Place
    event: Event
    refused: bool = False
    count: int = 0
    examples: list[dict[str, Any]] = field(default_factory=list)


def noted(old: SideRun, new: SideRun) -> list[Noted]:
    """The differences between requests that both sides send, and between the records in them.

    Of a request that StackAdapt refuses now, they are what the refusal names: nothing else of it has an effect.
    """
    found: dict[tuple[str, str, str, bool], Noted] = {}
    for one, other in zip(old.asked, new.asked, strict=True):
        if one.parts is None or other.parts is None:
            continue
        refusal = other.refusal if one.refusal is None else None
        for part, what, how, event, example in (*_of_request(one, other), *_of_records(one, other)):
            named = refusal is not None and part == REQUEST and (what == DOCUMENT or what.rpartition(".")[2] in refusal)
            if refusal is not None and not named:
                continue
            batch = one.batch
            concern = (DELETION, "") if batch.deletes else _concern(part, what)
            first = found.setdefault(
                (part, what, how, batch.deletes),
                Noted(part=part, what=what, how=how, concern=concern, place=batch.place, event=event),
            )
            first.refused |= named
            first.count += 1
            if len(first.examples) < EXAMPLES and example not in first.examples:
                first.examples.append(example)
    return [*found.values()]


Difference = tuple[str, str, str, Event, dict[str, Any]]


def _of_request(one: SentBatch, other: SentBatch) -> Iterator[Difference]:
    assert one.parts is not None and other.parts is not None  # noqa: S101, PT018 - only these are compared
    event = one.batch.events[0]
    for what, how, example in _of_parts(one.parts, other.parts):
        yield REQUEST, what, how, event, example


def _of_parts(old: RequestParts, new: RequestParts) -> Iterator[tuple[str, str, dict[str, Any]]]:
    if old.problem != new.problem:
        yield DOCUMENT, CHANGED, {"old": old.problem or "readable", "new": new.problem or "readable"}
        return
    yield from ((name, REMOVED, {}) for name in old.fields if name not in new.fields)
    yield from ((name, ADDED, {}) for name in new.fields if name not in old.fields)
    orders = [[name for name in each.fields if name in old.fields and name in new.fields] for each in (old, new)]
    if orders[0] != orders[1]:
        yield ORDER, CHANGED, {"old": ", ".join(orders[0]), "new": ", ".join(orders[1])}
    # What is in a root field that is not in both is no difference of its own.
    both = frozenset(orders[0])
    for one, other in ((old.values, new.values), (old.columns, new.columns)):
        yield from _of_members(*({name: each[name] for name in each if _root(name) in both} for each in (one, other)))


def _root(path: str) -> str:
    return path.replace(" ", ".").partition(".")[0]


def _of_records(one: SentBatch, other: SentBatch) -> Iterator[Difference]:
    for index, event in enumerate(one.batch.events):
        old, new = one.records.get(index), other.records.get(index)
        if one.stopped[index] is not None or other.stopped[index] is not None or old == new:
            continue
        who = who_of(event)
        if old is None or new is None:
            yield RECORD, "the record", REMOVED if new is None else ADDED, event, who
            continue
        for what, how, example in _of_members(old, new):
            yield RECORD, what, how, event, {**who, **example}


def _of_members(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for name in {**old, **new}:
        before, after = old.get(name, _ABSENT), new.get(name, _ABSENT)
        if before is _ABSENT:
            yield name, ADDED, {"new": after}
        elif after is _ABSENT:
            yield name, REMOVED, {"old": before}
        elif before != after:
            yield name, CHANGED, {"old": before, "new": after}


def _concern(part: str, what: str) -> tuple[str, str] | None:
    if part == REQUEST:
        _, column, key = what.partition(" column ")
        if column:
            return PROPERTY, key
        return (CONSENT, "") if what.rpartition(".")[2] == _OPTED_IN else None
    if what in _MEMBERSHIP_MEMBERS:
        return MEMBERSHIP, ""
    return None if what in _IDENTIFIERS or what == "the record" else (PROPERTY, what)
