"""The requests to `/graphql`: which operations, arguments and outcomes there were, what clients read of responses."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, Final

from graphql import (
    DocumentNode,
    FieldNode,
    GraphQLError,
    GraphQLField,
    GraphQLObjectType,
    GraphQLSchema,
    OperationDefinitionNode,
    get_named_type,
)

from emulator.events import REFUSALS, GraphQLExchanged
from emulator.harness.coverage.arguments_given import arguments_given, arguments_of, fields_with_arguments
from emulator.harness.coverage.covered import Coverage, Section
from emulator.harness.coverage.pages_read import Later, pages_of
from emulator.stackadapt.graphql.document import (
    chosen_operation,
    fields_within,
    parse_document,
    root_fields,
    split_at_literals,
)
from emulator.stackadapt.limits import Limits

USER_ERRORS: Final = "userErrors"
ACCEPTED, ERRORS, RATE_LIMITED, SERVER_ERROR = "accepted", "errors", "status 429", "status 5xx"
NOT_GRAPHQL, NO_ANSWER = "not GraphQL", "no answer"
# What the sender can cause, whatever the operation would have been.
REFUSED: Final = Section("requests refused before they ran")
_REFUSED = (
    "no_token",
    "not_bearer",
    "unknown_token",
    "expired_token",
    "method_not_allowed",
    "body_too_large",
    "invalid_body",
)
_STRINGS = re.compile(r'"([^"\\]*(?:\\.[^"\\]*)*)"')
# A cursor is short, a string with profiles is not.
_LONGEST: Final = 512
# Clients send the same few documents again and again; one with its values inside is another each time.
_DOCUMENTS: Final = 64
_SHORT: Final = 4096
_OUTCOMES = (ACCEPTED, ERRORS, RATE_LIMITED, SERVER_ERROR, NOT_GRAPHQL, NO_ANSWER)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request whose document could be read: its operation, and its variables with their defaults as literals."""

    exchange: GraphQLExchanged
    document: DocumentNode
    operation: OperationDefinitionNode
    variables: Mapping[str, Any]


def cover_operations(coverage: Coverage, schema: GraphQLSchema) -> None:
    """Adds every operation of a schema."""
    for kind, root in (("query", schema.query_type), ("mutation", schema.mutation_type)):
        for name in root.fields if root else ():
            coverage.add("operations", Section(), f"{kind} {name}", covered=False)


def cover_requests(
    coverage: Coverage,
    exchanges: Sequence[GraphQLExchanged],
    *,
    schema: GraphQLSchema,
    limits: Limits,
    own: frozenset[str],
) -> None:
    """Adds what requests used. `own` are the trace ids of the destination's requests, whose document is Segment's."""
    for refusal in _REFUSED:
        covered = any(each.refusal == refusal for each in exchanges)
        coverage.add("outcomes", REFUSED, REFUSALS[refusal], covered=covered)
    requests = [request for each in _one_of_each(exchanges, own) if (request := read_request(each, limits)) is not None]
    clients = [each for each in requests if each.exchange.trace_id not in own]
    for request in requests:
        for node, field in _roots(request, schema):
            _cover_root(coverage, request, schema, node, field)
    last = {text: position for position, request in enumerate(clients) for text in _strings(request)}
    for position, request in enumerate(clients):
        later = partial(_is_after, last, position)
        for node, field in _roots(request, schema):
            for item, covered in _read_parts(request, node, field, later):
                coverage.add("responses", Section(_name(request, node)), item, covered=covered)


def _strings(request: Request) -> Iterator[str]:
    """The strings that may be cursors. Found once for all requests: each list would be searched for in all others."""
    texts = _STRINGS.findall(request.document.loc.source.body) if request.document.loc is not None else []
    left: list[Any] = [*texts, *request.variables.values()]
    while left:
        value = left.pop()
        if isinstance(value, str):
            yield from [value] if len(value) <= _LONGEST else []
        elif isinstance(value, dict | list):
            left += value.values() if isinstance(value, dict) else value


def _is_after(last: Mapping[str, int], position: int, text: str) -> bool:
    return last.get(text, position) > position


def _one_of_each(exchanges: Sequence[GraphQLExchanged], own: frozenset[str]) -> Iterator[GraphQLExchanged]:
    """Without the destination's requests that differ from another in their strings only: parsing each takes long."""
    seen: set[tuple[str, int | None, str]] = set()
    for each in exchanges:
        blank = _without_strings(each) if each.trace_id in own else None
        key = (blank, each.status, each.response) if blank is not None else None
        if key is None or key not in seen:
            yield each
        if key is not None:
            seen.add(key)


def _without_strings(exchange: GraphQLExchanged) -> str | None:
    """The document with its strings empty; None for one that cannot be read so. It has no variables."""
    try:
        split = split_at_literals(json.loads(exchange.request)["query"])
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    return None if split is None else split[0]


def read_request(exchange: GraphQLExchanged, limits: Limits) -> Request | None:
    """The request of an exchange; None for one that was refused before it ran, or is not a GraphQL request."""
    if exchange.refusal is not None:
        return None
    try:
        body = json.loads(exchange.request)
        text = body["query"]
        document = _parsed(text, limits) if len(text) <= _SHORT else parse_document(text, limits)
        operation = chosen_operation(document, body.get("operationName"))
    except (ValueError, TypeError, KeyError, RecursionError, GraphQLError):
        return None
    given = body.get("variables")
    given = given if isinstance(given, dict) else {}
    defaults = {each.variable.name.value: each.default_value for each in operation.variable_definitions or ()}
    variables = {**{name: value for name, value in defaults.items() if value is not None}, **given}
    return Request(exchange=exchange, document=document, operation=operation, variables=variables)


@lru_cache(maxsize=_DOCUMENTS)
def _parsed(text: str, limits: Limits) -> DocumentNode:
    return parse_document(text, limits)


def _roots(request: Request, schema: GraphQLSchema) -> Iterator[tuple[FieldNode, GraphQLField]]:
    """The root fields that the schema has."""
    root = schema.get_root_type(request.operation.operation)
    for node in root_fields(request.document, request.operation):
        if root is not None and node.name.value in root.fields:
            yield node, root.fields[node.name.value]


def _name(request: Request, node: FieldNode) -> str:
    return f"{request.operation.operation.value} {node.name.value}"


def _cover_root(
    coverage: Coverage, request: Request, schema: GraphQLSchema, node: FieldNode, field: GraphQLField
) -> None:
    name = _name(request, node)
    section = Section(name)
    coverage.add("operations", Section(), name, covered=True)
    for of, each, definition in ((name, node, field), *fields_with_arguments(schema, request.document, node, field)):
        for item in arguments_of(definition):
            coverage.add("arguments", Section(of), item, covered=False)
        for item in arguments_given(each, definition, request.variables):
            coverage.add("arguments", Section(of), item, covered=True)
    outcomes = [*_OUTCOMES, *([USER_ERRORS] if _has_user_errors(field) else [])]
    found = _outcome_of_field(request, node)
    for outcome in outcomes:
        coverage.add("outcomes", section, outcome, covered=outcome == found)


def _outcome_of_field(request: Request, node: FieldNode) -> str | None:
    """How a root field ended; None for another status above 399, which is about the document."""
    exchange = request.exchange
    status = exchange.status
    if status is None:
        return NO_ANSWER
    if status >= 400:
        return RATE_LIMITED if status == 429 else SERVER_ERROR if status >= 500 else None
    body = response_of(exchange)
    if body is None:
        return NOT_GRAPHQL
    key = (node.alias or node.name).value
    errors = body.get("errors") or []
    paths = [each.get("path") for each in errors if isinstance(each, dict)]
    if any(not path or path[0] == key for path in paths):
        return ERRORS
    value = (body.get("data") or {}).get(key)
    refused = isinstance(value, dict) and any(value.get(each) for each in _keys_of_user_errors(request, node))
    return USER_ERRORS if refused else ACCEPTED


def _keys_of_user_errors(request: Request, node: FieldNode) -> list[str]:
    """The keys of the response that have them: a document may give them another name."""
    within = fields_within(request.document, node)
    return [(each.alias or each.name).value for each in within if each.name.value == USER_ERRORS]


def response_of(exchange: GraphQLExchanged) -> dict[str, Any] | None:
    """The body of a response of GraphQL."""
    try:
        body = json.loads(exchange.response)
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) and isinstance(body.get("data") or {}, dict) else None


def _has_user_errors(field: GraphQLField) -> bool:
    payload = get_named_type(field.type)
    return isinstance(payload, GraphQLObjectType) and USER_ERRORS in payload.fields


def _read_parts(request: Request, node: FieldNode, field: GraphQLField, later: Later) -> Iterator[tuple[str, bool]]:
    """What a client should read of a response, and whether it does."""
    if _has_user_errors(field):
        selected = [each.name.value for each in fields_within(request.document, node)]
        yield USER_ERRORS, USER_ERRORS in selected
    body = response_of(request.exchange)
    if body is not None and request.exchange.status == 200:
        value = (body.get("data") or {}).get((node.alias or node.name).value)
        yield from pages_of(request.document, node, field, value, request.variables, later)
