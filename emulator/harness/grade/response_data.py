"""The data of a response, by the names that the schema has instead of a client's aliases."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from graphql import DocumentNode, FieldNode, GraphQLError

from emulator.stackadapt.graphql.document import chosen_operation, fields_within, parse_document, root_fields
from emulator.stackadapt.limits import Limits


def data_of(request: str, response: str) -> Any:
    """The data in the body of a response to the body of a request; None without any.

    A field that is selected under several aliases keeps all but the first.
    """
    try:
        data = json.loads(response).get("data")
    except (ValueError, AttributeError, RecursionError):
        return None
    if not isinstance(data, dict):
        return None
    try:
        body = json.loads(request)
        document = parse_document(body["query"], Limits(), places=False)
        nodes = root_fields(document, chosen_operation(document, body.get("operationName")))
    except (ValueError, TypeError, KeyError, RecursionError, GraphQLError):
        return data
    return _named(document, nodes, data)


def _named(document: DocumentNode, nodes: Sequence[FieldNode], value: Any) -> Any:
    if isinstance(value, list):
        return [_named(document, nodes, each) for each in value]
    if not isinstance(value, dict):
        return value
    named: dict[str, Any] = {}
    for key, selected in _by_key(nodes).items():
        if key in value:
            within = [field for node in selected for field in fields_within(document, node)]
            name = selected[0].name.value
            named[key if name in named else name] = _named(document, within, value[key]) if within else value[key]
    return named


def _by_key(nodes: Sequence[FieldNode]) -> dict[str, list[FieldNode]]:
    """Fields by their key in the response. The selections of one that is repeated are merged."""
    found: dict[str, list[FieldNode]] = {}
    for node in nodes:
        found.setdefault((node.alias or node.name).value, []).append(node)
    return found
