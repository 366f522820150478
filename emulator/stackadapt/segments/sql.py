"""Compiles a segment rule to one SQL condition over `PROFILES`. `rules/segment_rules.py` defines the operators."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, false, func, not_, or_, select, true

from emulator.clock import to_iso
from emulator.stackadapt.rules.closest import closest
from emulator.stackadapt.rules.segment_rules import (
    ALIASES,
    AUDIENCE_FIELDS,
    AUDIENCE_ID,
    AUDIENCE_NAME,
    EMAIL,
    MARKETING_STATUS,
    OPERATORS,
    ORDER_OPERATORS,
    TEXT_OPERATORS,
    TIME_OPERATORS,
    All,
    Not,
    Rule,
    Since,
    Test,
    Value,
)
from emulator.stackadapt.rules.values import BOOLEAN, KINDS, LIST, NUMBER, TEXT, encoded, read_value
from emulator.stackadapt.tables import EXTERNAL_AUDIENCES, MEMBERSHIPS, PROFILE_LIST_ITEMS, PROFILES
from emulator.text_search import contains_text
from emulator.timestamps import to_millis

Condition = ColumnElement[bool]

# The kind of stored value that a declared type is compared with; for every other type it is text.
_KIND_OF_TYPE = {"NUMBER": NUMBER, "BOOLEAN": BOOLEAN, "STRING_LIST": LIST}
_DATES = frozenset({"DATE", "DATETIME"})
_ORDERED_TYPES = frozenset({"NUMBER", "DATE", "DATETIME"})
_INFERRED = "INFERRED"
_FIXED_FIELDS = (EMAIL, MARKETING_STATUS, AUDIENCE_ID, AUDIENCE_NAME, *ALIASES)


_TESTS: Mapping[str, Callable[[Any, Any], Condition]] = {
    "equals": lambda column, value: column == value,
    "contains": contains_text,
    "starts_with": lambda column, value: func.substr(column, 1, len(value)) == value,
    "ends_with": lambda column, value: and_(
        func.length(column) >= len(value),
        func.substr(column, func.length(column) - len(value) + 1, len(value)) == value,
    ),
    "exists": lambda column, value: column.is_not(None),
    "greater_than": lambda column, value: column > value,
    "less_than": lambda column, value: column < value,
    "at_least": lambda column, value: column >= value,
    "at_most": lambda column, value: column <= value,
    "one_of": lambda column, value: column.in_(value),
    "before": lambda column, value: column < value,
    "after": lambda column, value: column > value,
    "within_last": lambda column, value: column.between(*value),
}


@dataclass(frozen=True, slots=True)
class CompiledRule:
    """`condition` is never NULL; `warnings` name parts of the rule that may not do what its author meant."""

    condition: Condition
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Context:
    """The declared types by property key, the time, and the warnings so far."""

    declared: Mapping[str, str]
    now: datetime
    warnings: list[str] = field(default_factory=list)

    def never(self, test: Test, why: str) -> Condition:
        """A condition that no profile passes, with a warning."""
        self.warnings.append(f"{test.place}.operator: {test.field!r} {why}; {test.operator} never passes")
        return false()


def compile_rule(rule: Rule, declared: Mapping[str, str], now: datetime) -> CompiledRule:
    """Compiles a rule for the time `now`; `declared` has the declared types of properties by destination key."""
    context = _Context(declared, now)
    condition = _condition(rule, context)
    return CompiledRule(condition, tuple(dict.fromkeys(context.warnings)))


def _condition(rule: Rule, context: _Context) -> Condition:
    if isinstance(rule, Test):
        opposite_of = OPERATORS[rule.operator].opposite_of
        condition = _test(rule, opposite_of or rule.operator, context)
        return not_(condition) if opposite_of else condition
    if isinstance(rule, Not):
        return not_(_condition(rule.rule, context))
    conditions = [_condition(inner, context) for inner in rule.rules]
    return and_(*conditions) if isinstance(rule, All) else or_(*conditions)


def _test(test: Test, operator: str, context: _Context) -> Condition:
    if test.field in AUDIENCE_FIELDS or test.field in (EMAIL, MARKETING_STATUS):
        if operator in ORDER_OPERATORS | TIME_OPERATORS:
            return context.never(test, "has no order")
        return (_audience_test if test.field in AUDIENCE_FIELDS else _column_test)(test, operator, context)
    data_type = context.declared.get(test.field)
    if data_type is None:
        nearest = closest(test.field, (*context.declared, *_FIXED_FIELDS))
        hint = f"; the closest field is {nearest!r}" if nearest else ""
        context.warnings.append(f"{test.place}.field: no mapping declares the property {test.field!r}{hint}")
    if operator == "exists":
        key = encoded(test.field)
        return or_(*(PROFILES.c.properties[f"{kind}:{key}"].as_string().is_not(None) for kind in KINDS))
    if operator in TIME_OPERATORS:
        return _date_test(test, operator, data_type, context)
    if data_type is None or data_type == _INFERRED:
        return _undeclared_test(test, operator)
    return _property_test(test, operator, data_type, context)


def _column_test(test: Test, operator: str, _context: _Context) -> Condition:
    column = PROFILES.c.email if test.field == EMAIL else PROFILES.c.marketing_status
    folded = str.lower if test.field == EMAIL else str.upper
    texts = _texts(test.value)
    return _TESTS[operator](column, folded(texts) if isinstance(texts, str) else [folded(text) for text in texts])


def _audience_test(test: Test, operator: str, context: _Context) -> Condition:
    column = EXTERNAL_AUDIENCES.c.external_id if test.field == AUDIENCE_ID else EXTERNAL_AUDIENCES.c.name
    audiences = select(EXTERNAL_AUDIENCES.c.id).where(_TESTS[operator](column, _texts(test.value)))
    # A list of members, read once from an index, is cheaper than a subquery for every profile.
    members = select(MEMBERSHIPS.c.profile_id).where(
        MEMBERSHIPS.c.active == true(),
        MEMBERSHIPS.c.audience_id.in_(audiences),
        _began(test.since, context.now) if test.since else true(),
    )
    return PROFILES.c.id.in_(members)


def _began(since: Since, now: datetime) -> Condition:
    """The condition on when a membership began, in the milliseconds of the table."""
    if isinstance(since.value, timedelta):
        bound = to_millis(now - since.value)
    else:
        bound = to_millis(datetime.fromisoformat(_bound(since.value, "DATETIME", now)))
    value = (bound, to_millis(now)) if since.operator == "within_last" else bound
    return _TESTS[since.operator](MEMBERSHIPS.c.changed_at, value)


def _date_test(test: Test, operator: str, data_type: str | None, context: _Context) -> Condition:
    if data_type not in _DATES:
        return context.never(test, "is not declared DATE or DATETIME")
    bound = _bound(test.value, str(data_type), context.now)
    value = (bound, _bound(timedelta(), str(data_type), context.now)) if operator == "within_last" else bound
    return _kind_test(encoded(test.field), TEXT, operator, [value])


def _bound(value: Any, data_type: str, now: datetime) -> str:
    """A date or duration of a rule, as text in the stored form of the type."""
    text = to_iso(now - value) if isinstance(value, timedelta) else value
    read = read_value(text, data_type)
    return str(read.content) if read else text


def _undeclared_test(test: Test, operator: str) -> Condition:
    """Compares stored values of the same kind as the rule's value."""
    key = encoded(test.field)
    conditions: list[Condition] = []
    for kind, of_kind in _by_kind(test.value).items():
        conditions.append(_kind_test(key, kind, operator, of_kind))
        if kind == TEXT and operator not in ORDER_OPERATORS:
            conditions.append(_kind_test(key, LIST, operator, of_kind))
    return or_(*conditions)


def _property_test(test: Test, operator: str, data_type: str, context: _Context) -> Condition:
    kind = _KIND_OF_TYPE.get(data_type, TEXT)
    if operator in ORDER_OPERATORS and data_type not in _ORDERED_TYPES:
        return context.never(test, f"is declared {data_type}, which has no order")
    if operator in TEXT_OPERATORS:
        if kind not in (TEXT, LIST):
            return context.never(test, f"is declared {data_type}, which is not text")
        return _kind_test(encoded(test.field), kind, operator, [test.value])
    values = test.value if isinstance(test.value, tuple) else (test.value,)
    of_type = "STRING" if kind == LIST else data_type
    read = [read_value(value, of_type) for value in values]
    if not all(read):
        reason = f"{test.field!r} is declared {data_type}; the value cannot be read as that type"
        context.warnings.append(f"{test.place}.value: {reason}")
    readable: list[Any] = [value.content for value in read if value]
    return _kind_test(encoded(test.field), kind, operator, readable) if readable else false()


def _kind_test(key: str, kind: str, operator: str, values: list[Any]) -> Condition:
    """Tests the stored values of one kind. `values` has one element unless the operator is `one_of`."""
    value = values if operator == "one_of" else values[0]
    if kind == LIST:
        return exists().where(
            PROFILE_LIST_ITEMS.c.profile_id == PROFILES.c.id,
            PROFILE_LIST_ITEMS.c.key == key,
            _TESTS[operator](PROFILE_LIST_ITEMS.c.value, value),
        )
    stored = PROFILES.c.properties[f"{kind}:{key}"]
    column: Any = {TEXT: stored.as_string, NUMBER: stored.as_float, BOOLEAN: stored.as_boolean}[kind]()
    # One JSON lookup instead of two: a missing property makes the comparison NULL.
    return func.coalesce(_TESTS[operator](column, value), false())


def _texts(value: Value) -> str | list[str]:
    return [_text(item) for item in value] if isinstance(value, tuple) else _text(value)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _by_kind(value: Value) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for each in value if isinstance(value, tuple) else (value,):
        kind = BOOLEAN if isinstance(each, bool) else TEXT if isinstance(each, str) else NUMBER
        found.setdefault(kind, []).append(each)
    return found
