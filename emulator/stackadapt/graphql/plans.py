"""How a document of a known shape is executed, worked out once: which resolvers to call, with which arguments.

A plan covers what clients send all day: fields without fragments and directives, of object types and leaves. It does
as the library's executor does while nothing goes wrong; where anything does, it raises, and the document is executed
again by the library, which words and places the error.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    FieldNode,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    ListValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    Undefined,
    ValueNode,
    VariableNode,
    is_leaf_type,
)
from graphql.utilities import value_from_ast

from emulator.graphql_core import default_of, parses, serializes
from emulator.stackadapt.graphql.context import RequestContext

_Literals = Mapping[str, str]
# The value of an argument, given those of the literals; the JSON value of what a resolver returned.
_Build = Callable[[_Literals], Any]
_Complete = Callable[[Any, "PlannedInfo", _Literals], Any]


class NotPlanned(Exception):
    """A document that a plan does not cover, or a result that is an error."""


@dataclass(slots=True)
class PlannedInfo:
    """What resolvers use of `GraphQLResolveInfo`."""

    context: RequestContext
    field_name: str = ""


@dataclass(frozen=True, slots=True)
class _Field:
    """A field to resolve, under its response key. `arguments` is None for a field without arguments."""

    key: str
    name: str
    resolve: Callable[..., Any]
    arguments: Mapping[str, _Build] | None
    complete: _Complete


class Plan:
    """The execution of an operation without variables of its own."""

    def __init__(self, schema: GraphQLSchema, operation: OperationDefinitionNode) -> None:
        """Raises NotPlanned."""
        root = schema.get_root_type(operation.operation)
        if root is None or operation.directives:
            raise NotPlanned
        self._complete = _object(root, operation.selection_set)

    def run(self, context: RequestContext, literals: _Literals) -> dict[str, Any]:
        """The member `data` of the response. Raises for anything that the response would report as an error."""
        data: dict[str, Any] = self._complete(None, PlannedInfo(context), literals)
        return data


def _object(kind: GraphQLObjectType, selections: SelectionSetNode | None) -> _Complete:
    fields: list[_Field | tuple[str, str]] = []
    for node in selections.selections if selections else ():
        if not isinstance(node, FieldNode) or node.directives:
            raise NotPlanned
        key = node.alias.value if node.alias else node.name.value
        if node.name.value == "__typename":
            fields.append((key, kind.name))
        elif node.name.value in kind.fields:
            fields.append(_field(key, kind.fields[node.name.value], node))
        else:
            raise NotPlanned
    keys = [field.key if isinstance(field, _Field) else field[0] for field in fields]
    if len(set(keys)) < len(keys):
        raise NotPlanned

    def complete(value: Any, info: PlannedInfo, literals: _Literals) -> dict[str, Any]:
        data: dict[str, Any] = {}
        for field in fields:
            if not isinstance(field, _Field):
                data[field[0]] = field[1]
                continue
            info.field_name = field.name
            if field.arguments is None:
                found = field.resolve(value, info)
            else:
                given = {name: build(literals) for name, build in field.arguments.items()}
                found = field.resolve(value, info, **given)
            data[field.key] = field.complete(found, info, literals)
        return data

    return complete


def _field(key: str, definition: GraphQLField, node: FieldNode) -> _Field:
    if definition.resolve is None:
        raise NotPlanned
    given = {argument.name.value: argument.value for argument in node.arguments or ()}
    arguments: dict[str, _Build] = {}
    for name, argument in definition.args.items():
        if name in given:
            arguments[argument.out_name or name] = _value(argument.type, given[name])
        elif (default := default_of(argument)) is not Undefined:
            arguments[argument.out_name or name] = _constant(default)
    complete = _completion(definition.type, node)
    return _Field(key, node.name.value, definition.resolve, arguments or None, complete)


def _completion(kind: GraphQLOutputType, node: FieldNode) -> _Complete:
    if isinstance(kind, GraphQLNonNull):
        return _non_null(_completion(kind.of_type, node))
    if isinstance(kind, GraphQLList):
        return _list(_completion(kind.of_type, node))
    if isinstance(kind, GraphQLObjectType):
        return _nullable(_object(kind, node.selection_set))
    if not is_leaf_type(kind):
        raise NotPlanned
    serialize = serializes(kind)

    def complete(value: Any, _info: PlannedInfo, _literals: _Literals) -> Any:
        if value is None or value is Undefined:
            return None
        leaf = serialize(value)
        if leaf is None or leaf is Undefined:
            raise NotPlanned
        return leaf

    return complete


def _nullable(inner: _Complete) -> _Complete:
    def complete(value: Any, info: PlannedInfo, literals: _Literals) -> Any:
        return None if value is None or value is Undefined else inner(value, info, literals)

    return complete


def _non_null(inner: _Complete) -> _Complete:
    def complete(value: Any, info: PlannedInfo, literals: _Literals) -> Any:
        completed = inner(value, info, literals)
        if completed is None:
            raise NotPlanned
        return completed

    return complete


def _list(inner: _Complete) -> _Complete:
    def complete(value: Any, info: PlannedInfo, literals: _Literals) -> Any:
        if value is None or value is Undefined:
            return None
        if not isinstance(value, list | tuple):
            raise NotPlanned
        return [inner(item, info, literals) for item in value]

    return complete


def _value(kind: GraphQLInputType, node: ValueNode) -> _Build:
    """How the value of an argument, or of a part of one, is made."""
    if not _has_variable(node):
        value = value_from_ast(node, kind)
        if value is Undefined:
            raise NotPlanned
        return _constant(value)
    if isinstance(kind, GraphQLNonNull):
        return _value(kind.of_type, node)
    if isinstance(kind, GraphQLList):
        items = node.values if isinstance(node, ListValueNode) else [node]
        builds = [_value(kind.of_type, item) for item in items]
        return lambda literals: [build(literals) for build in builds]
    if isinstance(kind, GraphQLInputObjectType) and isinstance(node, ObjectValueNode):
        return _input_object(kind, node)
    if not isinstance(node, VariableNode) or isinstance(kind, GraphQLInputObjectType):
        raise NotPlanned
    name = node.name.value
    parse = parses(kind)
    return lambda literals: parse(literals[name])


def _input_object(kind: GraphQLInputObjectType, node: ObjectValueNode) -> _Build:
    given = {field.name.value: field.value for field in node.fields}
    builds: dict[str, _Build] = {}
    for name, field in kind.fields.items():
        if name in given:
            builds[field.out_name or name] = _value(field.type, given[name])
        elif (default := default_of(field)) is not Undefined:
            builds[field.out_name or name] = _constant(default)
    if kind.is_one_of:
        raise NotPlanned
    return lambda literals: kind.out_type({name: build(literals) for name, build in builds.items()})


def _constant(value: Any) -> _Build:
    return lambda _literals: value


def _has_variable(node: ValueNode) -> bool:
    if isinstance(node, ListValueNode):
        return any(map(_has_variable, node.values))
    if isinstance(node, ObjectValueNode):
        return any(_has_variable(field.value) for field in node.fields)
    return isinstance(node, VariableNode)
