"""GraphQL errors in the words of graphql-js 16, which the service's gateway uses; the library here words them newer.

Literals and variables have checks of their own (`validation.py`, `variables.py`). What is left is the parser, whose
errors differ in a few characters, and the other rules: names are quoted with `"`, some messages have an older form.
"""

from __future__ import annotations

import re
from typing import Any, Final

from graphql import GraphQLError
from graphql.error import GraphQLSyntaxError

# A "…" is left alone, so that an apostrophe inside a printed value survives.
_QUOTED: Final = re.compile(r"\"(?:[^\"\\]|\\.)*\"|(?<!\w)'((?:[^'\"\\]|\\.)*)'(?!\w)", re.DOTALL)
# One character of the document. A double quote keeps its single quotes.
_CHARACTER: Final = re.compile(r"(?<=Unexpected character: )'([^\"])'", re.DOTALL)
_ESCAPE: Final = re.compile(r"(?<=Invalid Unicode escape sequence: )'(.*)'\.$", re.DOTALL)
# graphql-js stops reading when a code point no longer fits 32 bits with a sign.
_OVERFLOWN: Final = re.compile(r"(\\u\{[89A-Fa-f][0-9A-Fa-f]{7}).*", re.DOTALL)
_ARGUMENT_OF_FIELD: Final = re.compile(
    r'^Argument "[\w<>]+\.(\w+)\((\w+):\)" of type ("[^"]+") is required, but it was not provided\.$'
)
_ARGUMENT_OF_DIRECTIVE: Final = re.compile(
    r'^Argument "(@\w+)\((\w+):\)" of type ("[^"]+") is required, but it was not provided\.$'
)
_LOCATION: Final = re.compile(r'(?<=" may not be used on )([a-z ]+)\.$')
_LONE_DOT: Final = re.compile(
    r'(Unexpected "\.\.", did you mean|Invalid number, expected digit before "\.",).*', re.DOTALL
)


class GraphQLJSError(GraphQLError):
    """An error whose message is that of graphql-js already."""


def in_graphql_js_words(error: GraphQLError) -> str:
    """The message with double quotes around names and in the older form where it has one."""
    if isinstance(error, GraphQLJSError):
        return error.message
    change = _of_the_parser if isinstance(error, GraphQLSyntaxError) else _of_a_rule
    return change(error.message)


def formatted(error: GraphQLError) -> dict[str, Any]:
    """The error's JSON form: `message`, and `locations`, `path`, `extensions` where it has them."""
    shown: dict[str, Any] = {"message": in_graphql_js_words(error)}
    if error.locations:
        shown["locations"] = _locations(error)
    if error.path is not None:
        shown["path"] = list(error.path)
    if error.extensions:
        shown["extensions"] = dict(error.extensions)
    return shown


def _of_the_parser(message: str) -> str:
    message = _CHARACTER.sub(r'"\1"', message)
    if _ESCAPE.search(message):
        return _ESCAPE.sub(lambda match: '"' + _OVERFLOWN.sub(r"\1", match[1]) + '".', message)
    return _LONE_DOT.sub('Unexpected character: ".".', _with_double_quotes(message))


def _of_a_rule(message: str) -> str:
    message = _with_double_quotes(message)
    message = _ARGUMENT_OF_FIELD.sub(
        r'Field "\1" argument "\2" of type \3 is required, but it was not provided.', message
    )
    message = _ARGUMENT_OF_DIRECTIVE.sub(
        r'Directive "\1" argument "\2" of type \3 is required, but it was not provided.', message
    )
    return _LOCATION.sub(lambda match: f"{match[1].upper().replace(' ', '_')}.", message)


def _with_double_quotes(message: str) -> str:
    return _QUOTED.sub(lambda match: match[0] if match[1] is None else f'"{match[1]}"', message)


def _locations(error: GraphQLError) -> list[dict[str, int]]:
    """Lines and columns, counted in UTF-16 units as JavaScript counts."""
    body = error.source.body if error.source else ""
    places = []
    for position, place in zip(error.positions or (), error.locations or (), strict=True):
        line = body[position - place.column + 1 : position]
        wide = sum(character > "\uffff" for character in line)
        places.append({"line": place.line, "column": place.column + wide})
    return places
