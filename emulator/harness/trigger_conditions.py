"""A trigger as conditions that a form can show and edit, each with its result for an event; and back to FQL.

Conditions are those that the engine reads, not those that the author meant. A form can edit a trigger only if nothing
of it would be lost: `Conditions.obstacle` says what. FQL has no quote inside of a string, and parentheses do not nest,
so some conditions of a form cannot be written; `trigger_of` refuses these.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from emulator.errors import InputError, unknown
from emulator.harness.trigger_text import read_trigger
from emulator.mapping import UNDEFINED, Condition, ConditionResult, Group, Node, Trigger, compile_trigger

# As a form names them: the engine has two more operators for numbers.
_NUMERIC: Final = {"number_equals": "=", "number_not_equals": "!="}
_WITHOUT_VALUE: Final = {"exists": "!= null", "not_exists": "= null", "is_true": "= true", "is_false": "= false"}
_FUNCTIONS: Final = {
    "contains": ("contains", "{}"),
    "not_contains": ("!contains", "{}"),
    "starts_with": ("match", "{}*"),
    "not_starts_with": ("!match", "{}*"),
    "ends_with": ("match", "*{}"),
    "not_ends_with": ("!match", "*{}"),
}
OPERATORS: Final = ("=", "!=", "<", "<=", ">", ">=", *_FUNCTIONS, *_WITHOUT_VALUE)
PLAIN_FIELDS: Final = ("type", "event", "name", "userId")
NESTED_FIELDS: Final = ("properties", "traits", "context")
_JOINS: Final = ("and", "or")
_MISREAD: Final = "The engine does not read a part of it as it is written: {}"
_MIXED: Final = "It has both `and` and `or` on one level: the engine applies the last one to the whole level."
_NOT_WRITABLE: Final = "FQL has other words for one of its conditions."

Tree = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """A trigger as a form shows it. `tree` is None for one that cannot be parsed, `obstacle` why it cannot be edited.

    A group is `{"operator": "and" or "or", "conditions"}`, a condition `{"field", "name"?, "operator", "value"?}`. With
    an event, both have `passed`, and conditions the value that was `found`, absent for none, and maybe an `error`.
    """

    tree: Tree | None
    obstacle: str | None


def conditions_of(trigger: Trigger, event: Mapping[str, Any] | None = None) -> Conditions:
    """The conditions of a trigger, with their results for an event."""
    if trigger.tree is None:
        return Conditions(tree=None, obstacle=f"It cannot be parsed: {trigger.error}.")
    results = None if event is None else trigger.explain(event)
    return Conditions(tree=_shown(trigger.tree, results), obstacle=_obstacle(trigger))


def trigger_of(tree: Mapping[str, Any]) -> str:
    """The FQL of conditions, empty for none. Raises InputError with the place of what FQL cannot say."""
    return _text(tree, "conditions")


def _text(tree: Mapping[str, Any], place: str) -> str:
    members = list(_members(tree, place))
    if len(members) == 1 and members[0][0].get("conditions"):
        # The engine does not see parentheses around the whole.
        return _text(members[0][0], f"{members[0][1]}.conditions")
    return _join(tree, place).join(_written(each, at) for each, at in members)


def _obstacle(trigger: Trigger) -> str | None:
    if trigger.mixes_operators:
        return _MIXED
    try:
        written = trigger_of(_shown(trigger.tree, None))
    except InputError:
        written = ""
    if written == trigger.text:
        return None
    corrections = read_trigger(str(trigger.text)).corrections
    if corrections:
        return _MISREAD.format(corrections[0].cause)
    return None if compile_trigger(written).tree == trigger.tree else _NOT_WRITABLE


def _shown(node: Node, result: ConditionResult | None) -> Tree:
    passed: Tree = {} if result is None else {"passed": result.passed}
    if isinstance(node, Group):
        below = result.children if result is not None else (None,) * len(node.children)
        children = [_shown(child, each) for child, each in zip(node.children, below, strict=True)]
        return {"operator": node.operator, "conditions": children, **passed}
    if node is None:
        return {"operator": "and", "conditions": [], **passed}
    shown: Tree = {"field": node.field, "operator": _NUMERIC.get(node.operator, node.operator)}
    if node.name is not None:
        shown["name"] = node.name
    if node.value is not UNDEFINED:
        shown["value"] = node.value
    if result is not None and result.found is not UNDEFINED:
        shown["found"] = result.found
    if result is not None and result.error is not None:
        shown["error"] = result.error
    return shown | passed


def _members(tree: Mapping[str, Any], place: str) -> Iterator[tuple[Mapping[str, Any], str]]:
    listed = tree["conditions"]
    if not isinstance(listed, list):
        raise InputError("the conditions of a group are not a list", where=place, found=listed)
    for position, each in enumerate(listed):
        if not isinstance(each, Mapping):
            raise InputError("a condition is an object", where=f"{place}[{position}]", found=each)
        yield each, f"{place}[{position}]"


def _join(tree: Mapping[str, Any], place: str) -> str:
    operator = tree.get("operator")
    if operator not in _JOINS:
        raise unknown("operator of a group", str(operator), _JOINS, where=place)
    return f" {operator} "


def _written(item: Mapping[str, Any], place: str, *, inside: bool = False) -> str:
    if "conditions" not in item:
        return _condition(item, place, inside=inside)
    if inside:
        raise InputError(
            "a group is inside of another group",
            where=place,
            hint="FQL has one level of parentheses. Write these conditions into the outer group.",
        )
    if not item["conditions"]:
        raise InputError("this group has no condition", where=place, hint="Add a condition, or remove the group.")
    members = list(_members(item, f"{place}.conditions"))
    if len(members) == 1:
        return _written(*members[0])
    return f"({_join(item, place).join(_written(each, at, inside=True) for each, at in members)})"


def _condition(item: Mapping[str, Any], place: str, *, inside: bool) -> str:
    meant = _meant(item, place)
    for text in _ways(meant):
        # Inside of parentheses that of a function would end the group.
        if inside and text.lstrip("!").startswith(("contains(", "match(")):
            continue
        tree = compile_trigger(text).tree
        if tree is not None and tree.children == (meant,):
            return text
    shown = {key: value for key, value in item.items() if key in ("field", "name", "operator", "value")}
    raise InputError(
        "FQL cannot express this condition",
        where=place,
        found=shown,
        hint="Its value or the name of its field has characters that the engine does not read.",
    )


def _meant(item: Mapping[str, Any], place: str) -> Condition:
    """The condition of the engine. Raises InputError."""
    field, operator, value, name = (item.get(key) for key in ("field", "operator", "value", "name"))
    if field not in (*PLAIN_FIELDS, *NESTED_FIELDS):
        raise unknown("field", str(field), (*PLAIN_FIELDS, *NESTED_FIELDS), where=f"{place}.field")
    if operator not in OPERATORS:
        raise unknown("operator", str(operator), OPERATORS, where=f"{place}.operator")
    nested = field in NESTED_FIELDS
    if nested and not (isinstance(name, str) and name):
        raise InputError(
            f"the name within {field} is missing",
            where=f"{place}.name",
            hint="Write one, such as plan or address.city.",
        )
    if operator in _WITHOUT_VALUE:
        return Condition(field=field, name=name if nested else None, operator=operator)
    if isinstance(value, dict | list | None):
        raise InputError("the value is missing", where=f"{place}.value", hint="Write what the field is compared with.")
    if not nested or operator in _FUNCTIONS:
        value = value if isinstance(value, str) else json.dumps(value)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        operator = {shown: of_numbers for of_numbers, shown in _NUMERIC.items()}.get(operator, operator)
    return Condition(field=field, name=name if nested else None, operator=operator, value=value)


def _ways(meant: Condition) -> Iterator[str]:
    """The texts that may mean a condition, the usual one first."""
    operator = _NUMERIC.get(meant.operator, meant.operator)
    for field in _fields(meant):
        if operator in _WITHOUT_VALUE:
            yield f"{field} {_WITHOUT_VALUE[operator]}"
            continue
        if operator in _FUNCTIONS:
            function, form = _FUNCTIONS[operator]
            yield f"{function}({field}, {_quoted(form.format(meant.value))})"
        for value in _values(meant.value):
            yield f"{field} {operator} {value}"


def _fields(meant: Condition) -> Iterator[str]:
    """The field as it is usually written, then with every character escaped."""
    if meant.name is None:
        yield meant.field
        return
    yield f"{meant.field}.{meant.name}"
    yield f"{meant.field}.{'.'.join(_escaped(part) for part in meant.name.split('.'))}"


def _values(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield _quoted(value)
        yield _escaped(value)
    elif isinstance(value, bool):
        yield str(value).lower()
    else:
        # Without an exponent, which FQL does not have.
        yield format(Decimal(str(value)), "f").removesuffix(".0")


def _quoted(text: str) -> str:
    return f'"{text}"'


def _escaped(text: str) -> str:
    """A word with a backslash before each of its characters, none of which then ends it."""
    return "".join(f"\\{each}" for each in text)
