"""Why a generation treats an event in another way: which field, default or behaviour makes the difference."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from graphql import DocumentNode, validate

from emulator.harness.upgrade.request_parts import Record, read_request
from emulator.harness.upgrade.sides import DELETIONS, Place, Side
from emulator.stackadapt.graphql.schema import API_VERSIONS, executable_schema

_ABSENT = object()
_SHOWN_CHARACTERS = 160


class Reason(NamedTuple):
    """A cause as a clause, and what to do as a sentence."""

    cause: str
    advice: str | None


class Causes:
    """Asks both sides: an event is run again with one mapping field changed, and what then differs is the cause."""

    def __init__(self, old: Side, new: Side) -> None:
        self._old, self._new = old, new
        self._of_members: dict[tuple[Place, str], Reason] = {}

    def gaps(self, place: Place) -> list[Reason]:
        """What the new generation needs, and the instance or the saved mapping does not have."""
        return [*self._gaps(place)]

    def of_refusal(self, document: DocumentNode | None) -> str | None:
        """What to do about a request that StackAdapt refuses."""
        if document is None:
            return None
        fitting = [version for version in API_VERSIONS if not validate(executable_schema(version), document)]
        if fitting:
            return f"API version {max(fitting)} of StackAdapt accepts it: set apiVersion in the workspace."
        return "No known API version of StackAdapt accepts it: ask StackAdapt before the upgrade."

    def of_member(self, place: Place, event: Mapping[str, Any], member: str) -> Reason:
        """Why the records of a subscription differ in a member, as those of an event do."""
        if (place, member) not in self._of_members:
            wanted = self._record(self._old, place, event)
            self._of_members[place, member] = (
                self._by_default(place, event, member, wanted)
                or self._by_origin(place, event, member, wanted)
                or Reason(f"{self._new.name} writes {member!r} in another way", None)
            )
        return self._of_members[place, member]

    def _gaps(self, place: Place) -> Iterator[Reason]:
        destination, subscription = place
        if subscription == DELETIONS:
            yield from self._setting_gaps(destination)
            return
        new, action = self._new.generations[destination], self._new.action(place)
        if action not in new.content["actions"]:
            known = ", ".join(new.content["actions"])
            yield Reason(
                f"{new.name} has no action {action!r}",
                f"Replace the subscription {subscription!r} by one with an action of {new.name}: {known}.",
            )
        yield from self._setting_gaps(destination)
        for key, field in new.fields(action).items():
            if field.get("required") and key not in self._new.mappings[place]:
                yield Reason(
                    f"{new.name} requires the mapping field {key!r}, which the saved mapping does not have",
                    f"Map {key} in {subscription!r}{_proposal(field)}.",
                )

    def _setting_gaps(self, destination: str) -> Iterator[Reason]:
        new, settings = self._new.generations[destination], self._new.settings(destination)
        for key, setting in new.content["settings"].items():
            if setting.get("required") and not settings.get(key):
                yield Reason(
                    f"{new.name} requires the setting {key!r}, which the instance does not have",
                    f"Set {key} in the settings of {destination!r}.",
                )

    def _by_default(self, place: Place, event: Mapping[str, Any], member: str, wanted: Record | None) -> Reason | None:
        """A mapping field that the new mapping has otherwise, with which the records would not differ."""
        before, after = self._old.mappings[place], self._new.mappings[place]
        fields = self._new.generations[place[0]].fields(self._new.action(place))
        tried = [
            (key, value)
            for key in {**before, **after}
            if before.get(key, _ABSENT) != after.get(key, _ABSENT)
            for value in ([before[key]] if key in before else [*fields.get(key, {}).get("choices", ()), _ABSENT])
            if value != after.get(key, _ABSENT)
        ]
        mappings = [_changed(after, key, value) for key, value in tried]
        for (key, value), record in zip(tried, self._records(self._new, place, event, mappings), strict=True):
            if record is not None and _same(record, wanted, member):
                return Reason(
                    f"the mapping field {key!r} is {_shown(after.get(key))} by the defaults of {self._new.name}, "
                    f"and was {_shown(before[key]) if key in before else 'not in the mapping'}",
                    f"Leave {key} out of {place[1]!r}."
                    if value is _ABSENT
                    else f"Set {key} to {_shown(value)} in {place[1]!r}.",
                )
        return None

    def _by_origin(self, place: Place, event: Mapping[str, Any], member: str, wanted: Record | None) -> Reason | None:
        """The mapping field that the member comes from, on the side that has it."""
        there = wanted is not None and member in wanted
        side, other = (self._old, self._new) if there else (self._new, self._old)
        mapping, record = side.mappings[place], wanted if there else self._record(self._new, place, event)
        without = [_changed(mapping, key, _ABSENT) for key in mapping]
        for key, found in zip(mapping, self._records(side, place, event, without), strict=True):
            # Without a required field there is no record.
            if key != member if found is None else _same(found, record, member):
                continue
            fields = other.generations[place[0]].fields(other.action(place))
            if key in fields:
                return Reason(f"{self._new.name} writes {key!r} of the mapping in another way", None)
            new_fields = self._new.generations[place[0]].fields(self._new.action(place))
            offered = ", ".join(each for each in new_fields if each not in self._old.mappings[place])
            return Reason(
                f"it comes from the mapping field {key!r}, which {other.name} does not have",
                f"Map it in {place[1]!r} by a field of {self._new.name}: {offered}." if there and offered else None,
            )
        return None

    def _record(self, side: Side, place: Place, event: Mapping[str, Any]) -> Record | None:
        return self._records(side, place, event, [side.mappings[place]])[0]

    def _records(
        self, side: Side, place: Place, event: Mapping[str, Any], mappings: Sequence[Mapping[str, Any]]
    ) -> list[Record | None]:
        """The record of the event under each mapping; None where there is none."""
        outcomes = side.generations[place[0]].run([side.case(place, [event], mapping) for mapping in mappings])
        return [
            next(iter(read_request(outcome["requests"][0]["body"]).records), None) if outcome.get("requests") else None
            for outcome in outcomes
        ]


def _changed(mapping: Mapping[str, Any], key: str, value: Any) -> dict[str, Any]:
    rest = {name: kept for name, kept in mapping.items() if name != key}
    return rest if value is _ABSENT else {**rest, key: value}


def _same(one: Record, other: Record | None, member: str) -> bool:
    return bool(one.get(member, _ABSENT) == (other or {}).get(member, _ABSENT))


def _proposal(field: Mapping[str, Any]) -> str:
    if field.get("choices"):
        return f": {' or '.join(map(str, field['choices']))}"
    return f", by default {_shown(field['default'])}" if field.get("default") is not None else ""


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}…"
