"""Reads the schema to compare: from a file in SDL, a file with an introspection result, or a live endpoint."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import httpx
from graphql import (
    GraphQLError,
    GraphQLSchema,
    build_client_schema,
    build_schema,
    validate_schema,
)
from graphql.utilities import IntrospectionQuery

from emulator.addresses import address, shown
from emulator.errors import InputError, UserMistake, reason_of
from emulator.graphql_core import introspection_query
from emulator.text_files import read_text

_SHALLOW = "Introspect again with a query that follows ofType far enough, such as graphql-js's getIntrospectionQuery()."
_HIDDEN = "***"
_NAMES = re.compile(r"\w+")
# What the parts of a coordinate are named after: `Type.field(argument:)`, `Enum.VALUE`, `@directive(argument:)`.
_MEMBERS = ("fields", "values", "args")


def read_schema(path: Path) -> GraphQLSchema:
    """The schema in a file: SDL, or the JSON result of an introspection query. Raises InputError."""
    text = read_text(path)
    if text.lstrip().startswith("{"):
        try:
            return _introspected(json.loads(text), str(path))
        except (ValueError, RecursionError) as error:
            raise InputError(f"this is not JSON: {error}", where=str(path)) from None
    try:
        schema = build_schema(text)
    except (GraphQLError, TypeError, RecursionError) as error:
        raise InputError(f"invalid SDL: {_first_line(error)}", where=str(path)) from None
    return _valid(schema, str(path))


def introspect(client: httpx.Client, url: str, token: str | None) -> GraphQLSchema:
    """The schema of an endpoint. Raises UserMistake, without the token in its text, if there is none.

    The query asks for deprecated arguments and input fields, which would otherwise seem to be removed, and for
    `@oneOf`; an older endpoint that does not know these is queried again without them.
    """
    place = shown(address(url))
    response: Any = None
    for with_deprecated, with_one_of in ((True, True), (True, False), (False, False)):
        query = introspection_query(deprecated_inputs=with_deprecated, one_of=with_one_of)
        response = _query(client, url, token, query)
        if not response.get("errors"):
            return _introspected(response, place)
    raise UserMistake("the endpoint rejects introspection", where=place, found=_without(token, _messages(response)))


def line_in(schema: GraphQLSchema, coordinate: str) -> int | None:
    """The line of a schema coordinate in the SDL that a schema was read from, or of the part of it that exists.

    None where nothing does, and for a schema that was introspected.
    """
    names = _NAMES.findall(coordinate)
    if coordinate.startswith("@"):
        found: Any = schema.get_directive(names[0])
    else:
        found = schema.type_map.get(names[0])
    line = None
    for name in (*names[1:], ""):
        node = getattr(found, "ast_node", None)
        line = node.name.loc.start_token.line if node else line
        members: Mapping[str, Any] = next((each for kind in _MEMBERS if (each := getattr(found, kind, None))), {})
        found = members.get(name)
    return line


def _query(client: httpx.Client, url: str, token: str | None, query: str) -> dict[str, Any]:
    place = shown(address(url))
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        response = client.post(url, json={"query": query}, headers=headers)
    except httpx.HTTPError as error:
        raise UserMistake(f"the endpoint does not respond: {reason_of(error)}", where=place) from None
    try:
        content = response.json()
    except (ValueError, RecursionError):
        content = None
    if response.is_success and isinstance(content, dict):
        return content
    raise UserMistake(
        f"the endpoint responds with {response.status_code}",
        where=place,
        found=_without(token, _messages(content) or response.reason_phrase),
        hint="Check the address and the token." if response.status_code in (401, 403, 404) else None,
    )


def _introspected(content: Any, where: str) -> GraphQLSchema:
    data = content.get("data", content) if isinstance(content, dict) else None
    if not isinstance(data, dict) or "__schema" not in data:
        raise InputError("invalid introspection result: it has no __schema", where=where)
    try:
        schema = build_client_schema(cast(IntrospectionQuery, data))
    except (GraphQLError, TypeError, KeyError, RecursionError) as error:
        shallow = "introspection query" in str(error)
        message = f"invalid introspection result: {_first_line(error)}"
        raise InputError(message, where=where, hint=_SHALLOW if shallow else None) from None
    return _valid(schema, where)


def _valid(schema: GraphQLSchema, where: str) -> GraphQLSchema:
    """The schema. Raises InputError if it violates the GraphQL rules: no document would be valid against it."""
    if errors := validate_schema(schema):
        more = f" ({len(errors) - 1} more)" if len(errors) > 1 else ""
        raise InputError(f"invalid schema: {_first_line(errors[0]).removesuffix('.')}{more}", where=where)
    return schema


def _messages(content: Any) -> str:
    errors = content.get("errors") if isinstance(content, dict) else None
    errors = [error.get("message") for error in errors if isinstance(error, dict)] if isinstance(errors, list) else []
    return "; ".join(message for message in errors if isinstance(message, str))


def _without(token: str | None, text: str) -> str:
    return text.replace(token, _HIDDEN) if token else text


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0] or type(error).__name__
