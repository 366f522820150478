"""Relay connections: `edges`, `nodes`, `pageInfo`, `totalCount`, paged by `first`/`after` and `last`/`before`.

A cursor is the position of its item in the order of its list, not a count of items: whatever is written between two
pages, no item is repeated or omitted. It is opaque: URL-safe base64 of JSON. An empty cursor means none: clients have
sent one for the first page. The service's own format of cursors is not public (assumed).

A page has at most 100 items: a larger `first` or `last` is cut without an error, and `hasNextPage` says that there are
more. Third parties observed this on root connections (2026-05); that nested ones do the same is assumed.
"""

from __future__ import annotations

import binascii
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from emulator import strict_json
from emulator.stackadapt import messages
from emulator.stackadapt.messages import emulator_error
from emulator.store import LARGEST_INTEGER
from emulator.text import is_storable

# The size of a page without a size, and the largest.
PAGE = 100

T = TypeVar("T")
# What a list is sorted by; the last element distinguishes items that are otherwise equal.
Position = tuple[int | str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CursorOrder(Generic[T]):
    """The order of a list: by the position of its items. No list with another `name` accepts its cursors."""

    name: str
    position: Callable[[T], Position]
    descending: bool = False


def cursor_of(name: str, position: Position) -> str:
    """The opaque string for a position in the list of this name."""
    text = json.dumps([name, *position], separators=(",", ":"), ensure_ascii=False)
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


def position_of(name: str, cursor: str) -> Position:
    """The position of a cursor. Raises GraphQLError for a string that is not a cursor of this list."""
    try:
        decoded = strict_json.parse(urlsafe_b64decode(cursor.encode() + b"=" * (-len(cursor) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        raise emulator_error(messages.BAD_CURSOR.format(cursor)) from None
    if not isinstance(decoded, list) or len(decoded) < 2 or decoded[0] != name:
        raise emulator_error(messages.BAD_CURSOR.format(cursor))
    position = tuple(decoded[1:])
    # Each position has exactly one cursor.
    if not all(map(_can_be_stored, position)) or cursor_of(name, position) != cursor.rstrip("="):
        raise emulator_error(messages.BAD_CURSOR.format(cursor))
    return position


@dataclass(frozen=True, slots=True)
class Edge:
    """An item of a page. Its cursor is made when it is asked for: most clients ask for nodes."""

    node: Any
    name: str
    position: Position

    @property
    def cursor(self) -> str:
        """The cursor of the item in the list of this name."""
        return cursor_of(self.name, self.position)


def _can_be_stored(element: Any) -> bool:
    """Whether a part of a position can be a value in the store, which it will be compared with."""
    if isinstance(element, str):
        return is_storable(element)
    return type(element) is int and -LARGEST_INTEGER - 1 <= element <= LARGEST_INTEGER


def connection(
    items: Sequence[T],
    page: Mapping[str, Any],
    order: CursorOrder[T],
    *,
    node: Callable[[T], Any] = lambda item: item,
) -> dict[str, Any]:
    """One page of the items, which may be given in any order. Raises GraphQLError for an invalid page argument."""
    ordered = sorted(items, key=order.position, reverse=order.descending)
    start, end = _window(ordered, page, order)
    edges = [Edge(_node_or_error(node, item), order.name, order.position(item)) for item in ordered[start:end]]
    return {
        "edges": edges,
        "nodes": [edge.node for edge in edges],
        "totalCount": len(ordered),
        "pageInfo": {
            "startCursor": edges[0].cursor if edges else None,
            "endCursor": edges[-1].cursor if edges else None,
            "hasNextPage": end < len(ordered),
            "hasPreviousPage": start > 0,
        },
    }


def _node_or_error(node: Callable[[T], Any], item: T) -> Any:
    """The node of an item; for one that is damaged in the store an error, which the response has in its place."""
    try:
        return node(item)
    except (ValueError, TypeError, AttributeError, ArithmeticError) as error:
        return emulator_error(messages.ITEM_DAMAGED.format(error))


def _window(ordered: Sequence[T], page: Mapping[str, Any], order: CursorOrder[T]) -> tuple[int, int]:
    """The half-open range of indexes of a page, of at most `PAGE` items."""
    first, last = page.get("first"), page.get("last")
    for name, size in (("first", first), ("last", last)):
        if size is not None and size < 0:
            raise emulator_error(messages.BAD_PAGE_SIZE.format(name, size))
    start, end = 0, len(ordered)
    if page.get("after"):
        start = _index(ordered, page["after"], order, included=True)
    if page.get("before"):
        end = max(start, _index(ordered, page["before"], order, included=False))
    if first is None and last is None:
        first = PAGE
    if first is not None:
        end = min(end, start + min(first, PAGE))
    if last is not None:
        start = max(start, end - min(last, PAGE))
    return start, end


def _index(ordered: Sequence[T], cursor: str, order: CursorOrder[T], *, included: bool) -> int:
    """How many items precede the cursor's position, the item at that position counted if `included`."""
    position = position_of(order.name, cursor)
    try:
        if order.descending:
            bisect = bisect_left if included else bisect_right
            return len(ordered) - bisect(ordered[::-1], position, key=order.position)
        bisect = bisect_right if included else bisect_left
        return bisect(ordered, position, key=order.position)
    except TypeError:
        raise emulator_error(messages.BAD_CURSOR.format(cursor)) from None
