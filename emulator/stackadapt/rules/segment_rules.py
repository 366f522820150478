"""Segment rules: which profiles of an advertiser belong to a segment.

A rule is `{"field", "operator", "value"}` or `{"all": [rules]}`, `{"any": [rules]}`, `{"not": rule}`. A rule about an
audience may add `"since": {"operator", "value"}` to select memberships by when they began. `FIELDS` and `OPERATORS`
list what a rule may name.

Semantics, the same on every database:

- Text comparison is case-sensitive, except for emails and marketing statuses.
- A field with several values (audiences, STRING_LIST properties) passes if one of its values does.
- `not_equals` and `not_contains` pass exactly when `equals` and `contains` do not, so also for a profile without a
  value. `not_exists` is the opposite of `exists`.
- `greater_than`, `less_than`, `at_least`, `at_most` compare NUMBER, DATE and DATETIME properties. On another declared
  type they never pass, and the segment carries a warning.
- `before`, `after` and `within_last` compare DATE and DATETIME properties, and the start of a membership, with a point
  in time. `before` and `after` take a date or a duration, which means that long ago (`"30d"`); `within_last` takes a
  duration that ends now. Now is the time of the sandbox's clock. A DATE is compared by whole days.
- A value is read by the property's declared type (`"500"` is a number for a NUMBER property). A value that was stored
  under another type does not pass.
- A property that no mapping declares is compared by the type of the rule's value, with a warning.

The real service's conditions are not public; all of this is assumed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, NamedTuple

from emulator.durations import PATTERN, parse_duration
from emulator.errors import InputError, unknown
from emulator.stackadapt.rules.values import read_value
from emulator.text import is_storable

EMAIL = "email"
MARKETING_STATUS = "marketing_status"
AUDIENCE_ID = "segment_engage_audience_id"
AUDIENCE_NAME = "segment_engage_audience_name"
AUDIENCE_FIELDS = frozenset({AUDIENCE_ID, AUDIENCE_NAME})
# Fields under the names of the service's current captions.
ALIASES = {"external_audience_id": AUDIENCE_ID, "external_audience_name": AUDIENCE_NAME}
# Fields by their captions in the service's interface. The audience fields have had two: "Segment Engage …" on the page
# of 2024, "External …" in the mappings of later clients.
LABELS = {
    "Email": EMAIL,
    "Marketing Status": MARKETING_STATUS,
    "Segment Engage Audience ID": AUDIENCE_ID,
    "Segment Engage Audience Name": AUDIENCE_NAME,
    "External Audience ID": AUDIENCE_ID,
    "External Audience Name": AUDIENCE_NAME,
}
_SEPARATORS = re.compile(r"[\s_-]+")

DEEPEST = 20
# Each is evaluated for every profile.
_MOST_TESTS = 100
# A statement of any database may have more parameters than that.
_MOST_VALUES = 10_000
_COMBINATIONS = ("all", "any", "not")
_TEST_KEYS = ("field", "operator", "value", "since")

Scalar = str | int | float | bool
Value = Scalar | tuple[Scalar, ...] | timedelta | None


class Operator(NamedTuple):
    """`value` is the kind of value that the operator takes, a key of `VALUE_KINDS`. `meaning` is for documentation."""

    value: str
    meaning: str
    opposite_of: str | None = None


SCALAR, STRING, ORDERED, ARRAY = "scalar", "string", "ordered", "array"
TIME, DURATION, NOTHING = "time", "duration", "nothing"

# What a rule's value may be, by kind, as error messages and the documentation put it.
VALUE_KINDS: Mapping[str, str] = {
    SCALAR: "a string, number or boolean",
    STRING: "a non-empty string",
    ORDERED: "a number or a date",
    ARRAY: "a non-empty array of strings, numbers or booleans",
    TIME: "a date, or a duration of at most a hundred years such as 30d",
    DURATION: "a duration of at most a hundred years such as 30d",
    NOTHING: "no value",
}

OPERATORS: Mapping[str, Operator] = {
    "equals": Operator(SCALAR, "The field has this value."),
    "not_equals": Operator(SCALAR, "The field does not have this value.", opposite_of="equals"),
    "contains": Operator(STRING, "The text contains this string."),
    "not_contains": Operator(STRING, "The text does not contain this string.", opposite_of="contains"),
    "starts_with": Operator(STRING, "The text starts with this string."),
    "ends_with": Operator(STRING, "The text ends with this string."),
    "exists": Operator(NOTHING, "The field has a value."),
    "not_exists": Operator(NOTHING, "The field has no value.", opposite_of="exists"),
    "greater_than": Operator(ORDERED, "The number or date is greater."),
    "less_than": Operator(ORDERED, "The number or date is less."),
    "at_least": Operator(ORDERED, "The number or date is greater or equal."),
    "at_most": Operator(ORDERED, "The number or date is less or equal."),
    "one_of": Operator(ARRAY, "The field has one of these values."),
    "before": Operator(TIME, "The date is earlier."),
    "after": Operator(TIME, "The date is later."),
    "within_last": Operator(DURATION, "The date is within this duration before now."),
}
ORDER_OPERATORS = frozenset(name for name, operator in OPERATORS.items() if operator.value == ORDERED)
TIME_OPERATORS = frozenset({"before", "after", "within_last"})
TEXT_OPERATORS = frozenset({"contains", "starts_with", "ends_with"})


class Field(NamedTuple):
    """A field of a rule, for documentation: its values, the operators that can pass, and an example of a rule."""

    field: str
    values: str
    operators: tuple[str, ...]
    example: Mapping[str, Any]


def _without(*names: str) -> tuple[str, ...]:
    return tuple(name for name, operator in OPERATORS.items() if not {name, operator.opposite_of} & {*names})


def _example(field: str, operator: str, value: Any, **since: Any) -> dict[str, Any]:
    return {"field": field, "operator": operator, "value": value, **since}


_OF_TEXT = _without(*ORDER_OPERATORS, *TIME_OPERATORS)
_OF_NUMBER = _without(*TEXT_OPERATORS, *TIME_OPERATORS)
_OF_BOOLEAN = _without(*TEXT_OPERATORS, *TIME_OPERATORS, *ORDER_OPERATORS)
_RECENTLY = {"operator": "within_last", "value": "30d"}

FIELDS = (
    Field(EMAIL, "a string", _OF_TEXT, _example(EMAIL, "ends_with", "@example.com")),
    Field(MARKETING_STATUS, "a `MarketingStatus`", _OF_TEXT, _example(MARKETING_STATUS, "equals", "OPTED_IN")),
    Field(AUDIENCE_ID, "ids of external audiences", _OF_TEXT, _example(AUDIENCE_ID, "equals", "aud_vip")),
    Field(
        AUDIENCE_NAME,
        "names of external audiences",
        _OF_TEXT,
        _example(AUDIENCE_NAME, "equals", "vip_customers", since=_RECENTLY),
    ),
    Field("a NUMBER property", "a number", _OF_NUMBER, _example("total_spent", "at_least", 500)),
    Field("a BOOLEAN property", "a boolean", _OF_BOOLEAN, _example("newsletter", "equals", True)),
    Field("a DATE or DATETIME property", "a date", tuple(OPERATORS), _example("birth_date", "before", "1990-01-01")),
    Field("a STRING_LIST property", "several strings", _OF_TEXT, _example("tags", "contains", "gold")),
    Field("any other property", "a string", _OF_TEXT, _example("city", "one_of", ["Toronto", "Montréal"])),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Test:
    """A test of one field.

    `value` is a scalar, a tuple for `one_of`, a timedelta for a duration, None for an operator that takes none.
    """

    __test__ = False

    field: str
    operator: str
    value: Value
    place: str
    since: Since | None = None


@dataclass(frozen=True, slots=True)
class Since:
    """When a membership began: a time operator and its value, a date as text or a duration."""

    operator: str
    value: Value


@dataclass(frozen=True, slots=True)
class All:
    """Passes if every rule passes."""

    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Passes if one of the rules passes."""

    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """Passes if the rule does not."""

    rule: Rule


Rule = Test | All | AnyOf | Not


def canonical_field(field: str) -> str:
    """The field that a name, an alias or a caption means, in any letter case and with any blanks, `_` and `-` between.

    Anything else is the key of a property, which is exact.
    """
    return _FIELD_OF_WORDS.get(_words(field), field)


def _words(name: str) -> str:
    return _SEPARATORS.sub(" ", name.strip()).casefold()


_NAMES = {name: name for name in (EMAIL, MARKETING_STATUS, AUDIENCE_ID, AUDIENCE_NAME)} | ALIASES | LABELS
_FIELD_OF_WORDS = {_words(name): field for name, field in _NAMES.items()}


def parse_rule(document: Any) -> Rule:
    """The rule in a JSON document. Raises InputError with the place, such as `rule.all[1].operator`."""
    rule = _parse(document, "rule", 1)
    tests = tests_of(rule)
    values = sum(len(test.value) for test in tests if isinstance(test.value, tuple))
    for what, found, most in (("tests", len(tests), _MOST_TESTS), ("values", values, _MOST_VALUES)):
        if found > most:
            raise InputError(f"too many {what} in one rule", where="rule", found=found, allowed=f"at most {most}")
    return rule


def tests_of(rule: Rule) -> list[Test]:
    """The tests of a rule, in the order of the document."""
    if isinstance(rule, Not):
        return tests_of(rule.rule)
    return [rule] if isinstance(rule, Test) else [test for inner in rule.rules for test in tests_of(inner)]


def _parse(document: Any, place: str, depth: int) -> Rule:
    if depth > DEEPEST:
        raise InputError("the rule is nested too deeply", where=place, allowed=f"at most {DEEPEST} levels")
    if not isinstance(document, dict):
        allowed = "an object with field and operator, or with all, any or not"
        raise InputError("invalid rule", where=place, found=document, allowed=allowed)
    combination = next((key for key in _COMBINATIONS if key in document), None)
    if combination is None:
        return _test(document, place)
    if len(document) > 1:
        extra = next(key for key in document if key != combination)
        raise InputError("`all`, `any` and `not` cannot be combined with other keys", where=f"{place}.{extra}")
    inner, place = document[combination], f"{place}.{combination}"
    if combination == "not":
        return Not(_parse(inner, place, depth + 1))
    if not isinstance(inner, list) or not inner:
        raise InputError("invalid list of rules", where=place, found=inner, allowed="an array of one rule or more")
    rules = tuple(_parse(rule, f"{place}[{index}]", depth + 1) for index, rule in enumerate(inner))
    return All(rules) if combination == "all" else AnyOf(rules)


def _test(document: Mapping[str, Any], place: str) -> Test:
    for key in document:
        if key not in _TEST_KEYS:
            raise unknown("key", key, (*_TEST_KEYS, *_COMBINATIONS), where=f"{place}.{key}")
    field = document.get("field")
    if not isinstance(field, str) or not field or not is_storable(field):
        raise InputError("a rule needs the name of a field", where=f"{place}.field", found=field)
    field = canonical_field(field)
    name = _operator(document, OPERATORS, place)
    value = _value(document, OPERATORS[name].value, f"{place}.value")
    since = _since(document["since"], field, f"{place}.since") if "since" in document else None
    return Test(field=field, operator=name, value=value, place=place, since=since)


def _operator(document: Mapping[str, Any], allowed: Collection[str], place: str) -> str:
    name = document.get("operator")
    if name is None:
        raise InputError("a rule needs an operator", where=f"{place}.operator", allowed=", ".join(allowed))
    if not isinstance(name, str) or name not in allowed:
        raise unknown("operator", name, allowed, where=f"{place}.operator")
    return name


def _since(document: Any, field: str, place: str) -> Since:
    if field not in AUDIENCE_FIELDS:
        allowed = ", ".join(sorted(AUDIENCE_FIELDS))
        raise InputError("`since` applies to memberships only", where=place, found=field, allowed=allowed)
    if not isinstance(document, dict) or document.keys() - {"operator", "value"}:
        raise InputError("invalid `since`", where=place, found=document, allowed="an object with operator and value")
    name = _operator(document, sorted(TIME_OPERATORS), place)
    return Since(name, _value(document, OPERATORS[name].value, f"{place}.value"))


def _value(document: Mapping[str, Any], kind: str, place: str) -> Value:
    value = document.get("value")
    if kind == NOTHING:
        if "value" in document:
            raise InputError("this operator takes no value", where=place, found=value)
        return None
    read: Value = None
    if kind in (TIME, DURATION):
        read = _time(value, kind, place)
    elif _IS_VALUE[kind](value):
        read = tuple(document["value"]) if kind == ARRAY else document["value"]
    if read is None:
        raise InputError("invalid value for this operator", where=place, found=value, allowed=VALUE_KINDS[kind])
    return read


def _time(value: Any, kind: str, place: str) -> str | timedelta | None:
    if isinstance(value, str) and PATTERN.fullmatch(value):
        return parse_duration(value, where=place)
    if kind == TIME and isinstance(value, str) and read_value(value, "DATETIME") is not None:
        return value
    return None


def _is_scalar(value: Any) -> bool:
    if isinstance(value, str):
        return is_storable(value)
    return isinstance(value, bool | int | float) and abs(value) < 10**15


_IS_VALUE: Mapping[str, Callable[[Any], bool]] = {
    SCALAR: _is_scalar,
    STRING: lambda value: isinstance(value, str) and bool(value) and is_storable(value),
    ORDERED: lambda value: _is_scalar(value) and not isinstance(value, bool),
    ARRAY: lambda value: isinstance(value, list) and bool(value) and all(map(_is_scalar, value)),
}
