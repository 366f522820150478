"""Segment rules: what an advertiser's segment asks of a profile.

A rule is `{"field", "operator", "value"}` or `{"all": [rules]}`, `{"any": [rules]}`, `{"not": rule}`.

Fields: `email`; `marketing_status`; `segment_engage_audience_id` and `segment_engage_audience_name` (also under the
current captions' names `external_audience_id`, `external_audience_name`): the external audiences that the profile is
in; anything else is the destination key of a profile property.

Meaning, the same on every database:

- Text is compared exactly, upper and lower case apart; e-mails and marketing statuses without regard to case.
- A field with several values (audiences, STRING_LIST properties) passes when one of its values does.
- `not_equals` and `not_contains` hold exactly when `equals` and `contains` do not; so they hold for a profile that has
  no value. `not_exists` is the opposite of `exists`.
- `greater_than`, `less_than`, `at_least`, `at_most` compare NUMBER, DATE and DATETIME properties. On another declared
  type they never hold, and the segment carries a warning.
- A value is read by the property's declared type (`"500"` is a number for a NUMBER property). A stored value that was
  read under another type does not pass.
- A property that no mapping declares is compared by the type of the rule's value, with a warning.

The real service's conditions are not public; all of this is assumed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from emulator.errors import InputError, nearest
from emulator.stackadapt.rules.texts import is_storable

EMAIL = "email"
MARKETING_STATUS = "marketing_status"
AUDIENCE_ID = "segment_engage_audience_id"
AUDIENCE_NAME = "segment_engage_audience_name"
_ALIASES = {"external_audience_id": AUDIENCE_ID, "external_audience_name": AUDIENCE_NAME}

DEEPEST = 20
_MOST_TESTS = 200
_COMBINATIONS = ("all", "any", "not")
_TEST_KEYS = ("field", "operator", "value")

Scalar = str | int | float | bool


@dataclass(frozen=True, slots=True)
class Operator:
    """`value` says what the operator takes: `scalar`, `text`, `ordered` (number or text), `list` or nothing."""

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
}
ORDER_OPERATORS = frozenset(name for name, operator in OPERATORS.items() if operator.value == "ordered")
TEXT_OPERATORS = frozenset({"contains", "starts_with", "ends_with"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Test:
    """One question about one field. `value` is a scalar, a tuple for `one_of`, None where none is taken."""

    __test__ = False

    field: str
    operator: str
    value: Scalar | tuple[Scalar, ...] | None
    place: str


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
        raise InputError("this rule asks too much.", where="rule", found=tests, allowed=f"{_MOST_TESTS} tests at most")
    return rule


def _count(rule: Rule) -> int:
    if isinstance(rule, Not):
        return _count(rule.rule)
    return 1 if isinstance(rule, Test) else sum(map(_count, rule.rules))


def _parse(document: Any, place: str, depth: int) -> Rule:
    if depth > DEEPEST:
        raise InputError("this rule is nested too deeply.", where=place, allowed=f"{DEEPEST} levels at most")
    if not isinstance(document, dict):
        raise InputError(
            "a rule is an object.", where=place, found=document, allowed="field and operator, all, any, not"
        )
    combination = next((key for key in _COMBINATIONS if key in document), None)
    if combination is None:
        return _test(document, place)
    if len(document) > 1:
        extra = next(key for key in document if key != combination)
        raise InputError("nothing stands beside a combination.", where=f"{place}.{extra}", allowed=combination)
    inner, place = document[combination], f"{place}.{combination}"
    if combination == "not":
        return Not(_parse(inner, place, depth + 1))
    if not isinstance(inner, list) or not inner:
        raise InputError("this takes a list of rules.", where=place, found=inner, allowed="one rule or more")
    rules = tuple(_parse(rule, f"{place}[{index}]", depth + 1) for index, rule in enumerate(inner))
    return All(rules) if combination == "all" else AnyOf(rules)


def _test(document: Mapping[str, Any], place: str) -> Test:
    for key in document:
        if key not in _TEST_KEYS:
            known = (*_TEST_KEYS, *_COMBINATIONS)
            raise InputError(
                "a rule has no such key.",
                where=f"{place}.{key}",
                allowed=", ".join(known),
                hint=nearest(str(key), known),
            )
    field = document.get("field")
    if not isinstance(field, str) or not field or not is_storable(field):
        raise InputError("a rule needs the name of a field.", where=f"{place}.field", found=field)
    name = document.get("operator")
    operator = OPERATORS.get(name) if isinstance(name, str) else None
    if operator is None:
        raise InputError(
            "there is no such operator.",
            where=f"{place}.operator",
            found=name,
            allowed=", ".join(OPERATORS),
            hint=nearest(str(name), OPERATORS),
        )
    value = _value(document, operator, f"{place}.value")
    return Test(field=_ALIASES.get(field, field), operator=str(name), value=value, place=place)


def _value(document: Mapping[str, Any], operator: Operator, place: str) -> Scalar | tuple[Scalar, ...] | None:
    value = document.get("value")
    if operator.value is None:
        if "value" in document:
            raise InputError("this operator takes no value.", where=place, found=value)
        return None
    if operator.value == "list":
        if not isinstance(value, list) or not value or not all(map(_is_scalar, value)):
            raise InputError(
                "this operator takes a list.", where=place, found=value, allowed="texts, numbers, booleans"
            )
        return tuple(value)
    if operator.value == "text" and not (isinstance(value, str) and value and is_storable(value)):
        raise InputError("this operator takes a text.", where=place, found=value, allowed="a text that is not empty")
    if not _is_scalar(value) or (operator.value == "ordered" and isinstance(value, bool)):
        allowed = "a number or a date" if operator.value == "ordered" else "a text, a number or a boolean"
        raise InputError("this operator cannot take this value.", where=place, found=value, allowed=allowed)
    scalar: Scalar = document["value"]
    return scalar


def _is_scalar(value: Any) -> bool:
    if isinstance(value, str):
        return is_storable(value)
    return isinstance(value, bool | int | float) and math.isfinite(value) and abs(value) < 10**15
