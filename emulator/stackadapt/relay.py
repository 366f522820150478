"""Relay connections: `edges`, `nodes`, `pageInfo`, `totalCount`, paged by `first`/`after` and `last`/`before`.

A cursor is the place of its item in the order of its list, not a count of items: whatever is written between two pages,
no item is shown twice or left out. It is opaque: URL-safe base64 of JSON. An empty cursor means none: clients have sent
one for the first page. The service's own form of cursors is not public (assumed).
"""

from __future__ import annotations

import binascii
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from graphql import GraphQLError

from emulator.stackadapt import messages

PAGE = 100

T = TypeVar("T")
# Where an item stands: what its list is sorted by, the last element telling apart what is otherwise equal.
Place = tuple[int | str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CursorOrder(Generic[T]):
    """A kind of list. `place` gives an item's place; items are listed by it, or the other way round if `descending`.

    `name` keeps cursors of different lists apart.
    """

    name: str
    place: Callable[[T], Place]
    descending: bool = False


def cursor_of(name: str, place: Place) -> str:
    """The opaque text of a place in the list of this name."""
    text = json.dumps([name, *place], separators=(",", ":"), ensure_ascii=False)
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


def place_of(name: str, cursor: str) -> Place:
    """The place again. Raises GraphQLError for text that is no cursor of this list."""
    try:
        decoded = json.loads(urlsafe_b64decode(cursor.encode() + b"=" * (-len(cursor) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        raise _bad_cursor(cursor) from None
    if not isinstance(decoded, list) or len(decoded) < 2 or decoded[0] != name:
        raise _bad_cursor(cursor)
    place = tuple(decoded[1:])
    # A cursor that was given out is spelled in one way only.
    if not all(type(each) in (int, str) for each in place) or cursor_of(name, place) != cursor.rstrip("="):
        raise _bad_cursor(cursor)
    return place


def connection(
    items: Sequence[T],
    page: Mapping[str, Any],
    listing: CursorOrder[T],
    *,
    node: Callable[[T], Any] = lambda item: item,
) -> dict[str, Any]:
    """One page of all items, in whatever order they come. Raises GraphQLError for a bad page argument."""
    ordered = sorted(items, key=listing.place)
    if listing.descending:
        ordered.reverse()
    start, end = _window(ordered, page, listing)
    edges = [
        {"cursor": cursor_of(listing.name, listing.place(item)), "node": node(item)} for item in ordered[start:end]
    ]
    return {
        "edges": edges,
        "nodes": [edge["node"] for edge in edges],
        "totalCount": len(ordered),
        "pageInfo": {
            "startCursor": edges[0]["cursor"] if edges else None,
            "endCursor": edges[-1]["cursor"] if edges else None,
            "hasNextPage": end < len(ordered),
            "hasPreviousPage": start > 0,
        },
    }


def _window(ordered: Sequence[T], page: Mapping[str, Any], listing: CursorOrder[T]) -> tuple[int, int]:
    """The half-open range of positions (from 0) that a page shows."""
    first, last = page.get("first"), page.get("last")
    for name, size in (("first", first), ("last", last)):
        if size is not None and size < 0:
            raise GraphQLError(messages.bad_page_size(name, size), extensions={"emulator": True})
    start, end = 0, len(ordered)
    if page.get("after"):
        start = _position(ordered, page["after"], listing, beyond=True)
    if page.get("before"):
        end = max(start, _position(ordered, page["before"], listing, beyond=False))
    if first is None and last is None:
        first = PAGE
    if first is not None:
        end = min(end, start + first)
    if last is not None:
        start = max(start, end - last)
    return start, end


def _position(ordered: Sequence[T], cursor: str, listing: CursorOrder[T], *, beyond: bool) -> int:
    """How many items stand before the cursor's place, that place itself included if `beyond`."""
    place = place_of(listing.name, cursor)
    try:
        if listing.descending:
            bisect = bisect_left if beyond else bisect_right
            return len(ordered) - bisect(ordered[::-1], place, key=listing.place)
        bisect = bisect_right if beyond else bisect_left
        return bisect(ordered, place, key=listing.place)
    except TypeError:
        raise _bad_cursor(cursor) from None


def _bad_cursor(cursor: str) -> GraphQLError:
    return GraphQLError(messages.bad_cursor(cursor), extensions={"emulator": True})
