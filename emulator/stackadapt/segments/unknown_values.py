"""Values of a segment rule that no profile can have, with the closest known one.

The value of a rule about audiences is known when an audience or journey step of the workspace has it as id or key, or
when a record brought it, processed or not. Marketing statuses are fixed. A property may have any value: one that no
profile has gets a warning only when a similar one exists.

A rule may have thousands of values, and looking for one takes as long as reading every profile or record: only the
first `MOST_LOOKED_UP` that are not known at once are looked for, and a warning says so.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from emulator.stackadapt.ingestion.mappings import audience_keys
from emulator.stackadapt.rules.closest import closest
from emulator.stackadapt.rules.records import STATUSES
from emulator.stackadapt.rules.segment_rules import (
    AUDIENCE_FIELDS,
    AUDIENCE_ID,
    AUDIENCE_NAME,
    EMAIL,
    MARKETING_STATUS,
    OPERATORS,
    Rule,
    Test,
    tests_of,
)
from emulator.stackadapt.rules.values import TEXT, encoded, is_read_as_text
from emulator.stackadapt.tables import (
    BATCHES,
    EXTERNAL_AUDIENCES,
    PROFILE_LIST_ITEMS,
    PROFILES,
    RECORDS,
    RECORDS_OF_BATCHES,
)
from emulator.text_search import contains_text
from emulator.workspace import Workspace

_KINDS = {AUDIENCE_ID: "id", AUDIENCE_NAME: "name"}
_VERBS = {"contains": "contains", "starts_with": "starts with", "ends_with": "ends with"}
_MOST_SHOWN = 5
# How much is read to find a value: enough for any test, and bounded for a store of a million profiles.
_MOST_RECORDS = 100
_MOST_VALUES = 1_000
MOST_LOOKED_UP = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownValue:
    """A value that no profile can have: its place, the field, and the known value that is probably meant."""

    place: str
    field: str
    value: str
    nearest: str | None
    message: str

    def as_dict(self) -> dict[str, str | None]:
        """The JSON form."""
        return {"place": self.place, "field": self.field, "value": self.value, "nearest": self.nearest}


class KnownValues:
    """What is known about one advertiser, to judge the values of the rule of a segment."""

    def __init__(self, connection: Connection, workspace: Workspace, advertiser_id: str) -> None:
        self._connection = connection
        self._workspace = workspace
        self._advertiser_id = advertiser_id
        self._left = MOST_LOOKED_UP
        self._skipped = 0
        self._values: dict[tuple[str, bool], list[str]] = {}

    def unknown_in(self, rule: Rule) -> list[UnknownValue]:
        """The unknown audiences and marketing statuses of a rule."""
        return [found for test in tests_of(rule) for found in self._unknown(test)]

    def values_of(self, field: str, declared: Mapping[str, str]) -> set[str]:
        """What rules about a field may compare: audiences, statuses, or the values that profiles have in a property.

        Audiences of the newest records are among them, processed or not. Emails are not listed.
        """
        if field == MARKETING_STATUS:
            return {*STATUSES}
        if field == EMAIL:
            return set()
        if field in AUDIENCE_FIELDS:
            return {*self._audiences(field), *self._newest_audiences(field)}
        return {*self._property_values(field, is_list=declared.get(field) == "STRING_LIST")}

    def _newest_audiences(self, field: str) -> Iterator[str]:
        """Those that the newest records brought."""
        keys = audience_keys(self._connection, self._advertiser_id, of=_KINDS[field])
        query = select(RECORDS.c.raw).select_from(RECORDS_OF_BATCHES)
        query = query.where(BATCHES.c.advertiser_id == self._advertiser_id)
        for raw in self._connection.scalars(query.order_by(RECORDS.c.id.desc()).limit(_MOST_RECORDS)):
            record = json.loads(raw)
            yield from (str(record[key]) for key in keys if record.get(key))

    def skipped(self) -> list[str]:
        """A warning if the rule had more unknown values than are looked for."""
        text = (
            f"rule: {self._skipped} more values are not known at once; only the first {MOST_LOOKED_UP} were looked for"
        )
        return [text] if self._skipped else []

    def similar_in(self, rule: Rule, declared: Mapping[str, str]) -> list[str]:
        """A warning for each text that no profile has in a property, when there is a similar one."""
        fixed = {*AUDIENCE_FIELDS, EMAIL, MARKETING_STATUS}
        tests = [test for test in tests_of(rule) if test.field not in fixed and _compares(test)]
        return [warning for test in tests for warning in self._similar(test, declared.get(test.field))]

    def _unknown(self, test: Test) -> Iterator[UnknownValue]:
        if test.field == MARKETING_STATUS and _compares(test):
            for value in _texts(test):
                if value.upper() not in STATUSES and self._may_look_up():
                    yield _unknown_status(test, value)
        if test.field in AUDIENCE_FIELDS and test.value is not None and (_compares(test) or _verb(test)):
            known = self._audiences(test.field)
            for value in _missing(test, known):
                if self._may_look_up() and not self._in_a_record(value):
                    yield self._unknown_audience(test, value, known)

    def _may_look_up(self) -> bool:
        """Whether one more value may be looked for; counts those that may not."""
        if self._left:
            self._left -= 1
            return True
        self._skipped += 1
        return False

    def _audiences(self, field: str) -> list[str]:
        """Ids or names of audiences: those of the workspace first, then those that records brought."""
        column = EXTERNAL_AUDIENCES.c.external_id if field == AUDIENCE_ID else EXTERNAL_AUDIENCES.c.name
        own = select(column).where(EXTERNAL_AUDIENCES.c.advertiser_id == self._advertiser_id)
        sent = [each.id if field == AUDIENCE_ID else each.key for each in self._workspace.audiences]
        steps = [step.key for journey in self._workspace.journeys for step in journey.steps]
        return [*dict.fromkeys([*sent, *steps, *self._connection.scalars(own)])]

    def _unknown_audience(self, test: Test, value: str, known: Sequence[str]) -> UnknownValue:
        kind, verb = _KINDS[test.field], _verb(test)
        other, meant = self._meant(test.field, value)
        nearest = meant or closest(value, known)
        has = f"a{'n' if kind == 'id' else ''} {kind} that {verb}" if verb else f"the {kind}"
        if meant is not None:
            message = f"{value!r} is the {other} of an audience; records carry its {kind} {meant!r}"
        elif nearest is not None:
            message = f"no record and no audience of the workspace has {has} {value!r}; the closest is {nearest!r}"
        else:
            listed = ", ".join(map(repr, known[:_MOST_SHOWN])) or "none"
            message = f"no record and no audience of the workspace has {has} {value!r}; known: {listed}"
        return _found(test, value, nearest, message)

    def _meant(self, field: str, value: str) -> tuple[str, str | None]:
        """What else a value is of an audience, such as its title, and the value that the field compares."""
        for audience in self._workspace.audiences:
            compared = audience.id if field == AUDIENCE_ID else audience.key
            for other, text in (("title", audience.name), ("name", audience.key), ("id", audience.id)):
                if value == text:
                    return other, compared
        for journey in self._workspace.journeys:
            for step in journey.steps:
                if value == step.name:
                    return "title", step.key
        return "", None

    def _in_a_record(self, value: str) -> bool:
        """Whether a record of the advertiser brought the value as an audience, even if it is not processed yet."""
        contains = contains_text(RECORDS.c.raw, json.dumps(value)[1:-1])
        query = select(RECORDS.c.raw).select_from(RECORDS_OF_BATCHES)
        query = query.where(BATCHES.c.advertiser_id == self._advertiser_id, contains).limit(_MOST_RECORDS)
        keys = audience_keys(self._connection, self._advertiser_id)
        records = [json.loads(raw) for raw in self._connection.scalars(query)]
        return any(str(record.get(key)) == value for record in records for key in keys)

    def _similar(self, test: Test, data_type: str | None) -> Iterator[str]:
        is_list = data_type == "STRING_LIST"
        if not is_list and not is_read_as_text(data_type or "STRING"):
            return
        present = self._present(test.field, _texts(test), is_list=is_list)
        for value in _texts(test):
            if value in present or not self._may_look_up():
                continue
            nearest = closest(value, self._property_values(test.field, is_list=is_list))
            if nearest is not None:
                yield f"{test.place}.value: no profile has the {test.field} {value!r}; the closest is {nearest!r}"

    def _present(self, field: str, values: Sequence[str], *, is_list: bool) -> set[str]:
        """Those of the values that a profile has."""
        column = _column(field, is_list=is_list)
        query = self._profiles_with(field, column, is_list=is_list).where(column.in_(values))
        return {*self._connection.scalars(query.distinct())}

    def _property_values(self, field: str, *, is_list: bool) -> list[str]:
        if (field, is_list) not in self._values:
            query = self._profiles_with(field, _column(field, is_list=is_list), is_list=is_list)
            found = self._connection.scalars(query.distinct().limit(_MOST_VALUES))
            self._values[field, is_list] = [str(value) for value in found]
        return self._values[field, is_list]

    def _profiles_with(self, field: str, column: Any, *, is_list: bool) -> Any:
        query = select(column).where(PROFILES.c.advertiser_id == self._advertiser_id, column.is_not(None))
        if is_list:
            items = PROFILE_LIST_ITEMS.c
            query = query.where(items.profile_id == PROFILES.c.id, items.key == encoded(field))
        return query


def _column(field: str, *, is_list: bool) -> Any:
    return PROFILE_LIST_ITEMS.c.value if is_list else PROFILES.c.properties[f"{TEXT}:{encoded(field)}"].as_string()


def _positive(test: Test) -> str:
    """The operator, or the one that it negates."""
    return OPERATORS[test.operator].opposite_of or test.operator


def _compares(test: Test) -> bool:
    return _positive(test) in ("equals", "one_of")


def _verb(test: Test) -> str | None:
    return _VERBS.get(_positive(test))


def _texts(test: Test) -> list[str]:
    values = test.value if isinstance(test.value, tuple) else (test.value,)
    return [value if isinstance(value, str) else json.dumps(value) for value in values]


def _missing(test: Test, known: Sequence[str]) -> Iterator[str]:
    """The values of a test that no known text passes."""
    operator, every = _positive(test), frozenset(known)
    for value in _texts(test):
        if operator == "contains":
            passes = any(value in each for each in known)
        elif operator == "starts_with":
            passes = any(each.startswith(value) for each in known)
        elif operator == "ends_with":
            passes = any(each.endswith(value) for each in known)
        else:
            passes = value in every
        if not passes:
            yield value


def _unknown_status(test: Test, value: str) -> UnknownValue:
    nearest = closest(value, STATUSES)
    hint = f"the closest is {nearest!r}" if nearest else f"known: {', '.join(STATUSES)}"
    return _found(test, value, nearest, f"{value!r} is no marketing status; {hint}")


def _found(test: Test, value: str, nearest: str | None, message: str) -> UnknownValue:
    place = f"{test.place}.value"
    return UnknownValue(place=place, field=test.field, value=value, nearest=nearest, message=f"{place}: {message}")
