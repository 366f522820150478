"""A segment rule as one SQL condition over `PROFILES`. What the operators mean is told in `rules/segment_rules.py`."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, false, func, not_, or_, true

from emulator.stackadapt.rules.records import encoded
from emulator.stackadapt.rules.segment_rules import (
    AUDIENCE_ID,
    AUDIENCE_NAME,
    EMAIL,
    MARKETING_STATUS,
    OPERATORS,
    ORDER_OPERATORS,
    TEXT_OPERATORS,
    All,
    Not,
    Rule,
    Scalar,
    Test,
)
from emulator.stackadapt.rules.values import BOOLEAN, KINDS, LIST, NUMBER, TEXT, read_value
from emulator.stackadapt.tables import EXTERNAL_AUDIENCES, MEMBERSHIPS, PROFILE_LIST_ITEMS, PROFILES

Condition = ColumnElement[bool]

# The kind of stored value that a declared type is compared with; the others are text.
_KIND_OF_TYPE = {"NUMBER": NUMBER, "BOOLEAN": BOOLEAN, "STRING_LIST": LIST}
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
}


@dataclass(frozen=True, slots=True)
class CompiledRule:
    """`condition` never is NULL; `warnings` tell what the author of the rule may not have meant."""

    condition: Condition
    warnings: tuple[str, ...]


def compile_rule(rule: Rule, declared: Mapping[str, str]) -> CompiledRule:
    """Compiles a rule; `declared` gives the type of every declared property by destination key."""
    warnings: list[str] = []
    condition = _condition(rule, declared, warnings)
    return CompiledRule(condition, tuple(dict.fromkeys(warnings)))


def _condition(rule: Rule, declared: Mapping[str, str], warnings: list[str]) -> Condition:
    if isinstance(rule, Test):
        opposite_of = OPERATORS[rule.operator].opposite_of
        condition = _test(rule, opposite_of or rule.operator, declared, warnings)
        return not_(condition) if opposite_of else condition
    if isinstance(rule, Not):
        return not_(_condition(rule.rule, declared, warnings))
    conditions = [_condition(inner, declared, warnings) for inner in rule.rules]
    return and_(*conditions) if isinstance(rule, All) else or_(*conditions)


def _test(test: Test, operator: str, declared: Mapping[str, str], warnings: list[str]) -> Condition:
    if test.field in (AUDIENCE_ID, AUDIENCE_NAME):
        return _audience_test(test, operator, warnings)
    if test.field in (EMAIL, MARKETING_STATUS):
        return _column_test(test, operator, warnings)
    if operator == "exists":
        return _property_exists(encoded(test.field))
    data_type = declared.get(test.field)
    if data_type is None:
        warnings.append(f"{test.place}.field: no mapping declares the property {test.field!r}.")
    if data_type in (None, _INFERRED):
        return _undeclared_test(test, operator)
    return _property_test(test, operator, str(data_type), warnings)


def _column_test(test: Test, operator: str, warnings: list[str]) -> Condition:
    if operator in ORDER_OPERATORS:
        return _never(test, "has no order", warnings)
    column = PROFILES.c.email if test.field == EMAIL else PROFILES.c.marketing_status
    folded = str.lower if test.field == EMAIL else str.upper
    texts = _texts(test.value)
    return _TESTS[operator](column, folded(texts) if isinstance(texts, str) else [folded(text) for text in texts])


def _audience_test(test: Test, operator: str, warnings: list[str]) -> Condition:
    if operator in ORDER_OPERATORS:
        return _never(test, "has no order", warnings)
    column = EXTERNAL_AUDIENCES.c.external_id if test.field == AUDIENCE_ID else EXTERNAL_AUDIENCES.c.name
    return exists().where(
        MEMBERSHIPS.c.profile_id == PROFILES.c.id,
        MEMBERSHIPS.c.active == true(),
        MEMBERSHIPS.c.audience_id == EXTERNAL_AUDIENCES.c.id,
        _TESTS[operator](column, _texts(test.value)),
    )


def _property_exists(key: str) -> Condition:
    return or_(*(PROFILES.c.properties[f"{kind}:{key}"].as_string().is_not(None) for kind in KINDS))


def _undeclared_test(test: Test, operator: str) -> Condition:
    key = encoded(test.field)
    values = test.value if isinstance(test.value, tuple) else (test.value,)
    conditions = []
    for kind in (TEXT, NUMBER, BOOLEAN):
        of_kind = [value for value in values if value is not None and _kind_of(value) == kind]
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
    return and_(column.is_not(None), _TESTS[operator](column, value))


def _texts(value: Scalar | tuple[Scalar, ...] | None) -> str | list[str]:
    return [_text(item) for item in value] if isinstance(value, tuple) else _text(value)


def _text(value: Scalar | None) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _kind_of(value: Scalar) -> str:
    if isinstance(value, bool):
        return BOOLEAN
    return TEXT if isinstance(value, str) else NUMBER


def _never(test: Test, why: str, warnings: list[str]) -> Condition:
    warnings.append(f"{test.place}.operator: {test.field!r} {why}; {test.operator} never holds.")
    return false()
