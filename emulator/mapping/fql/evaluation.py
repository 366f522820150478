"""Evaluation of condition trees. Nothing is converted: a number never equals a string."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from emulator.mapping.engine_errors import MappingError, failing
from emulator.mapping.fql.parser import Condition, ConditionResult, Group, Node
from emulator.mapping.javascript.prototypes import member
from emulator.mapping.javascript.values import UNDEFINED, is_nullish, is_number, to_number, to_string, truthy
from emulator.mapping.paths import compile_keys

Predicate: TypeAlias = Callable[[object], bool]
Operator: TypeAlias = Callable[[object], Predicate]

_KEY = re.compile(r"[^\[.\]]+")
_NO_CONDITION = MappingError("TypeError", "Cannot read properties of undefined (reading 'type')")
_NO_KEYS = MappingError("TypeError", "Cannot read properties of null (reading 'reduce')")


def _text(test: Callable[[str, str], bool]) -> Operator:
    def operator(expected: object) -> Predicate:
        text = to_string(expected)
        return lambda actual: isinstance(actual, str) and test(actual, text)

    return operator


def _number(test: Callable[[float, float], bool]) -> Operator:
    def operator(expected: object) -> Predicate:
        number = to_number(expected)
        return lambda actual: isinstance(actual, int | float) and is_number(actual) and test(actual, number)

    return operator


def _equals(expected: object) -> Predicate:
    text = to_string(expected)
    return lambda actual: actual == text


def _differs(expected: object) -> Predicate:
    text = to_string(expected)
    return lambda actual: actual != text


def _without_value(test: Predicate) -> Operator:
    return lambda _expected: test


_unknown = _without_value(lambda _actual: False)
OPERATORS: Mapping[str, Operator] = {
    "=": _equals,
    "!=": _differs,
    "number_equals": _number(lambda actual, expected: actual == expected),
    "number_not_equals": _number(lambda actual, expected: actual != expected),
    "<": _number(lambda actual, expected: actual < expected),
    "<=": _number(lambda actual, expected: actual <= expected),
    ">": _number(lambda actual, expected: actual > expected),
    ">=": _number(lambda actual, expected: actual >= expected),
    "contains": _text(lambda actual, expected: expected in actual),
    "not_contains": _text(lambda actual, expected: expected not in actual),
    "starts_with": _text(str.startswith),
    "not_starts_with": _text(lambda actual, expected: not actual.startswith(expected)),
    "ends_with": _text(str.endswith),
    "not_ends_with": _text(lambda actual, expected: not actual.endswith(expected)),
    "exists": _without_value(lambda actual: not is_nullish(actual)),
    "not_exists": _without_value(is_nullish),
    "is_true": _without_value(lambda actual: actual is True),
    "is_false": _without_value(lambda actual: actual is False),
}
"""Every operator of the engine: from the expected value to a test of the actual one.

Any other, which the parser may take from the text, never passes.
"""


def compile_node(node: Node) -> Predicate:
    """A predicate of events, which raises MappingError where the engine throws a TypeError."""
    if node is None:
        return failing(_NO_CONDITION)
    if isinstance(node, Condition):
        return _compile_condition(node)
    children = [compile_node(child) for child in node.children]
    return _all(children) if node.operator == "and" else _any(children)


# Loops, because `all` and `any` over a generator take twice as long for the usual one or two conditions.
def _all(children: Sequence[Predicate]) -> Predicate:
    def passes(event: object) -> bool:
        for child in children:  # noqa: SIM110 - a loop is faster
            if not child(event):
                return False
        return True

    return passes


def _any(children: Sequence[Predicate]) -> Predicate:
    def passes(event: object) -> bool:
        for child in children:  # noqa: SIM110 - a loop is faster
            if child(event):
                return True
        return False

    return passes


def explain_node(node: Node, event: object) -> ConditionResult:
    """The result of the node and of all nodes below it for an event."""
    below = node.children if isinstance(node, Group) else ()
    children = tuple(explain_node(child, event) for child in below)
    try:
        passed = compile_node(node)(event)
        found = look_up(node)(event) if isinstance(node, Condition) else UNDEFINED
    except MappingError as error:
        return ConditionResult(node=node, passed=False, error=error.message, children=children)
    return ConditionResult(node=node, passed=passed, found=found, children=children)


def look_up(condition: Condition) -> Callable[[object], object]:
    """The value of an event that a condition tests."""
    field, name = condition.field, condition.name
    if name is None:
        return lambda event: _member(event, field)
    keys = _KEY.findall(name)
    # The engine fails on a name of dots and brackets alone.
    within = compile_keys(tuple(keys)) if keys else failing(_NO_KEYS)
    return lambda event: within(_member(event, field))


def _member(event: object, field: str) -> object:
    if isinstance(event, dict) and field in event:
        return event[field]
    if event is None:
        raise MappingError("TypeError", f"Cannot read properties of null (reading '{field}')")
    return member(event, field) if truthy(event) else UNDEFINED


def _compile_condition(condition: Condition) -> Predicate:
    found = look_up(condition)
    test = OPERATORS.get(condition.operator, _unknown)(condition.value)
    return lambda event: test(found(event))
