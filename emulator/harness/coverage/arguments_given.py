"""The arguments of the fields that a request selects, at any depth: which there are, and which were given."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from graphql import (
    DocumentNode,
    EnumValueNode,
    FieldNode,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLSchema,
    ListValueNode,
    ObjectValueNode,
    VariableNode,
    get_named_type,
    get_nullable_type,
    is_abstract_type,
)

from emulator.stackadapt.graphql.document import fields_within

# The values of a longer enum, such as that of 745 sources, are data: none is an item of its own.
MOST_VALUES: Final = 30


def fields_with_arguments(
    schema: GraphQLSchema, document: DocumentNode, root: FieldNode, field: GraphQLField
) -> Iterator[tuple[str, FieldNode, GraphQLField]]:
    """The fields inside of a root field that take arguments, named `Advertiser.profileLists`, each with its node.

    A node is visited once: the document may not have been validated, and a fragment may be within itself.
    """
    pending, seen = [(root, field)], {id(root)}
    while pending:
        node, of = pending.pop()
        for inner in fields_within(document, node):
            found = _member(schema, of, inner.name.value)
            if found is None or id(inner) in seen:
                continue
            seen.add(id(inner))
            owner, definition = found
            if definition.args:
                yield f"{owner}.{inner.name.value}", inner, definition
            pending.append((inner, definition))


def _member(schema: GraphQLSchema, field: GraphQLField, name: str) -> tuple[str, GraphQLField] | None:
    """A field of the type of another one, and the type that has it: of an interface or a union, one of its types."""
    named = get_named_type(field.type)
    types = [named, *schema.get_possible_types(named)] if is_abstract_type(named) else [named]
    for each in types:
        members: Mapping[str, GraphQLField] = getattr(each, "fields", {})
        if name in members:
            return each.name, members[name]
    return None


def arguments_of(field: GraphQLField) -> Iterator[str]:
    """The items of a field: the path of each value that its arguments can have; of an enum, `path = VALUE` for each."""
    for name, argument in field.args.items():
        yield from _possible(argument.type, name, ())


def _possible(type_: GraphQLInputType, path: str, above: tuple[str, ...]) -> Iterator[str]:
    named = get_named_type(type_)
    if (members := _members(named, above)) is not None:
        for name, field in members.items():
            yield from _possible(field.type, f"{path}.{name}", (*above, named.name))
    elif (values := _values(named)) is not None:
        yield from (_is(path, value) for value in values)
    else:
        yield path


def arguments_given(node: FieldNode, field: GraphQLField, variables: Mapping[str, Any]) -> Iterator[str]:
    """Those of the items that a request gives. `variables` have the values that were sent, and defaults as literals."""
    for argument in node.arguments or ():
        name = argument.name.value
        if name in field.args:
            yield from _given(argument.value, field.args[name].type, variables, name, ())


def _given(
    value: object, type_: GraphQLInputType, variables: Mapping[str, Any], path: str, above: tuple[str, ...]
) -> Iterator[str]:
    """The items of a literal, or of the value of a variable; the paths of lists have no numbers."""
    if isinstance(value, VariableNode):
        name = value.name.value
        yield from _given(variables[name], type_, variables, path, above) if name in variables else ()
        return
    named = get_named_type(type_)
    members, values = _members(named, above), _values(named)
    if members is None and values is None:
        yield path
    elif isinstance(of := get_nullable_type(type_), GraphQLList):
        items = value.values if isinstance(value, ListValueNode) else value if isinstance(value, list) else [value]
        yield from (found for each in items for found in _given(each, of.of_type, variables, path, above))
    elif members is not None:
        for name, inner in _inside(value):
            if name in members:
                yield from _given(inner, members[name].type, variables, f"{path}.{name}", (*above, named.name))
    elif values is not None:
        chosen = value.value if isinstance(value, EnumValueNode) else value
        yield from [_is(path, chosen)] if isinstance(chosen, str) and chosen in values else []


def _inside(value: object) -> Iterator[tuple[str, object]]:
    if isinstance(value, ObjectValueNode):
        yield from ((field.name.value, field.value) for field in value.fields)
    elif isinstance(value, dict):
        yield from value.items()


def _members(named: object, above: tuple[str, ...]) -> Mapping[str, GraphQLInputField] | None:
    """The members of an input object; None for another type, and for one that is within itself."""
    return named.fields if isinstance(named, GraphQLInputObjectType) and named.name not in above else None


def _values(named: object) -> Mapping[str, Any] | None:
    return named.values if isinstance(named, GraphQLEnumType) and len(named.values) <= MOST_VALUES else None


def _is(path: str, value: str) -> str:
    return f"{path} = {value}"
