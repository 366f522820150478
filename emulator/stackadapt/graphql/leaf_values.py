"""What the scalars and enums of the schema accept, with the errors of graphql-js 16.

A scalar that the schema adds accepts anything, as graphql-js has it for a schema in SDL, but for what its own parser
refuses with a GraphQLError.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from graphql import (
    BooleanValueNode,
    EnumValueNode,
    FloatValueNode,
    GraphQLEnumType,
    GraphQLError,
    GraphQLScalarType,
    IntValueNode,
    StringValueNode,
    ValueNode,
)

from emulator.stackadapt.graphql.javascript_text import inspected, number_text, printed, suggested

GraphQLLeaf = GraphQLScalarType | GraphQLEnumType

_SMALLEST: Final = -(2**31)
_LARGEST: Final = 2**31 - 1
_NOT_32_BIT: Final = "Int cannot represent non 32-bit signed integer value: {}"

# By the scalar: the kinds of literals that it accepts, and the text for another.
_LITERALS: Final[Mapping[str, tuple[tuple[type[ValueNode], ...], str]]] = MappingProxyType(
    {
        "Int": ((IntValueNode,), "Int cannot represent non-integer value: {}"),
        "Float": ((FloatValueNode, IntValueNode), "Float cannot represent non numeric value: {}"),
        "String": ((StringValueNode,), "String cannot represent a non string value: {}"),
        "Boolean": ((BooleanValueNode,), "Boolean cannot represent a non boolean value: {}"),
        "ID": ((StringValueNode, IntValueNode), "ID cannot represent a non-string and non-integer value: {}"),
    }
)


def literal_mistake(kind: GraphQLLeaf, node: ValueNode) -> str | None:
    """What is wrong with a literal; None if the type accepts it. Raises GraphQLError from the scalar's own parser."""
    if isinstance(kind, GraphQLEnumType):
        shown = printed(node)
        if not isinstance(node, EnumValueNode):
            text = f'Enum "{kind.name}" cannot represent non-enum value: {shown}.'
        elif node.value not in kind.values:
            text = f'Value "{shown}" does not exist in "{kind.name}" enum.'
        else:
            return None
        return text + _suggested_member(kind, shown)
    if kind.name not in _LITERALS:
        kind.parse_literal(node)
        return None
    accepted, text = _LITERALS[kind.name]
    if not isinstance(node, accepted):
        return text.format(printed(node))
    # Compared as a double, as a longer integer than Python reads may stand here.
    if kind.name == "Int" and isinstance(node, IntValueNode) and not _SMALLEST <= float(node.value) <= _LARGEST:
        return _NOT_32_BIT.format(node.value)
    return None


def value_mistake(kind: GraphQLLeaf, value: Any) -> str | None:
    """What is wrong with a variable's JSON value, which is not null; None if the type accepts it."""
    if isinstance(kind, GraphQLEnumType):
        if not isinstance(value, str):
            shown = inspected(value)
            text = f'Enum "{kind.name}" cannot represent non-string value: {shown}.'
            return text + _suggested_member(kind, shown)
        if value not in kind.values:
            return f'Value "{value}" does not exist in "{kind.name}" enum.' + _suggested_member(kind, value)
        return None
    check = _CHECKS.get(kind.name)
    if check is not None:
        return check(value)
    try:
        kind.parse_value(value)
    except GraphQLError as error:
        return error.message
    return None


def _int_mistake(value: Any) -> str | None:
    if not _is_integer(value):
        return f"Int cannot represent non-integer value: {inspected(value)}"
    return None if _SMALLEST <= value <= _LARGEST else _NOT_32_BIT.format(number_text(value))


def _float_mistake(value: Any) -> str | None:
    accepted = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) != float("inf")
    return None if accepted else f"Float cannot represent non numeric value: {inspected(value)}"


def _string_mistake(value: Any) -> str | None:
    return None if isinstance(value, str) else f"String cannot represent a non string value: {inspected(value)}"


def _boolean_mistake(value: Any) -> str | None:
    return None if isinstance(value, bool) else f"Boolean cannot represent a non boolean value: {inspected(value)}"


def _id_mistake(value: Any) -> str | None:
    accepted = isinstance(value, str) or _is_integer(value)
    return None if accepted else f"ID cannot represent value: {inspected(value)}"


def _is_integer(value: Any) -> bool:
    """Whether JavaScript has it for an integer: `1.0` is one."""
    return (isinstance(value, int) and not isinstance(value, bool)) or (isinstance(value, float) and value.is_integer())


def _suggested_member(kind: GraphQLEnumType, found: str) -> str:
    return suggested(found, kind.values, "the enum value")


_CHECKS: Final[Mapping[str, Callable[[Any], str | None]]] = MappingProxyType(
    {
        "Int": _int_mistake,
        "Float": _float_mistake,
        "String": _string_mistake,
        "Boolean": _boolean_mistake,
        "ID": _id_mistake,
    }
)
