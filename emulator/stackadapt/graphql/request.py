"""A GraphQL request: its HTTP body, parsed once for faults, resolvers and the journal.

The body is checked in the order and with the texts of the service's gateway. Observed: an unknown key is refused before
anything else is checked, and only the first one is named. The rest is that of GraphQL Yoga 5.24, the gateway's family.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from graphql import (
    DocumentNode,
    FieldNode,
    GraphQLError,
    ObjectValueNode,
    OperationDefinitionNode,
    OperationType,
    VariableNode,
)
from graphql.utilities import value_from_ast_untyped

from emulator import strict_json
from emulator.faults import RequestSummary
from emulator.stackadapt import messages
from emulator.stackadapt.graphql.document import check_size, chosen_operation, parse_document, root_fields
from emulator.stackadapt.graphql.javascript_text import ordered_keys
from emulator.stackadapt.graphql.shapes import Shape, Shapes
from emulator.stackadapt.limits import Limits
from emulator.stackadapt.rules.emails import LONGEST

Record = Mapping[str, Any]

_KEYS: Final = ("query", "variables", "operationName", "extensions")
# The arguments that `FieldContents` is made of.
_READ: Final = ("advertiserId", "advertiserIds", "email", "emails", "profiles")
# JavaScript's names of JSON types; a boolean is an integer in Python.
_TYPE_NAMES: Final[tuple[tuple[type, str], ...]] = (
    (bool, "boolean"),
    (str, "string"),
    (list, "array"),
    (dict, "object"),
    (type(None), "null"),
    (object, "number"),
)


class BadBody(Exception):
    """A body that is not a GraphQL request. `emulator` marks a message that the real service would not send.

    `negotiable`: the status is 200 for a client that accepts application/json, else 400.
    """

    def __init__(self, message: str, *, emulator: bool = False, negotiable: bool = False) -> None:
        super().__init__(message)
        self.emulator = emulator
        self.negotiable = negotiable


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphQLParams:
    """The document's text, its variables, and the name of the operation to run."""

    query: str
    variables: Mapping[str, Any]
    operation_name: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldContents:
    """One root field and what its arguments contain. `records` are the profiles of `upsertProfiles`, decoded."""

    operation: str
    advertiser_ids: tuple[str, ...]
    emails: tuple[str, ...]
    records: tuple[Record, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedRequest:
    """A document with the contents of its root fields in document order, or the error that it cannot run because of.

    `variables` are those to run it with. `decoded` maps each `profiles` string to its JSON value, if it is valid JSON.
    `shape` is that of a document whose shape is known: it is valid, and its literals are among the variables.
    """

    document: DocumentNode | None = None
    operation: OperationDefinitionNode | None = None
    error: GraphQLError | None = None
    contents: tuple[FieldContents, ...] = ()
    summary: RequestSummary = field(default_factory=RequestSummary)
    decoded: Mapping[str, Any] = field(default_factory=dict)
    variables: Mapping[str, Any] = field(default_factory=dict)
    shape: Shape | None = None


def read_body(body: bytes) -> GraphQLParams:
    """The request in an HTTP body. Raises BadBody."""
    try:
        params = strict_json.parse_quickly(body, strict_json.parse_as_javascript)
    except (ValueError, RecursionError):
        raise BadBody(messages.INVALID_JSON) from None
    if isinstance(params, list):
        raise BadBody(messages.NO_BATCHING)
    if not isinstance(params, dict):
        raise BadBody(messages.BODY_NOT_AN_OBJECT.format(_type_name(params)))
    for key in ordered_keys(params):
        if key not in _KEYS and params[key] is not None:
            raise BadBody(messages.UNEXPECTED_PARAMETER.format(key))
    query = params.get("query")
    if query is None:
        raise BadBody(messages.NO_QUERY, negotiable=True)
    _require("query", query, str, "a string")
    variables = params.get("variables")
    if variables is not None:
        _require("variables", variables, dict, "empty or an object")
        try:
            json.dumps(variables, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            raise BadBody(messages.HALF_SURROGATE, emulator=True) from None
    extensions = params.get("extensions")
    if extensions is not None:
        _require("extensions", extensions, dict, "empty or an object")
    operation_name = params.get("operationName")
    if not isinstance(operation_name, str | None):
        # No operation has such a name; Yoga says so in the same words.
        raise BadBody(messages.NO_SUCH_OPERATION)
    return GraphQLParams(query=query, variables=variables or {}, operation_name=operation_name)


def parse_request(params: GraphQLParams, limits: Limits) -> ParsedRequest:
    """Parses the document and reads the arguments of its root fields; those that cannot be read count as absent."""
    try:
        document = parse_document(params.query, limits)
        check_size(document, limits)
        operation = chosen_operation(document, params.operation_name)
    except GraphQLError as error:
        return ParsedRequest(error=error)
    return _parsed(document, operation, root_fields(document, operation), params.variables)


def parse_shaped(params: GraphQLParams, shapes: Shapes) -> ParsedRequest | None:
    """As `parse_request`, without parsing a document of a known shape again; None for one that has no shape."""
    found = shapes.of(params.query, params.operation_name)
    if found is None:
        return None
    shape, literals = found
    variables = {**params.variables, **literals}
    return _parsed(shape.document, shape.operation, shape.fields, variables, shape)


def _parsed(
    document: DocumentNode,
    operation: OperationDefinitionNode,
    fields: Iterable[FieldNode],
    variables: Mapping[str, Any],
    shape: Shape | None = None,
) -> ParsedRequest:
    decoded: dict[str, Any] = {}
    contents = tuple(_contents_of(each, dict(variables), decoded) for each in fields)
    summary = RequestSummary(
        operations=tuple(each.operation for each in contents),
        mutates=operation.operation is OperationType.MUTATION,
        advertiser_ids=_unique(name for each in contents for name in each.advertiser_ids),
        emails=_unique(email for each in contents for email in each.emails),
    )
    return ParsedRequest(
        document=document,
        operation=operation,
        contents=contents,
        summary=summary,
        decoded=decoded,
        variables=variables,
        shape=shape,
    )


def parse_body(body: bytes, limits: Limits) -> ParsedRequest | None:
    """A recorded request, parsed again from its HTTP body; None when it cannot run."""
    try:
        parsed = parse_request(read_body(body), limits)
    except BadBody:
        return None
    return parsed if parsed.document else None


def _contents_of(node: FieldNode, variables: dict[str, Any], decoded: dict[str, Any]) -> FieldContents:
    given = _arguments(node, variables)
    profiles = given.get("profiles")
    if isinstance(profiles, str):
        profiles = _decode(profiles, decoded)
    records = tuple(record for record in _items(profiles) if isinstance(record, dict))
    return FieldContents(
        operation=node.name.value,
        advertiser_ids=_unique(_texts([given.get("advertiserId"), *_items(given.get("advertiserIds"))])),
        emails=_unique([*_texts([given.get("email"), *_items(given.get("emails"))]), *_emails(records)]),
        records=records,
    )


def _arguments(node: FieldNode, variables: dict[str, Any]) -> Mapping[str, Any]:
    """What `_contents_of` reads of the fields of `input`, or of the arguments where that is not an object."""
    arguments = {argument.name.value: argument.value for argument in node.arguments or ()}
    given = arguments.get("input")
    if isinstance(given, VariableNode):
        value = _value(given, variables)
        if isinstance(value, dict):
            return value
    elif isinstance(given, ObjectValueNode):
        arguments = {field.name.value: field.value for field in given.fields}
    return {name: _value(arguments[name], variables) for name in _READ if name in arguments}


def _decode(text: str, decoded: dict[str, Any]) -> Any:
    """The JSON value of a string, added to `decoded`; None if it has none."""
    try:
        value = strict_json.parse_quickly(text, strict_json.parse_rewritten)
    except (ValueError, RecursionError):
        return None
    decoded[text] = value
    return value


def _value(node: Any, variables: dict[str, Any]) -> Any:
    try:
        return value_from_ast_untyped(node, variables)
    except ValueError:
        # A number with more digits than Python reads.
        return None


def _emails(records: tuple[Record, ...]) -> Iterator[str]:
    """Every value that looks like an email: a profile mapping may read it from any key."""
    for record in records:
        for value in record.values():
            if isinstance(value, str) and "@" in value and len(value) <= LONGEST:
                yield value


def _items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _texts(values: list[Any]) -> Iterator[str]:
    """Strings, and integers as strings, as an `ID` accepts them."""
    return (str(value) for value in values if isinstance(value, str | int) and not isinstance(value, bool))


def _unique(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(values))


def _require(name: str, value: Any, kind: type, expected: str) -> None:
    if not isinstance(value, kind):
        raise BadBody(messages.WRONG_PARAM_TYPE.format(name, expected, _type_name(value)))


def _type_name(value: Any) -> str:
    return next(name for kind, name in _TYPE_NAMES if isinstance(value, kind))
