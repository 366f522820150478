"""A request to StackAdapt in parts that can be compared: root fields, arguments, columns and records."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from graphql import DocumentNode, FieldNode, GraphQLError, OperationDefinitionNode, parse, value_from_ast_untyped

# A document writes the profiles on a line of their own. Parsing them as GraphQL, too, would take most of the time.
_PROFILES = re.compile(r'^( *profiles: )("\[.*\]")$', re.MULTILINE)
# A hash of the profiles, which are compared themselves.
_DERIVED = frozenset({"syncId"})
_PROFILES_ARGUMENT = "profiles"
# How the generations name the parts of a column.
_COLUMN_PARTS = {
    "incoming_key": "incomingKey",
    "destination_key": "destinationKey",
    "data_type": "type",
    "is_pii": "isPii",
}
_KEY, _TYPE = "incomingKey", "type"

Record = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestParts:
    """`values` are arguments by their paths, `columns` by root field and key. `problem` is why it cannot be read.

    `document` is without the profiles.
    """

    document: DocumentNode | None = None
    fields: tuple[str, ...] = ()
    values: Mapping[str, Any] = field(default_factory=dict)
    columns: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    records: Sequence[Record] = ()
    problem: str | None = None


def read_request(body: str) -> RequestParts:
    """The parts of a request's body."""
    try:
        content = json.loads(body)
        text, records = _without_profiles(content["query"])
        document = parse(text)
    except (GraphQLError, ValueError, KeyError, TypeError) as error:
        return RequestParts(problem=str(error).partition("\n")[0])
    values: dict[str, Any] = {}
    columns: dict[str, Mapping[str, Any]] = {}
    fields = [*_root_fields(document)]
    for each in fields:
        for argument in each.arguments or ():
            value = value_from_ast_untyped(argument.value, content.get("variables"))
            for path, leaf in _leaves(value, f"{each.name.value}.{argument.name.value}"):
                _, _, name = path.rpartition(".")
                listed = _objects(leaf)
                if name == _PROFILES_ARGUMENT and listed is not None:
                    records += listed
                elif listed is not None and (found := _columns(listed, each.name.value)) is not None:
                    columns |= found
                    values[path] = "columns as JSON in a string" if isinstance(leaf, str) else "columns as objects"
                elif name not in _DERIVED:
                    values[path] = leaf
    names = tuple(each.name.value for each in fields)
    return RequestParts(document=document, fields=names, values=values, columns=columns, records=records)


def _without_profiles(text: str) -> tuple[str, list[Record]]:
    """The document with an empty list of profiles, and the profiles. Raises ValueError where they are not JSON."""
    found = _PROFILES.search(text)
    if found is None:
        return text, []
    # A string of GraphQL has the escapes of JSON, but for code points in braces, which no generation writes.
    records = json.loads(json.loads(found[2], strict=False))
    return _PROFILES.sub(r'\1"[]"', text, count=1), records


def _root_fields(document: DocumentNode) -> Iterator[FieldNode]:
    for definition in document.definitions:
        if isinstance(definition, OperationDefinitionNode):
            yield from (each for each in definition.selection_set.selections if isinstance(each, FieldNode))


def _leaves(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _leaves(inner, f"{path}.{name}")
    else:
        yield path, value


def _objects(leaf: Any) -> list[Record] | None:
    """A list of objects, or one that is JSON in a string."""
    if isinstance(leaf, str) and leaf.startswith("["):
        try:
            leaf = json.loads(leaf)
        except ValueError:
            return None
    return leaf if isinstance(leaf, list) and all(isinstance(each, dict) for each in leaf) else None


def _columns(objects: Sequence[Record], root_field: str) -> dict[str, Mapping[str, Any]] | None:
    """Columns in one notation, by root field and key; None for objects that are none."""
    found: dict[str, Mapping[str, Any]] = {}
    for each in objects:
        column = {_COLUMN_PARTS.get(name, name): value for name, value in each.items()}
        if _KEY not in column:
            return None
        if isinstance(column.get(_TYPE), str):
            column[_TYPE] = column[_TYPE].upper()
        found[f"{root_field} column {column.pop(_KEY)}"] = column
    return found
