"""A segment rule as one SQL condition over `PROFILES`. What the operators mean is told in `rules/segment_rules.py`."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, false, func, not_, or_, select, true

from emulator.clock import to_iso
from emulator.stackadapt.rules.records import encoded
from emulator.stackadapt.rules.segment_rules import (
    AUDIENCE_FIELDS,
    AUDIENCE_ID,
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
from emulator.stackadapt.rules.values import BOOLEAN, KINDS, LIST, NUMBER, TEXT, read_value
from emulator.stackadapt.tables import EXTERNAL_AUDIENCES, MEMBERSHIPS, PROFILE_LIST_ITEMS, PROFILES
from emulator.timestamps import to_millis

Condition = ColumnElement[bool]

# The kind of stored value that a declared type is compared with; the others are text.
_KIND_OF_TYPE = {"NUMBER": NUMBER, "BOOLEAN": BOOLEAN, "STRING_LIST": LIST}
_DATES = frozenset({"DATE", "DATETIME"})
_ORDERED_TYPES = frozenset({"NUMBER", "DATE", "DATETIME"})
_INFERRED = "INFERRED"

_TESTS: Mapping[str, Callable[[Any, Any], Condition]] = {
    "equals": lambda column, value: column == value,
    "contains": lambda column, value: func.replace(column, value, "") != column,
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
    """`condition` never is NULL; `warnings` tell what the author of the rule may not have meant."""

    condition: Condition
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Surroundings:
    """What a rule is compiled against, and what is odd about it."""

    declared: Mapping[str, str]
    now: datetime
    warnings: list[str]


def compile_rule(rule: Rule, declared: Mapping[str, str], now: datetime) -> CompiledRule:
    """Compiles a rule as it stands at `now`; `declared` gives the type of declared properties by destination key."""
    around = _Surroundings(declared, now, [])
    condition = _condition(rule, around)
    return CompiledRule(condition, tuple(dict.fromkeys(around.warnings)))


def _condition(rule: Rule, around: _Surroundings) -> Condition:
    if isinstance(rule, Test):
        opposite_of = OPERATORS[rule.operator].opposite_of
        condition = _test(rule, opposite_of or rule.operator, around)
        return not_(condition) if opposite_of else condition
    if isinstance(rule, Not):
        return not_(_condition(rule.rule, around))
    conditions = [_condition(inner, around) for inner in rule.rules]
    return and_(*conditions) if isinstance(rule, All) else or_(*conditions)


def _test(test: Test, operator: str, around: _Surroundings) -> Condition:
    if test.field in AUDIENCE_FIELDS:
        return _audience_test(test, operator, around)
    if test.field in (EMAIL, MARKETING_STATUS):
        return _column_test(test, operator, around.warnings)
    data_type = around.declared.get(test.field)
    if data_type is None:
        around.warnings.append(f"{test.place}.field: no mapping declares the property {test.field!r}.")
    if operator == "exists":
        return _property_exists(encoded(test.field))
    if operator in TIME_OPERATORS:
        return _date_test(test, operator, data_type, around)
    if data_type in (None, _INFERRED):
        return _undeclared_test(test, operator)
    return _property_test(test, operator, str(data_type), around.warnings)


def _date_test(test: Test, operator: str, data_type: str | None, around: _Surroundings) -> Condition:
    if data_type not in _DATES:
        return _never(test, "is not declared DATE or DATETIME", around.warnings)
    bound = _bound(test.value, str(data_type), around.now)
    value = (bound, _bound(timedelta(), str(data_type), around.now)) if operator == "within_last" else bound
    return _kind_test(encoded(test.field), TEXT, operator, [value])


def _bound(value: Any, data_type: str, now: datetime) -> str:
    """A moment of a rule, as text in the form in which properties of the type are kept."""
    text = to_iso(now - value) if isinstance(value, timedelta) else value
    read = read_value(text, data_type)
    return str(read.content) if read else text


def _began(since: Since, now: datetime) -> Condition:
    """The condition that a membership began then, in milliseconds as the table keeps them."""
    if isinstance(since.value, timedelta):
        bound = to_millis(now - since.value)
    else:
        bound = to_millis(datetime.fromisoformat(_bound(since.value, "DATETIME", now)))
    value = (bound, to_millis(now)) if since.operator == "within_last" else bound
    return _TESTS[since.operator](MEMBERSHIPS.c.changed_at, value)


def _column_test(test: Test, operator: str, warnings: list[str]) -> Condition:
    if operator in ORDER_OPERATORS | TIME_OPERATORS:
        return _never(test, "has no order", warnings)
    column = PROFILES.c.email if test.field == EMAIL else PROFILES.c.marketing_status
    folded = str.lower if test.field == EMAIL else str.upper
    texts = _texts(test.value)
    return _TESTS[operator](column, folded(texts) if isinstance(texts, str) else [folded(text) for text in texts])


def _audience_test(test: Test, operator: str, around: _Surroundings) -> Condition:
    if operator in ORDER_OPERATORS | TIME_OPERATORS:
        return _never(test, "has no order", around.warnings)
    column = EXTERNAL_AUDIENCES.c.external_id if test.field == AUDIENCE_ID else EXTERNAL_AUDIENCES.c.name
    # A list of members, read once from an index, costs less than a question for every profile.
    members = select(MEMBERSHIPS.c.profile_id).where(
        MEMBERSHIPS.c.active == true(),
        MEMBERSHIPS.c.audience_id.in_(
            select(EXTERNAL_AUDIENCES.c.id).where(_TESTS[operator](column, _texts(test.value)))
        ),
        _began(test.since, around.now) if test.since else true(),
    )
    return PROFILES.c.id.in_(members)


def _property_exists(key: str) -> Condition:
    return or_(*(PROFILES.c.properties[f"{kind}:{key}"].as_string().is_not(None) for kind in KINDS))


def _undeclared_test(test: Test, operator: str) -> Condition:
    key = encoded(test.field)
    values = test.value if isinstance(test.value, tuple) else (test.value,)
    conditions: list[Condition] = []
    for kind in (TEXT, NUMBER, BOOLEAN):
        of_kind = [value for value in values if _kind_of(value) == kind]
        if of_kind:
            conditions.append(_kind_test(key, kind, operator, of_kind))
            if kind == TEXT and operator not in ORDER_OPERATORS:
                conditions.append(_kind_test(key, LIST, operator, of_kind))
    return or_(*conditions)


def _property_test(test: Test, operator: str, data_type: str, warnings: list[str]) -> Condition:
    kind = _KIND_OF_TYPE.get(data_type, TEXT)
    if operator in ORDER_OPERATORS and data_type not in _ORDERED_TYPES:
        return _never(test, f"is declared {data_type} and has no order", warnings)
    if operator in TEXT_OPERATORS:
        if kind not in (TEXT, LIST):
            return _never(test, f"is declared {data_type} and is no text", warnings)
        return _kind_test(encoded(test.field), kind, operator, [test.value])
    values = test.value if isinstance(test.value, tuple) else (test.value,)
    of_type = "STRING" if kind == LIST else data_type
    read = [read_value(value, of_type) for value in values]
    if not all(read):
        warnings.append(f"{test.place}.value: {test.field!r} is declared {data_type}; the value cannot be read so.")
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
    # One look into the JSON instead of two: a property that is not there makes the comparison NULL.
    return func.coalesce(_TESTS[operator](column, value), false())


def _texts(value: Value) -> str | list[str]:
    return [_text(item) for item in value] if isinstance(value, tuple) else _text(value)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _kind_of(value: Any) -> str:
    if isinstance(value, bool):
        return BOOLEAN
    return TEXT if isinstance(value, str) else NUMBER


def _never(test: Test, why: str, warnings: list[str]) -> Condition:
    warnings.append(f"{test.place}.operator: {test.field!r} {why}; {test.operator} never holds.")
    return false()
