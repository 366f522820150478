"""Whether the rows of a snapshot are such as the emulator writes: types, ranges, words, JSON and references.

Derived from the definitions of the tables (`emulator/column_rules.py`): what a column may hold is declared there once.
Without the checks an altered snapshot loads, and the first request that reads the row fails.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

from jsonschema import Draft202012Validator
from sqlalchemy import JSON, Boolean, Column, Connection, Integer, Table, select

from emulator import strict_json
from emulator.column_rules import LARGEST_ID, LARGEST_INTEGER, LATEST_MILLIS, RULE, Holds
from emulator.errors import InputError
from emulator.schemas import NESTING_LIMIT, first_mistake_of, in_words, is_deeper_than
from emulator.segment.event_contents import EVENT
from emulator.segment.event_payload import EMITTED, PAYLOAD
from emulator.segment.tables import EVENTS
from emulator.stackadapt.row_contents import INSTRUCTIONS
from emulator.stackadapt.rules.segment_rules import parse_rule
from emulator.stackadapt.tables import JOBS, SEGMENTS
from emulator.text import is_storable

_SHOWN_CHARACTERS = 80
_SHOWN_WORDS = 10
# Of one row, or of the JSON in one of its texts: more than a row of the largest request has.
_MOST_CONTAINERS = 200_000
_MOST_VALUES = 1_000_000
_EVENTS_AT_ONCE = 1_000
_ANYTHING = Holds()

Check = Callable[[Any], None]
Members = Callable[[str], Collection[str]]


class _Mistake(ValueError):
    """What is wrong with a value; `found` and `allowed` as in errors."""

    def __init__(self, message: str, found: object, allowed: str) -> None:
        super().__init__(message)
        self.found, self.allowed = found, allowed


def damaged(why: str, *, where: str = "snapshot", found: object = None, allowed: str | None = None) -> InputError:
    """The error for a snapshot that the emulator did not write."""
    hint = "Nothing was changed. Save the snapshot again."
    return InputError(f"the snapshot is damaged: {why}", where=where, found=found, allowed=allowed, hint=hint)


def json_of(text: str) -> Any:
    """The value of a line, or of JSON in a column of text. Raises ValueError and RecursionError."""
    return strict_json.parse_bounded(text, containers=_MOST_CONTAINERS, values=_MOST_VALUES)


class RowChecks:
    """Checks the rows of one table. `members_of` gives the values of an enum of StackAdapt's schema."""

    def __init__(self, table: Table, members_of: Members) -> None:
        self._table = table
        self._members_of = members_of
        self._checks = [(column.name, _check_of(column, members_of)) for column in table.columns]

    def row(self, number: int, values: Sequence[Any]) -> dict[str, Any]:
        """The values by column. Raises InputError with table, row (from 1) and column for one that cannot be."""
        if len(values) != len(self._checks):
            where = f"{self._table.name}, row {number}"
            raise damaged(
                "a row has too few or too many values", where=where, found=len(values), allowed=str(len(self._checks))
            )
        row = {}
        for (name, check), value in zip(self._checks, values, strict=True):
            with_place = f"{self._table.name}, row {number}, column {name}"
            try:
                check(value)
            except _Mistake as mistake:
                raise damaged(str(mistake), where=with_place, found=mistake.found, allowed=mistake.allowed) from None
            row[name] = value
        self._check_together(number, row)
        return row

    def _check_together(self, number: int, row: Mapping[str, Any]) -> None:
        """What one column requires of another."""
        where = f"{self._table.name}, row {number}"
        try:
            if self._table is JOBS:
                where = f"{where}, column instructions"
                _schema_check(INSTRUCTIONS[row["kind"]])(row["instructions"])
                source = row["instructions"].get("source")
                if source is not None and source not in self._members_of("Source"):
                    raise _Mistake("the source is unknown", _shown(source), "a value of the enum Source")
                if row["kind"] == "mapping" and row["mapping_id"] is None:
                    raise _Mistake("a job that activates a mapping needs its id", None, "an id of sa_mappings")
            elif self._table is SEGMENTS:
                parse_rule(row["rule"])
        except _Mistake as mistake:
            raise damaged(str(mistake), where=where, found=mistake.found, allowed=mistake.allowed) from None
        except InputError as error:
            where = f"{where}, column rule, {error.where}"
            raise damaged(error.message, where=where, found=error.found, allowed=error.allowed) from None


def check_references(connection: Connection, tables: Sequence[Table]) -> None:
    """Raises InputError when a row refers to another that does not exist."""
    by_name = {table.name: table for table in tables}
    for table in tables:
        for column, target in _references(table, by_name):
            # A table may refer to itself.
            other = target.table.alias("other").columns[target.name]
            missing = select(column).outerjoin(other.table, column == other).where(column.is_not(None), other.is_(None))
            if not column.foreign_keys:
                missing = missing.where(column != 0)
            found = connection.execute(missing.limit(1)).first()
            if found is not None:
                raise damaged(
                    "a row refers to one that does not exist",
                    where=f"{table.name}, column {column.name}",
                    found=found[0],
                    allowed=f"the {target.name} of a row of {target.table.name}",
                )


def check_events(connection: Connection) -> None:
    """Raises InputError when the parts of an event do not make one together."""
    check = _text(Holds(json=EVENT), ())
    events = select(EVENTS.c.id, PAYLOAD).select_from(EMITTED).execution_options(yield_per=_EVENTS_AT_ONCE)
    for number, payload in connection.execute(events):
        try:
            check(payload if isinstance(payload, str) else payload.decode())
        except _Mistake as mistake:
            where = f"{EVENTS.name}, id {number}, form and content"
            raise damaged(str(mistake), where=where, found=mistake.found, allowed=mistake.allowed) from None


def _references(table: Table, by_name: Mapping[str, Table]) -> Iterator[tuple[Column[Any], Column[Any]]]:
    for column in table.columns:
        for key in column.foreign_keys:
            yield column, key.column
        if name := _rule_of(column).refers_to:
            target, _, of_target = name.partition(".")
            yield column, by_name[target].columns[of_target]


def _rule_of(column: Column[Any]) -> Holds:
    rule: Holds = column.info.get(RULE, _ANYTHING)
    return rule


def _check_of(column: Column[Any], members_of: Members) -> Check:
    """The check of a column's values, by its type and its rule."""
    rule = _rule_of(column)
    if isinstance(column.type, JSON):
        inner = _schema_check(rule.json or {})
    elif isinstance(column.type, Boolean):
        inner = _boolean
    elif isinstance(column.type, Integer):
        inner = _number(column, rule)
    else:
        inner = _text(rule, members_of(rule.enum) if rule.enum else rule.words)

    def check(value: Any) -> None:
        if value is not None:
            inner(value)
        elif not column.nullable:
            raise _Mistake("a value is missing", "null", "a value")

    return check


def _boolean(value: Any) -> None:
    if not isinstance(value, bool):
        raise _Mistake("the value has another type", _shown(value), "true or false")


def _number(column: Column[Any], rule: Holds) -> Check:
    key = column.primary_key or column.foreign_keys or rule.refers_to
    is_id = isinstance(column.type, Integer) and bool(key)
    # A column without a rule of its own is an id, a time in milliseconds, or a small number.
    usual = LARGEST_ID if is_id else LATEST_MILLIS if column.type.__visit_name__ == "big_integer" else LARGEST_INTEGER
    least = rule.least if rule.least is not None else 1 if is_id and not rule.refers_to else 0
    most = rule.most if rule.most is not None else usual

    def check(value: Any) -> None:
        if not isinstance(value, int) or isinstance(value, bool):
            raise _Mistake("the value has another type", _shown(value), "an integer")
        if not least <= value <= most:
            raise _Mistake("the number is out of range", _shown(value), f"from {least} to {most}")

    return check


def _text(rule: Holds, words: Collection[str]) -> Check:
    inside = _schema_check(rule.json) if rule.json is not None else None

    def check(value: Any) -> None:
        if not isinstance(value, str):
            raise _Mistake("the value has another type", _shown(value), "text")
        if words and value not in words:
            raise _Mistake("the value is unknown", _shown(value), ", ".join(sorted(words)[:_SHOWN_WORDS]))
        if not value.isascii() and not is_storable(value.replace("\0", "")):
            raise _Mistake("the text has half of a surrogate pair", _shown(value), "whole characters")
        if inside is not None:
            try:
                content = json_of(value)
            except (ValueError, RecursionError):
                raise _Mistake("the text is not JSON", _shown(value), "JSON") from None
            inside(content)

    return check


def _schema_check(schema: Mapping[str, Any]) -> Check:
    validator = Draft202012Validator(schema)

    def check(value: Any) -> None:
        if is_deeper_than(NESTING_LIMIT, value):
            raise _Mistake("the value is nested too deeply", None, f"{NESTING_LIMIT} levels")
        if not _storable(value):
            raise _Mistake("the value cannot be stored", None, "numbers of a finite size, and whole characters")
        if not validator.is_valid(value):
            mistake = first_mistake_of(validator, value)
            message = mistake.message if mistake else "the value does not fit"
            raise _Mistake(message, _shown(value), (mistake and mistake.allowed) or "what the emulator writes there")

    return check


def _storable(value: Any) -> bool:
    if isinstance(value, str):
        return value.isascii() or is_storable(value.replace("\0", ""))
    if isinstance(value, dict):
        return all(_storable(each) for pair in value.items() for each in pair)
    if isinstance(value, list):
        return all(map(_storable, value))
    return not isinstance(value, float) or math.isfinite(value)


def _shown(value: Any) -> str:
    """A value for an error, which must not repeat a long one."""
    if isinstance(value, dict | list):
        return in_words(value)
    text = repr(value) if not isinstance(value, int) or abs(value) < 10**30 else "a number of more than 30 digits"
    return text[:_SHOWN_CHARACTERS]
