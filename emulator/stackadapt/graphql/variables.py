"""Variables that an operation cannot run with, in the order and with the errors of graphql-js 16.

The library here says these things in other words from version to version, and prints values as Python does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, Final, cast

from graphql import (
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLSchema,
    OperationDefinitionNode,
    VariableDefinitionNode,
    is_required_input_field,
    type_from_ast,
)

from emulator.stackadapt.graphql.error_format import GraphQLJSError
from emulator.stackadapt.graphql.javascript_text import inspected, ordered_keys, suggested
from emulator.stackadapt.graphql.leaf_values import value_mistake

_MOST_ERRORS: Final = 50
_TOO_MANY: Final = "Too many errors processing variables, error limit reached. Execution aborted."

Path = tuple[str | int, ...]
# Where a value is, the value, and what is wrong with it.
_Mistake = tuple[Path, Any, str]


def variable_errors(
    schema: GraphQLSchema, operation: OperationDefinitionNode, variables: Mapping[str, Any]
) -> list[GraphQLJSError]:
    """The errors of the variables of a valid document; at most 50, then one that says so."""
    definitions = operation.variable_definitions or ()
    found = (error for each in definitions for error in _errors_of(schema, each, variables))
    errors = list(islice(found, _MOST_ERRORS + 1))
    if len(errors) > _MOST_ERRORS:
        errors[_MOST_ERRORS] = GraphQLJSError(_TOO_MANY)
    return errors


def _errors_of(
    schema: GraphQLSchema, definition: VariableDefinitionNode, variables: Mapping[str, Any]
) -> Iterator[GraphQLJSError]:
    name = definition.variable.name.value
    # Validation refuses a variable of any other type.
    kind = cast(GraphQLInputType, type_from_ast(schema, definition.type))
    required = isinstance(kind, GraphQLNonNull)
    if name not in variables:
        if required and definition.default_value is None:
            yield GraphQLJSError(f'Variable "${name}" of required type "{kind}" was not provided.', definition)
    elif variables[name] is None and required:
        yield GraphQLJSError(f'Variable "${name}" of non-null type "{kind}" must not be null.', definition)
    else:
        for path, value, mistake in _mistakes(variables[name], kind, ()):
            at = f' at "{name}{_path_text(path)}"' if path else ""
            yield GraphQLJSError(f'Variable "${name}" got invalid value {inspected(value)}{at}; {mistake}', definition)


def _mistakes(value: Any, kind: GraphQLInputType, path: Path) -> Iterator[_Mistake]:
    if isinstance(kind, GraphQLNonNull):
        if value is None:
            yield path, value, f'Expected non-nullable type "{kind}" not to be null.'
            return
        kind = kind.of_type
    if value is None:
        return
    if isinstance(kind, GraphQLList):
        if isinstance(value, list):
            for index, item in enumerate(value):
                yield from _mistakes(item, kind.of_type, (*path, index))
        else:
            yield from _mistakes(value, kind.of_type, path)
    elif isinstance(kind, GraphQLInputObjectType):
        yield from _mistakes_of_object(value, kind, path)
    else:
        mistake = value_mistake(kind, value)
        if mistake is not None:
            yield path, value, mistake


def _mistakes_of_object(value: Any, kind: GraphQLInputObjectType, path: Path) -> Iterator[_Mistake]:
    if not isinstance(value, dict):
        yield path, value, f'Expected type "{kind.name}" to be an object.'
        return
    for name, field in kind.fields.items():
        if name in value:
            yield from _mistakes(value[name], field.type, (*path, name))
        elif is_required_input_field(field):
            yield path, value, f'Field "{name}" of required type "{field.type}" was not provided.'
    for name in ordered_keys(value):
        if name not in kind.fields:
            suggestion = suggested(name, kind.fields)
            yield path, value, f'Field "{name}" is not defined by type "{kind.name}".{suggestion}'


def _path_text(path: Path) -> str:
    return "".join(f"[{each}]" if isinstance(each, int) else f".{each}" for each in path)
