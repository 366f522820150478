"""Relay connections: `edges`, `nodes`, `pageInfo`, `totalCount`, paged by `first`/`after` and `last`/`before`.

Cursors are the position in the whole list in URL-safe base64 without padding, as graphql-ruby writes them (assumed). An
empty cursor means none: clients have sent one for the first page.
"""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from graphql import GraphQLError

from emulator.stackadapt import messages

PAGE = 100

T = TypeVar("T")


def cursor_of(position: int) -> str:
    """The opaque text of a position, counted from 1."""
    return urlsafe_b64encode(str(position).encode()).decode().rstrip("=")


def position_of(cursor: str) -> int:
    """The position again. Raises GraphQLError for text that is no cursor."""
    try:
        text = urlsafe_b64decode(cursor.encode() + b"=" * (-len(cursor) % 4)).decode("ascii")
        if text.isdigit() and len(text) < 16:
            return int(text)
    except (binascii.Error, ValueError):
        pass
    raise GraphQLError(messages.bad_cursor(cursor), extensions={"emulator": True})


def window(
    total: int,
    *,
    after: str | None = None,
    before: str | None = None,
    first: int | None = None,
    last: int | None = None,
) -> tuple[int, int]:
    """The half-open range of positions (from 0) that a page shows. Raises GraphQLError for a bad argument."""
    for name, size in (("first", first), ("last", last)):
        if size is not None and size < 0:
            raise GraphQLError(messages.bad_page_size(name, size), extensions={"emulator": True})
    start = min(position_of(after), total) if after else 0
    end = max(start, min(position_of(before) - 1, total)) if before else total
    if first is None and last is None:
        first = PAGE
    if first is not None:
        end = min(end, start + first)
    if last is not None:
        start = max(start, end - last)
    return start, end


def connection(
    items: Sequence[T],
    arguments: dict[str, Any],
    *,
    node: Callable[[T], Any] = lambda item: item,
) -> dict[str, Any]:
    """One page of a whole list."""
    start, end = window(len(items), **arguments)
    nodes = [node(item) for item in items[start:end]]
    edges = [{"cursor": cursor_of(start + offset + 1), "node": shown} for offset, shown in enumerate(nodes)]
    return {
        "edges": edges,
        "nodes": nodes,
        "totalCount": len(items),
        "pageInfo": {
            "startCursor": edges[0]["cursor"] if edges else None,
            "endCursor": edges[-1]["cursor"] if edges else None,
            "hasNextPage": end < len(items),
            "hasPreviousPage": start > 0,
        },
    }
