"""Rules for the options of directives, with the engine's messages."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import TypeAlias

from emulator.mapping.directives.directive import Check, Place, Rule
from emulator.mapping.engine_errors import MappingError, collected, invalid
from emulator.mapping.javascript.values import UNDEFINED, real_type_of, stringify, utf16_length

FieldRule: TypeAlias = tuple[str, Rule, bool]
"""An option's name, its rule, and whether it is required."""

_JSON_TYPES = ("directive", "object", "array", "boolean", "string", "number", "null")


def option_type(value: object) -> str:
    """The type of a value, `directive` for an object with an @-prefixed key."""
    if isinstance(value, dict) and any(key.startswith("@") for key in value):
        return "directive"
    return real_type_of(value)


def with_article(noun: str) -> str:
    """`an object`, `a string`."""
    return f"an {noun}" if noun[0] in "aeiou" else f"a {noun}"


def gather(checks: Iterable[Callable[[], None]]) -> None:
    """Runs every check and raises all their errors as one."""
    errors = []
    for check in checks:
        try:
            check()
        except MappingError as error:
            errors.append(error)
    if errors:
        raise collected(errors)


def _of_type(allowed: Iterable[str], expectation: str) -> Rule:
    allowed = tuple(allowed)

    def rule(value: object, place: Place, check: Check) -> None:
        found = option_type(value)
        if found not in allowed:
            raise invalid(place, f"should be {expectation} but it is {with_article(found)}")
        if found == "directive" or (found == "object" and "null" not in allowed):
            check(value, place)

    return rule


directive_or_json = _of_type(_JSON_TYPES, "a mapping directive or a JSON value")
directive_or_string = _of_type(("directive", "string"), "a string or a mapping directive")
directive_or_object = _of_type(("directive", "object"), "a object or a mapping directive")
a_string = _of_type(("string",), "a string")
a_boolean = _of_type(("boolean",), "a boolean")


def an_array(value: object, place: Place, _check: Check) -> None:
    """An array; its items are not checked."""
    found = real_type_of(value)
    if found != "array":
        raise invalid(place, f"should be an array but it is {with_article(found)}")


def string_of_length(shortest: int, longest: int) -> Rule:
    """A string with a length in UTF-16 units within these bounds."""

    def rule(value: object, place: Place, check: Check) -> None:
        a_string(value, place, check)
        length = utf16_length(str(value))
        if length < shortest:
            raise invalid(place, f"should be a string of length {shortest} or greater")
        if length > longest:
            raise invalid(place, f"should be a string of length {longest} or less")

    return rule


def one_of(*allowed: str) -> Rule:
    """One of these words, in any letter case."""

    def rule(value: object, place: Place, check: Check) -> None:
        a_string(value, place, check)
        if str(value).lower() not in allowed:
            raise invalid(place, f"should be one of {', '.join(allowed)} but it is {stringify(value)}")

    return rule


def fields(*rules: FieldRule) -> Rule:
    """An options object: each member a valid mapping, then each known member by its own rule, in this order."""

    def rule_of_all(options: object, place: Place, check: Check) -> None:
        found = option_type(options)
        if found != "object" or not isinstance(options, dict):
            raise invalid(place, f"should be an object but it is {with_article(found)}")
        check(options, place)
        # The engine checks nested mappings again for their fields, which takes twice as long with each level.
        gather(partial(_check_field, options, field, place, _checked_already) for field in rules)

    return rule_of_all


def _checked_already(_mapping: object, _place: Place) -> None:
    """The check of a nested mapping that has been found valid."""


def _check_field(options: Mapping[str, object], field: FieldRule, place: Place, check: Check) -> None:
    name, rule, needed = field
    value = options.get(name, UNDEFINED)
    if value is not UNDEFINED:
        rule(value, (*place, name), check)
    elif needed:
        raise invalid(place, f"should have field {stringify(name)} but it doesn't")
