"""Whether a client reads all pages of a list: asks if there is another one, and fetches it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from graphql import DocumentNode, FieldNode, GraphQLField, GraphQLObjectType, IntValueNode, VariableNode, get_named_type

from emulator.stackadapt.graphql.document import fields_within

# Without `first` and `last`, and at most.
PAGE: Final = 100
ASKED: Final = "whether there is another page"
NEXT: Final = "the next page"
_PAGE_INFO, _TOKEN = "pageInfo", "nextToken"
_KNOWN_BY = frozenset({"hasNextPage", "endCursor"})
# Whether a later request has this string in its document or its variables.
Later = Callable[[str], bool]


def pages_of(
    document: DocumentNode,
    node: FieldNode,
    field: GraphQLField,
    value: object,
    variables: Mapping[str, Any],
    later: Later,
    path: str = "",
) -> Iterator[tuple[str, bool]]:
    """The items of a field and of everything in it. `value` is its value, `later` knows the client's next requests.

    A list is known to be cut where its page is full, or where the response says so.
    """
    object_type = get_named_type(field.type)
    if not isinstance(object_type, GraphQLObjectType) or not isinstance(value, dict | list):
        return
    if isinstance(value, list):
        for each in value:
            yield from pages_of(document, node, field, each, variables, later, path)
        return
    within = fields_within(document, node)
    if _PAGE_INFO in object_type.fields:
        yield from _connection(document, node, within, value, variables, later, path)
    if _TOKEN in object_type.fields:
        yield from _outer_page(within, value, later, path)
    for each in within:
        name = each.name.value
        if name in object_type.fields:
            inner = value.get((each.alias or each.name).value)
            below = f"{path}.{name}".lstrip(".")
            yield from pages_of(document, each, object_type.fields[name], inner, variables, later, below)


def _connection(
    document: DocumentNode,
    node: FieldNode,
    within: Sequence[FieldNode],
    value: Mapping[str, Any],
    variables: Mapping[str, Any],
    later: Later,
    path: str,
) -> Iterator[tuple[str, bool]]:
    keys = {each.name.value: (each.alias or each.name).value for each in within}
    items = next((value.get(keys[name]) for name in ("nodes", "edges") if name in keys), None)
    if not isinstance(items, list):
        return
    asked = {
        inner.name.value: (inner.alias or inner.name).value
        for each in within
        if each.name.value == _PAGE_INFO
        for inner in fields_within(document, each)
    }
    knows = bool(_KNOWN_BY & asked.keys())
    if knows or len(items) >= _size(node, variables):
        yield f"{path}: {ASKED}".removeprefix(": "), knows
    info = value.get(keys.get(_PAGE_INFO, "")) or {}
    if isinstance(info, dict) and info.get(asked.get("hasNextPage", "")):
        cursors = [info.get(asked.get("endCursor", "")), *_last_cursor(items)]
        yield f"{path}: {NEXT}".removeprefix(": "), _fetched(cursors, later)


def _outer_page(
    within: Sequence[FieldNode], value: Mapping[str, Any], later: Later, path: str
) -> Iterator[tuple[str, bool]]:
    """The page of a list that is continued by a token, null on the last page."""
    key = next(((each.alias or each.name).value for each in within if each.name.value == _TOKEN), None)
    if key is not None and value.get(key):
        yield f"{path}: {NEXT}".removeprefix(": "), _fetched([value[key]], later)


def _last_cursor(items: Sequence[Any]) -> list[Any]:
    last = items[-1] if items else None
    return [last.get("cursor")] if isinstance(last, dict) else []


def _fetched(cursors: Sequence[Any], later: Later) -> bool:
    return any(isinstance(cursor, str) and later(cursor) for cursor in cursors)


def _size(node: FieldNode, variables: Mapping[str, Any]) -> int:
    """How many items a full page has."""
    for argument in node.arguments or ():
        if argument.name.value in ("first", "last"):
            value = argument.value
            found = variables.get(value.name.value) if isinstance(value, VariableNode) else None
            if isinstance(value, IntValueNode):
                found = int(value.value)
            if isinstance(found, int):
                return min(found, PAGE)
    return PAGE
