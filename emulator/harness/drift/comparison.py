"""What differs between two schemas, each difference with its schema coordinate and how severe it is for clients.

The codes, texts and severities are those of graphql-core 3.3's `find_schema_changes`. That of 3.2 leaves out what is
safe and words the rest in another way, and neither gives coordinates.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from graphql import (
    GraphQLArgument,
    GraphQLDirective,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLSchema,
    GraphQLType,
    GraphQLUnionType,
    is_required_argument,
    is_required_input_field,
    is_specified_scalar_type,
    specified_directives,
)

from emulator.graphql_core import default_literal
from emulator.harness.checks.finding import BREAKING, DANGEROUS, SAFE
from emulator.stackadapt.graphql.javascript_text import printed

_BUILT_IN_DIRECTIVES: Final = frozenset(directive.name for directive in specified_directives)
_KINDS: Final[Mapping[type, str]] = MappingProxyType(
    {
        GraphQLScalarType: "a Scalar type",
        GraphQLObjectType: "an Object type",
        GraphQLInterfaceType: "an Interface type",
        GraphQLUnionType: "a Union type",
        GraphQLEnumType: "an Enum type",
        GraphQLInputObjectType: "an Input type",
    }
)

_Input: TypeAlias = GraphQLArgument | GraphQLInputField
_WithFields: TypeAlias = GraphQLObjectType | GraphQLInterfaceType


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaChange:
    """One difference. `place` is its coordinate in the schema that has it, `message` a sentence."""

    severity: str
    code: str
    place: str
    message: str


def schema_changes(before: GraphQLSchema, after: GraphQLSchema) -> Iterator[SchemaChange]:
    """Every difference from `before` to `after` but for descriptions, which have no effect.

    A built-in scalar is missing from a schema that does not use it: the changes of its fields are enough. The built-in
    directives are those of the library that describes the schema, and SDL leaves them out.
    """
    types = _Names(before.type_map, after.type_map)
    for name, named in types.removed:
        if not is_specified_scalar_type(named):
            yield _change(BREAKING, "TYPE_REMOVED", name, f"{name} was removed.")
    for name, _ in types.added:
        yield _change(SAFE, "TYPE_ADDED", name, f"{name} was added.")
    for name, old_type, new_type in types.kept:
        yield from _of_type(name, old_type, new_type)
    directives = _Names(_own_directives(before), _own_directives(after))
    for name, _ in directives.removed:
        yield _change(BREAKING, "DIRECTIVE_REMOVED", f"@{name}", f"Directive @{name} was removed.")
    for name, _ in directives.added:
        yield _change(SAFE, "DIRECTIVE_ADDED", f"@{name}", f"Directive @{name} was added.")
    for name, old, new in directives.kept:
        yield from _of_directive(f"@{name}", old, new)


class _Names:
    """The members of two mappings: removed and added with their values, kept with both values."""

    def __init__(self, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
        self.removed = [(name, value) for name, value in before.items() if name not in after]
        self.added = [(name, value) for name, value in after.items() if name not in before]
        self.kept = [(name, value, after[name]) for name, value in before.items() if name in after]


def _change(severity: str, code: str, place: str, message: str) -> SchemaChange:
    return SchemaChange(severity=severity, code=code, place=place, message=message)


def _own_directives(schema: GraphQLSchema) -> Mapping[str, GraphQLDirective]:
    return {each.name: each for each in schema.directives if each.name not in _BUILT_IN_DIRECTIVES}


def _of_type(name: str, old: GraphQLNamedType, new: GraphQLNamedType) -> Iterator[SchemaChange]:
    if isinstance(old, GraphQLEnumType) and isinstance(new, GraphQLEnumType):
        yield from _of_enum(name, old, new)
    elif isinstance(old, GraphQLUnionType) and isinstance(new, GraphQLUnionType):
        for each in _lacking(new.types, old.types):
            yield _change(DANGEROUS, "TYPE_ADDED_TO_UNION", name, f"{each} was added to union type {name}.")
        for each in _lacking(old.types, new.types):
            yield _change(BREAKING, "TYPE_REMOVED_FROM_UNION", name, f"{each} was removed from union type {name}.")
    elif isinstance(old, GraphQLInputObjectType) and isinstance(new, GraphQLInputObjectType):
        yield from _of_input_object(name, old, new)
    elif (isinstance(old, GraphQLObjectType) and isinstance(new, GraphQLObjectType)) or (
        isinstance(old, GraphQLInterfaceType) and isinstance(new, GraphQLInterfaceType)
    ):
        yield from _of_fields(name, old, new)
        yield from _of_interfaces(name, old, new)
    elif type(old) is not type(new):
        text = f"{name} changed from {_KINDS[type(old)]} to {_KINDS[type(new)]}."
        yield _change(BREAKING, "TYPE_CHANGED_KIND", name, text)


def _of_enum(name: str, old: GraphQLEnumType, new: GraphQLEnumType) -> Iterator[SchemaChange]:
    values = _Names(old.values, new.values)
    for value, _ in values.added:
        yield _change(DANGEROUS, "VALUE_ADDED_TO_ENUM", f"{name}.{value}", f"Enum value {name}.{value} was added.")
    for value, _ in values.removed:
        text = f"Enum value {name}.{value} was removed."
        yield _change(BREAKING, "VALUE_REMOVED_FROM_ENUM", f"{name}.{value}", text)


def _of_interfaces(name: str, old: _WithFields, new: _WithFields) -> Iterator[SchemaChange]:
    for each in _lacking(new.interfaces, old.interfaces):
        text = f"{each.name} added to interfaces implemented by {name}."
        yield _change(DANGEROUS, "IMPLEMENTED_INTERFACE_ADDED", name, text)
    for each in _lacking(old.interfaces, new.interfaces):
        text = f"{name} no longer implements interface {each.name}."
        yield _change(BREAKING, "IMPLEMENTED_INTERFACE_REMOVED", name, text)


def _lacking(items: Iterable[Any], others: Iterable[Any]) -> list[Any]:
    """The items whose names the others do not have."""
    names = {each.name for each in others}
    return [each for each in items if each.name not in names]


def _of_input_object(name: str, old: GraphQLInputObjectType, new: GraphQLInputObjectType) -> Iterator[SchemaChange]:
    fields = _Names(old.fields, new.fields)
    for field, added in fields.added:
        place = f"{name}.{field}"
        if is_required_input_field(added):
            yield _change(BREAKING, "REQUIRED_INPUT_FIELD_ADDED", place, f"A required field {place} was added.")
        else:
            yield _change(DANGEROUS, "OPTIONAL_INPUT_FIELD_ADDED", place, f"An optional field {place} was added.")
    for field, _ in fields.removed:
        yield _change(BREAKING, "FIELD_REMOVED", f"{name}.{field}", f"Field {name}.{field} was removed.")
    for field, before, after in fields.kept:
        yield from _of_input(f"{name}.{field}", before, after, "Field", "FIELD", "INPUT_FIELD")


def _of_input(
    place: str, old: _Input, new: _Input, what: str, kind_code: str, default_code: str
) -> Iterator[SchemaChange]:
    """An input field or an argument: its type first, then its default, and at most one difference."""
    before, after = _default(old), _default(new)
    changed_type = "changed type" if what == "Field" else "has changed type"
    types = f"{what} {place} {changed_type} from {old.type} to {new.type}."
    if not _is_safe_for_input(old.type, new.type):
        yield _change(BREAKING, f"{kind_code}_CHANGED_KIND", place, types)
    elif before is not None and after is None:
        yield _change(DANGEROUS, f"{default_code}_DEFAULT_VALUE_CHANGE", place, f"{place} defaultValue was removed.")
    elif before is not None and before != after:
        text = f"{place} has changed defaultValue from {before} to {after}."
        yield _change(DANGEROUS, f"{default_code}_DEFAULT_VALUE_CHANGE", place, text)
    elif before is None and after is not None:
        yield _change(SAFE, f"{default_code}_DEFAULT_VALUE_ADDED", place, f"{place} added a defaultValue {after}.")
    elif str(old.type) != str(new.type):
        yield _change(SAFE, f"{kind_code}_CHANGED_KIND_SAFE", place, types)


def _default(place: _Input) -> str | None:
    literal = default_literal(place)
    return None if literal is None else printed(literal)


def _of_fields(name: str, old: _WithFields, new: _WithFields) -> Iterator[SchemaChange]:
    fields = _Names(old.fields, new.fields)
    for field, _ in fields.removed:
        yield _change(BREAKING, "FIELD_REMOVED", f"{name}.{field}", f"Field {name}.{field} was removed.")
    for field, _ in fields.added:
        yield _change(SAFE, "FIELD_ADDED", f"{name}.{field}", f"Field {name}.{field} was added.")
    for field, before, after in fields.kept:
        place = f"{name}.{field}"
        yield from _of_arguments(place, before, after)
        text = f"Field {place} changed type from {before.type} to {after.type}."
        if not _is_safe_for_output(before.type, after.type):
            yield _change(BREAKING, "FIELD_CHANGED_KIND", place, text)
        elif str(before.type) != str(after.type):
            yield _change(SAFE, "FIELD_CHANGED_KIND_SAFE", place, text)


def _of_arguments(field: str, old: GraphQLField, new: GraphQLField) -> Iterator[SchemaChange]:
    arguments = _Names(old.args, new.args)
    for name, _ in arguments.removed:
        yield _change(BREAKING, "ARG_REMOVED", f"{field}({name}:)", f"Argument {field}({name}:) was removed.")
    for name, before, after in arguments.kept:
        yield from _of_input(f"{field}({name}:)", before, after, "Argument", "ARG", "ARG")
    for name, added in arguments.added:
        place = f"{field}({name}:)"
        if is_required_argument(added):
            yield _change(BREAKING, "REQUIRED_ARG_ADDED", place, f"A required argument {place} was added.")
        else:
            yield _change(DANGEROUS, "OPTIONAL_ARG_ADDED", place, f"An optional argument {place} was added.")


def _of_directive(at: str, old: GraphQLDirective, new: GraphQLDirective) -> Iterator[SchemaChange]:
    arguments = _Names(old.args, new.args)
    for name, added in arguments.added:
        place = f"{at}({name}:)"
        if is_required_argument(added):
            yield _change(BREAKING, "REQUIRED_DIRECTIVE_ARG_ADDED", place, f"A required argument {place} was added.")
        else:
            yield _change(SAFE, "OPTIONAL_DIRECTIVE_ARG_ADDED", place, f"An optional argument {place} was added.")
    for name, _ in arguments.removed:
        yield _change(BREAKING, "DIRECTIVE_ARG_REMOVED", f"{at}({name}:)", f"Argument {at}({name}:) was removed.")
    for name, before, after in arguments.kept:
        yield from _of_input(f"{at}({name}:)", before, after, "Argument", "ARG", "ARG")
    if old.is_repeatable and not new.is_repeatable:
        yield _change(BREAKING, "DIRECTIVE_REPEATABLE_REMOVED", at, f"Repeatable flag was removed from {at}.")
    elif new.is_repeatable and not old.is_repeatable:
        yield _change(SAFE, "DIRECTIVE_REPEATABLE_ADDED", at, f"Repeatable flag was added to {at}.")
    for location in old.locations:
        if location not in new.locations:
            yield _change(BREAKING, "DIRECTIVE_LOCATION_REMOVED", at, f"{location.name} was removed from {at}.")
    for location in new.locations:
        if location not in old.locations:
            yield _change(SAFE, "DIRECTIVE_LOCATION_ADDED", at, f"{location.name} was added to {at}.")


def _is_safe_for_output(old: GraphQLType, new: GraphQLType) -> bool:
    """Whether a client that reads the old type reads the new one: the same type, or one that is never null."""
    if isinstance(new, GraphQLNonNull):
        return _is_safe_for_output(old.of_type if isinstance(old, GraphQLNonNull) else old, new.of_type)
    if isinstance(old, GraphQLList) and isinstance(new, GraphQLList):
        return _is_safe_for_output(old.of_type, new.of_type)
    return str(old) == str(new)


def _is_safe_for_input(old: GraphQLType, new: GraphQLType) -> bool:
    """Whether a client that sends the old type may send it to the new one: the same type, or one that may be null."""
    if isinstance(old, GraphQLNonNull):
        return _is_safe_for_input(old.of_type, new.of_type if isinstance(new, GraphQLNonNull) else new)
    if isinstance(old, GraphQLList) and isinstance(new, GraphQLList):
        return _is_safe_for_input(old.of_type, new.of_type)
    return str(old) == str(new)
