"""GraphQL errors in the words of graphql-js 16, which the service's gateway uses; the library here words them newer.

Names are quoted with `"`; five messages have an older form. Other differences remain.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from graphql import GraphQLError, GraphQLInputObjectType, GraphQLSchema

# A "…" is left alone, so that an apostrophe inside a printed value survives.
_QUOTED = re.compile(r"\"(?:[^\"\\]|\\.)*\"|(?<!\w)'((?:[^'\"\\]|\\.)*)'(?!\w)", re.DOTALL)

# One character of the document, a lone backslash above all. A double quote keeps its single quotes there too.
_CHARACTER = re.compile(r"(?<=Unexpected character: )'([^\"])'", re.DOTALL)

_REQUIRED_ARGUMENT = re.compile(r'^Argument "\w+\.(\w+)\((\w+):\)" of type ("[^"]+") is required, but it was not')
_UNKNOWN_FIELD = re.compile(
    r'Expected value of type ("\w+") not to include unknown field ("\w+")'
    r"(?:, found: .*|\.(?P<hint> Did you mean [^?]*\?) Found: .*)$",
    re.DOTALL,
)
_MISSING_FIELD = re.compile(r'Expected value of type "(\w+)" to include required field "(\w+)", found: .*$', re.DOTALL)
_NOT_AN_OBJECT = re.compile(r'^Expected value of type ("\w+") to be an object, found: ', re.DOTALL)
_NULL = re.compile(r'^Expected value of non-null type ("[^"]+") not to be (?:None|null)\.$')


def in_graphql_js_words(message: str, schema: GraphQLSchema) -> str:
    """The message with double quotes around names and in the older form where it has one."""
    message = _CHARACTER.sub(r'"\1"', message)
    message = _QUOTED.sub(lambda match: match[0] if match[1] is None else f'"{match[1]}"', message)
    message = _REQUIRED_ARGUMENT.sub(r'Field "\1" argument "\2" of type \3 is required, but it was not', message)
    message = _UNKNOWN_FIELD.sub(
        lambda match: f"Field {match[2]} is not defined by type {match[1]}.{match['hint'] or ''}", message
    )
    message = _NOT_AN_OBJECT.sub(r"Expected value of type \1, found ", message)
    message = _NULL.sub(r"Expected value of type \1, found null.", message)
    return _MISSING_FIELD.sub(_missing_field(schema), message)


def formatted(error: GraphQLError, schema: GraphQLSchema) -> dict[str, Any]:
    """The error's JSON form: `message`, and `locations`, `path`, `extensions` where it has them."""
    shown: dict[str, Any] = {"message": in_graphql_js_words(error.message, schema)}
    if error.locations:
        shown["locations"] = [{"line": place.line, "column": place.column} for place in error.locations]
    if error.path is not None:
        shown["path"] = list(error.path)
    if error.extensions:
        shown["extensions"] = dict(error.extensions)
    return shown


def _missing_field(schema: GraphQLSchema) -> Callable[[re.Match[str]], str]:
    def older(match: re.Match[str]) -> str:
        input_type = schema.type_map.get(match[1])
        if not isinstance(input_type, GraphQLInputObjectType) or match[2] not in input_type.fields:
            return match[0]
        required = input_type.fields[match[2]].type
        return f'Field "{match[1]}.{match[2]}" of required type "{required}" was not provided.'

    return older
