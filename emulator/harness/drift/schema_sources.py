"""Where a schema to compare with comes from: a file in SDL, a file with an introspection, or a live endpoint."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import httpx
from graphql import (
    GraphQLError,
    GraphQLSchema,
    build_client_schema,
    build_schema,
    get_introspection_query,
    validate_schema,
)
from graphql.utilities import IntrospectionQuery

from emulator.addresses import address, shown
from emulator.errors import InputError, UserMistake

_SHALLOW = "Introspect again with a query that follows ofType far enough, such as graphql-js's getIntrospectionQuery()."
_HIDDEN = "***"


def read_schema(path: Path) -> GraphQLSchema:
    """The schema in a file: SDL, or the JSON that introspection answered. Raises InputError."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"this file cannot be read: {error}", where=str(path)) from None
    if text.lstrip().startswith("{"):
        try:
            return _introspected(json.loads(text), str(path))
        except (ValueError, RecursionError) as error:
            raise InputError(f"this is not JSON: {error}", where=str(path)) from None
    try:
        schema = build_schema(text)
    except (GraphQLError, TypeError, RecursionError) as error:
        raise InputError(f"this is no schema in SDL: {_first_line(error)}", where=str(path)) from None
    return _valid(schema, str(path))


def introspect(client: httpx.Client, url: str, token: str | None) -> GraphQLSchema:
    """The schema that an endpoint tells. Raises UserMistake when it does not, without the token in any text.

    Deprecated arguments and input fields are asked for first: an endpoint that leaves them out would seem to have
    removed them. So are input types that take one field. One too old to know a question is asked again without.
    """
    place = shown(address(url))
    answer: Any = None
    for with_deprecated, with_one_of in ((True, True), (True, False), (False, False)):
        query = get_introspection_query(False, input_value_deprecation=with_deprecated, one_of=with_one_of)
        answer = _asked(client, url, token, query)
        if not (isinstance(answer, dict) and answer.get("errors")):
            return _introspected(answer, place)
    found = _without(token, _messages(answer))
    raise UserMistake("the endpoint refuses introspection", where=place, found=found)


def _asked(client: httpx.Client, url: str, token: str | None, query: str) -> Any:
    place = shown(address(url))
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        response = client.post(url, json={"query": query}, headers=headers)
    except httpx.HTTPError as error:
        raise UserMistake(f"the endpoint does not answer: {error}", where=place) from None
    try:
        answer = response.json()
    except (ValueError, RecursionError):
        answer = None
    if response.is_success and isinstance(answer, dict):
        return answer
    told = _messages(answer) or response.reason_phrase
    raise UserMistake(
        f"the endpoint answers {response.status_code}",
        where=place,
        found=_without(token, told),
        hint="Check the address and the token." if response.status_code in (401, 403, 404) else None,
    )


def _introspected(answer: Any, where: str) -> GraphQLSchema:
    data = answer.get("data", answer) if isinstance(answer, dict) else None
    if not isinstance(data, dict) or "__schema" not in data:
        raise InputError("this is no answer of an introspection: it has no __schema", where=where)
    try:
        schema = build_client_schema(cast(IntrospectionQuery, data))
    except (GraphQLError, TypeError, KeyError, RecursionError) as error:
        shallow = "introspection query" in str(error)
        message = f"no schema can be made of this introspection: {_first_line(error)}"
        raise InputError(message, where=where, hint=_SHALLOW if shallow else None) from None
    return _valid(schema, where)


def _valid(schema: GraphQLSchema, where: str) -> GraphQLSchema:
    """The schema. Raises InputError for one that can be read but breaks the rules: no document is valid against it."""
    if errors := validate_schema(schema):
        more = f" And {len(errors) - 1} more." if len(errors) > 1 else ""
        raise InputError(f"this schema is not valid: {_first_line(errors[0])}{more}", where=where)
    return schema


def _messages(answer: Any) -> str:
    errors = answer.get("errors") if isinstance(answer, dict) else None
    told = [error.get("message") for error in errors if isinstance(error, dict)] if isinstance(errors, list) else []
    return "; ".join(message for message in told if isinstance(message, str))


def _without(token: str | None, text: str) -> str:
    return text.replace(token, _HIDDEN) if token else text


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0] or type(error).__name__
