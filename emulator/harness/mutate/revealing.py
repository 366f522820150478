"""Finds an event that a workspace and its mutation make different documents of."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, Final

from emulator.harness.mutate.candidate_events import Event, events_around, value_at
from emulator.harness.mutate.mutation import Document, Mutation
from emulator.harness.mutate.shrinking import shrunk
from emulator.harness.sample_events import sample_calls
from emulator.harness.subscription_context import SAMPLE_TIME
from emulator.harness.trigger_conditions import Tree, conditions_of
from emulator.ids import Ids
from emulator.mapping import EngineError, Trigger
from emulator.segment.delivery.subscriptions import definition_of, delivery_targets
from emulator.segment.engage.audience_events import AudienceEvent, audience_events
from emulator.segment.engage.journey_events import step_events
from emulator.segment.engage.routes import audience_routes, step_routes
from emulator.segment.profiles.profile import EMAIL, USER_ID, Profile, Progress
from emulator.text import excerpts
from emulator.workspace import Destination, parse_workspace

EVENTS: Final = 500
_PROGRESS: Final = Progress(epoch_id="sample", entered_at=0, joined_at=0)
_EMAILS: Final = ("first@example.com", "last@example.com")
_NOTHING: Final = "nothing is sent"
_READ: Final = re.compile(r"(?:\$\.|\{\{\{?\s*)([\w.-]+)")
_SHOWN_KEYS = 3
_AROUND = 40
_LONGEST = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Revealing:
    """An event, and how what the destination sends for it differs, in words."""

    event: Mapping[str, Any]
    difference: str


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What a subscription makes of an event: a document with its records, or a message."""

    text: str
    records: tuple[Mapping[str, Any], ...] = ()

    @property
    def said(self) -> str:
        if not self.records:
            return self.text
        record = _json(self.records[0])
        return f"{record if len(record) <= _LONGEST else f'{record[:_LONGEST]}…'}"


class _Side:
    """One destination instance of a workspace."""

    def __init__(self, document: Document, position: int) -> None:
        self._workspace = parse_workspace(document)
        self.destination: Destination = self._workspace.destinations[position]
        self.targets = {
            target.name: target.subscription
            for target in delivery_targets(self._workspace)
            if target.destination.name == self.destination.name
        }

    @property
    def triggers(self) -> Iterator[Trigger]:
        return (each.trigger for each in self.targets.values())

    def outcomes(self, event: Event) -> dict[str, _Outcome]:
        """By the names of the mappings that are on, without those that the event does not meet the trigger of."""
        found = {name: _outcome(each, event, self.destination.masked) for name, each in self.targets.items()}
        return {name: each for name, each in found.items() if each is not None}

    def of_engage(self, *, every: bool = False) -> list[Event]:
        """What Engage sends here when a person with every trait and two addresses enters and leaves.

        `every` is as if Send Track and Send Identify were on.
        """
        names = {self.destination.name: definition_of(self.destination).name}
        sent: list[AudienceEvent] = []
        for entered in (True, False):
            for audience in audience_routes(self._workspace, names):
                connection = audience.connection
                person = _person(connection.traits)
                if every:
                    audience = replace(audience, connection=replace(connection, send_track=True, send_identify=True))
                sent += audience_events(audience, person, entered=entered, at=SAMPLE_TIME, ids=Ids(0))
            for step in step_routes(self._workspace, names):
                person = _person(step.connection.traits)
                sent += step_events(step, person, _PROGRESS, entered=entered, at=SAMPLE_TIME, ids=Ids(0))
        return [dict(each.payload) for each in sent]


def revealing(mutation: Mutation, document: Document, *, events: int = EVENTS, seed: int = 1) -> Revealing | None:
    """The first of a number of events that differs between a workspace and its mutation; None for none.

    One of which a document is made comes before those that only have another message.
    """
    changed = mutation.applied(document)
    if changed is None:
        return None
    position = int(mutation.path[1])
    one, other = _Side(document, position), _Side(changed, position)
    sent, sent_otherwise = one.of_engage(), other.of_engage()
    only_one = _sent_by_one(one, sent, sent_otherwise, "sent only before the change: {}") or _sent_by_one(
        other, sent_otherwise, sent, "sent only after the change: {}"
    )
    if only_one:
        return only_one
    paths, tested = _paths(document, changed, position), _tested([*one.triggers, *other.triggers])
    refused: Revealing | None = None
    known = {_without_id(each) for each in sent}
    others = [each for each in one.of_engage(every=True) if _without_id(each) not in known]
    related = {path for text in _texts([mutation.old, mutation.new]) for path in _paths_of(text)}
    tried = events_around([*sent, *others, *sample_calls()], paths, tested, related=related, seed=seed)
    for event in islice(tried, events):
        before, after = one.outcomes(event), other.outcomes(event)
        if before != after:
            found = _shown(event, one, other)
            if any(each.records for each in (*before.values(), *after.values())):
                return found
            refused = refused or found
    return refused


def _shown(event: Event, one: _Side, other: _Side) -> Revealing:
    """The event without what does not matter, and the difference."""
    wanted = _sort_of_difference(event, one, other)
    smaller = shrunk(event, lambda each: _sort_of_difference(each, one, other) == wanted)
    return Revealing(event=smaller, difference=_difference(*_differing(smaller, one, other)))


def _sort_of_difference(event: Event, one: _Side, other: _Side) -> object:
    """What has to stay as it is: the keys with their values, or which of the two sends a document."""
    before, after = _differing(event, one, other)
    if before and after and before.records and after.records:
        return _difference(before, after)
    return [each and (each.records[0].get("action") if each.records else each.text) for each in (before, after)]


def _differing(event: Event, one: _Side, other: _Side) -> tuple[_Outcome | None, _Outcome | None]:
    """What the first mapping makes of an event that makes something else of it; nothing where none does."""
    before, after = one.outcomes(event), other.outcomes(event)
    pairs = ((before.get(name), after.get(name)) for name in {**before, **after})
    return next((pair for pair in pairs if pair[0] != pair[1]), (None, None))


def _sent_by_one(side: _Side, sent: list[Event], others: list[Event], text: str) -> Revealing | None:
    """The first event that only one of the two is sent by Engage, and makes a document of."""
    known = {_without_id(each) for each in others}
    for event in sent:
        if _without_id(event) not in known and (said := _said(side, event)):
            return Revealing(event=shrunk(event, lambda each: _said(side, each) == said), difference=text.format(said))
    return None


def _said(side: _Side, event: Event) -> str | None:
    """What the first mapping sends that sends anything."""
    return next((each.said for each in side.outcomes(event).values() if each.records), None)


def _without_id(event: Event) -> str:
    return _json({name: value for name, value in event.items() if name != "messageId"})


def _outcome(subscription: Any, event: Event, masked: Callable[[str], str]) -> _Outcome | None:
    if subscription.trigger.error is None and not _matches(subscription.trigger, event):
        return None
    try:
        prepared = subscription.prepare([event], batch=False)
    except EngineError as error:
        return _Outcome(f"fails: {masked(error.message)}")
    if prepared.document is None:
        return _Outcome(f"{_NOTHING}: {prepared.events[0].message}")
    return _Outcome(prepared.document.text, tuple(prepared.records))


def _matches(trigger: Trigger, event: Event) -> bool:
    try:
        return trigger.matches(event)
    except EngineError:
        # Preparing it fails with the same error.
        return True


def _difference(before: _Outcome | None, after: _Outcome | None) -> str:
    """What differs, a line: keys of the record with their values, or what is sent or not."""
    if before and after and before.records and after.records and before.records != after.records:
        one, other = before.records[0], after.records[0]
        keys = [key for key in {**one, **other} if one.get(key) != other.get(key)]
        return ", ".join(f"{key}: {_value(one, key)} → {_value(other, key)}" for key in keys[:_SHOWN_KEYS])
    if before and after and before.records == after.records:
        return " → ".join(excerpts(" ".join(before.text.split()), " ".join(after.text.split()), _AROUND))
    return " → ".join(each.said if each else f"{_NOTHING}: the trigger does not match" for each in (before, after))


def _value(record: Mapping[str, Any], key: str) -> str:
    return _json(record[key]) if key in record else "nothing"


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


def _paths(document: Document, changed: Document, position: int) -> list[str]:
    """What the mappings of both workspaces read, in their order."""
    found: dict[str, None] = {}
    for each in (document, changed):
        for target in delivery_targets(parse_workspace(each)):
            if target.destination.name == document["destinations"][position]["name"]:
                found |= dict.fromkeys(_paths_in(target))
    return [path for path in found if path not in ("type", "messageId")]


def _paths_in(target: Any) -> Iterator[str]:
    action = target.subscription.action
    stored = next(each for each in target.destination.subscriptions if each.name == target.name)
    mapping = stored.mapping_over(action.default_mapping() if action else {})
    for text in _texts(mapping):
        yield from _paths_of(text)


def _paths_of(text: str) -> Iterator[str]:
    """What a path or a template reads."""
    return (match.rstrip(".") for match in _READ.findall(text))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping | list | tuple):
        for each in value.values() if isinstance(value, Mapping) else value:
            yield from _texts(each)


def _tested(triggers: list[Trigger]) -> dict[str, list[Any]]:
    """The fields that triggers test, each with values on both sides of what it is compared with."""
    found: dict[str, list[Any]] = {}
    for trigger in triggers:
        tree = conditions_of(trigger).tree
        for condition in _conditions(tree) if tree else ():
            field = ".".join(filter(None, (condition["field"], condition.get("name"))))
            values = found.setdefault(field, [])
            values += [each for each in _around_value(condition.get("value")) if each not in values]
    return found


def _conditions(tree: Tree) -> Iterator[Tree]:
    for each in tree["conditions"]:
        yield from _conditions(each) if "conditions" in each else (each,)


def _around_value(value: Any) -> list[Any]:
    if isinstance(value, bool) or value is None:
        return ["text", True, False, None]
    if isinstance(value, int | float):
        number = int(value) if float(value).is_integer() else value
        return [number, number - 1, number + 1]
    return [value, f"{value} other", f"other {value}"]


def _person(traits: Mapping[str, str]) -> Profile:
    identifiers = {(EMAIL, each): position for position, each in enumerate(_EMAILS, start=2)}
    return Profile(
        key=None,
        created_at=0,
        identifiers={(USER_ID, "u1"): 1, **identifiers},
        traits={name: value_at(f"$.traits.{name}") for name in traits},
    )
