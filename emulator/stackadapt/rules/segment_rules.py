"""Segment rules: what an advertiser's segment asks of a profile.

A rule is `{"field", "operator", "value"}` or `{"all": [rules]}`, `{"any": [rules]}`, `{"not": rule}`. A rule about
audiences may ask with `"since": {"operator", "value"}` for memberships that began at a certain time.

Fields: `email`; `marketing_status`; `segment_engage_audience_id` and `segment_engage_audience_name` (also under the
current captions' names `external_audience_id`, `external_audience_name`): the external audiences that the profile is
in; anything else is the destination key of a profile property.

Meaning, the same on every database:

- Text is compared exactly, upper and lower case apart; emails and marketing statuses without regard to case.
- A field with several values (audiences, STRING_LIST properties) passes when one of its values does.
- `not_equals` and `not_contains` hold exactly when `equals` and `contains` do not; so they hold for a profile that has
  no value. `not_exists` is the opposite of `exists`.
- `greater_than`, `less_than`, `at_least`, `at_most` compare NUMBER, DATE and DATETIME properties. On another declared
  type they never hold, and the segment carries a warning.
- `before`, `after` and `within_last` compare DATE and DATETIME properties, and the beginning of a membership, with
  moments. The value of `before` and `after` is a date or a duration, which means so long ago (`"30d"`); `within_last`
  takes a duration and ends with the present. The present is the sandbox's clock. Of a DATE whole days are compared.
- A value is read by the property's declared type (`"500"` is a number for a NUMBER property). A stored value that was
  read under another type does not pass.
- A property that no mapping declares is compared by the type of the rule's value, with a warning.

The real service's conditions are not public; all of this is assumed.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from emulator.durations import parse_duration
from emulator.errors import InputError, nearest
from emulator.stackadapt.rules.texts import is_storable
from emulator.stackadapt.rules.values import read_value

EMAIL = "email"
MARKETING_STATUS = "marketing_status"
AUDIENCE_ID = "segment_engage_audience_id"
AUDIENCE_NAME = "segment_engage_audience_name"
AUDIENCE_FIELDS = frozenset({AUDIENCE_ID, AUDIENCE_NAME})
_ALIASES = {"external_audience_id": AUDIENCE_ID, "external_audience_name": AUDIENCE_NAME}

DEEPEST = 20
_MOST_TESTS = 200
_COMBINATIONS = ("all", "any", "not")
_TEST_KEYS = ("field", "operator", "value", "since")
_LONGEST = timedelta(days=36_525)
_DURATION = re.compile(r"\d+(?:\.\d+)?[smhd]", re.ASCII)

Scalar = str | int | float | bool
Value = Scalar | tuple[Scalar, ...] | timedelta | None


@dataclass(frozen=True, slots=True)
class Operator:
    """`value` says what the operator takes: `scalar`, `text`, `ordered` (number or text), `list`, `moment` (a date or a
    duration), `duration` or nothing.
    """

    value: str | None
    opposite_of: str | None = None


OPERATORS: Mapping[str, Operator] = {
    "equals": Operator("scalar"),
    "not_equals": Operator("scalar", opposite_of="equals"),
    "contains": Operator("text"),
    "not_contains": Operator("text", opposite_of="contains"),
    "starts_with": Operator("text"),
    "ends_with": Operator("text"),
    "exists": Operator(None),
    "not_exists": Operator(None, opposite_of="exists"),
    "greater_than": Operator("ordered"),
    "less_than": Operator("ordered"),
    "at_least": Operator("ordered"),
    "at_most": Operator("ordered"),
    "one_of": Operator("list"),
    "before": Operator("moment"),
    "after": Operator("moment"),
    "within_last": Operator("duration"),
}
ORDER_OPERATORS = frozenset(name for name, operator in OPERATORS.items() if operator.value == "ordered")
TIME_OPERATORS = frozenset({"before", "after", "within_last"})
TEXT_OPERATORS = frozenset({"contains", "starts_with", "ends_with"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Test:
    """One question about one field.

    `value` is a scalar, a tuple for `one_of`, a timedelta for a duration, None where none is taken.
    """

    __test__ = False

    field: str
    operator: str
    value: Value
    place: str
    since: Since | None = None


@dataclass(frozen=True, slots=True)
class Since:
    """When a membership began: a time operator and its moment, as text or so long ago."""

    operator: str
    value: Value


@dataclass(frozen=True, slots=True)
class All:
    """Every one of the rules holds."""

    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """One of the rules holds."""

    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The rule does not hold."""

    rule: Rule


Rule = Test | All | AnyOf | Not


def parse_rule(document: Any) -> Rule:
    """The rule of a JSON document. Raises InputError that names the place, such as `rule.all[1].operator`."""
    rule = _parse(document, "rule", 1)
    tests = _count(rule)
    if tests > _MOST_TESTS:
        raise InputError("this rule asks too much", where="rule", found=tests, allowed=f"{_MOST_TESTS} tests at most")
    return rule


def _count(rule: Rule) -> int:
    if isinstance(rule, Not):
        return _count(rule.rule)
    return 1 if isinstance(rule, Test) else sum(map(_count, rule.rules))


def _parse(document: Any, place: str, depth: int) -> Rule:
    if depth > DEEPEST:
        raise InputError("this rule is nested too deeply", where=place, allowed=f"{DEEPEST} levels at most")
    if not isinstance(document, dict):
        raise InputError(
            "a rule is an object", where=place, found=document, allowed="field and operator, all, any, not"
        )
    combination = next((key for key in _COMBINATIONS if key in document), None)
    if combination is None:
        return _test(document, place)
    if len(document) > 1:
        extra = next(key for key in document if key != combination)
        raise InputError("nothing stands beside a combination", where=f"{place}.{extra}", allowed=combination)
    inner, place = document[combination], f"{place}.{combination}"
    if combination == "not":
        return Not(_parse(inner, place, depth + 1))
    if not isinstance(inner, list) or not inner:
        raise InputError("this takes a list of rules", where=place, found=inner, allowed="one rule or more")
    rules = tuple(_parse(rule, f"{place}[{index}]", depth + 1) for index, rule in enumerate(inner))
    return All(rules) if combination == "all" else AnyOf(rules)


def _test(document: Mapping[str, Any], place: str) -> Test:
    for key in document:
        if key not in _TEST_KEYS:
            known = (*_TEST_KEYS, *_COMBINATIONS)
            raise InputError(
                "a rule has no such key",
                where=f"{place}.{key}",
                allowed=", ".join(known),
                hint=nearest(str(key), known),
            )
    field = document.get("field")
    if not isinstance(field, str) or not field or not is_storable(field):
        raise InputError("a rule needs the name of a field", where=f"{place}.field", found=field)
    field = _ALIASES.get(field, field)
    name = _operator(document, OPERATORS, place)
    value = _value(document, OPERATORS[name], f"{place}.value")
    since = _since(document["since"], field, f"{place}.since") if "since" in document else None
    return Test(field=field, operator=name, value=value, place=place, since=since)


def _operator(document: Mapping[str, Any], allowed: Collection[str], place: str) -> str:
    name = document.get("operator")
    if not isinstance(name, str) or name not in allowed:
        raise InputError(
            "there is no such operator",
            where=f"{place}.operator",
            found=name,
            allowed=", ".join(allowed),
            hint=nearest(str(name), allowed),
        )
    return name


def _since(document: Any, field: str, place: str) -> Since:
    if field not in AUDIENCE_FIELDS:
        allowed = ", ".join(sorted(AUDIENCE_FIELDS))
        raise InputError("only a membership has a beginning", where=place, found=field, allowed=allowed)
    if not isinstance(document, dict) or document.keys() - {"operator", "value"}:
        raise InputError("this is no time", where=place, found=document, allowed="an operator and a value")
    name = _operator(document, sorted(TIME_OPERATORS), place)
    return Since(name, _value(document, OPERATORS[name], f"{place}.value"))


def _value(document: Mapping[str, Any], operator: Operator, place: str) -> Value:
    value = document.get("value")
    if operator.value in ("moment", "duration"):
        return _moment(value, operator, place)
    if operator.value is None:
        if "value" in document:
            raise InputError("this operator takes no value", where=place, found=value)
        return None
    if operator.value == "list":
        if not isinstance(value, list) or not value or not all(map(_is_scalar, value)):
            raise InputError("this operator takes a list", where=place, found=value, allowed="texts, numbers, booleans")
        return tuple(value)
    if operator.value == "text" and not (isinstance(value, str) and value and is_storable(value)):
        raise InputError("this operator takes a text", where=place, found=value, allowed="a text that is not empty")
    if not _is_scalar(value) or (operator.value == "ordered" and isinstance(value, bool)):
        allowed = "a number or a date" if operator.value == "ordered" else "a text, a number or a boolean"
        raise InputError("this operator cannot take this value", where=place, found=value, allowed=allowed)
    scalar: Scalar = document["value"]
    return scalar


def _moment(value: Any, operator: Operator, place: str) -> str | timedelta:
    if isinstance(value, str) and _DURATION.fullmatch(value) and len(value) < 12:
        duration = parse_duration(value, where=place)
        if duration <= _LONGEST:
            return duration
    elif operator.value == "moment" and isinstance(value, str) and read_value(value, "DATETIME") is not None:
        return value
    allowed = "a duration such as 30d, a hundred years at most"
    if operator.value == "moment":
        allowed += ", or a date"
    raise InputError("this operator cannot take this value", where=place, found=value, allowed=allowed)


def _is_scalar(value: Any) -> bool:
    if isinstance(value, str):
        return is_storable(value)
    return isinstance(value, bool | int | float) and math.isfinite(value) and abs(value) < 10**15
