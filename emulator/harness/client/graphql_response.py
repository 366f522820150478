"""Reads the errors in a GraphQL response.

The response may come from any server, so that its shape is not taken for granted: whatever is missing or of another
type than GraphQL requires counts as no error.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

Content = dict[str, Any]


def body_in(text: str) -> Content:
    """The JSON object in `text`; an empty one when there is none."""
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}


def errors_in(body: Content) -> list[Content]:
    """The top-level errors."""
    return _objects(body.get("errors"))


def user_errors_in(body: Content) -> Iterator[Content]:
    """The user errors in the payloads of all mutations."""
    data = body.get("data")
    for payload in _objects(list(data.values()) if isinstance(data, dict) else None):
        yield from _objects(payload.get("userErrors"))


def location_in(error: Content) -> Mapping[str, int] | None:
    """The first location of an error in the document: `line` and `column`, counted from 1."""
    for location in _objects(error.get("locations")):
        if all(isinstance(location.get(name), int) for name in ("line", "column")):
            return location
    return None


def _objects(value: object) -> list[Content]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
