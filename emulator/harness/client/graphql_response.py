"""What the text of a GraphQL answer complains of.

Anybody's endpoint may have written it, so nothing about its shape is taken for granted: what is not there, or is not
what GraphQL says it is, complains of nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

Content = dict[str, Any]


def body_in(text: str) -> Content:
    """The object in a text, an empty one when it holds none."""
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}


def errors_in(body: Content) -> list[Content]:
    """The errors of the document."""
    return _objects(body.get("errors"))


def user_errors_in(body: Content) -> Iterator[Content]:
    """The errors that the payloads of mutations tell of."""
    data = body.get("data")
    for payload in _objects(list(data.values()) if isinstance(data, dict) else None):
        yield from _objects(payload.get("userErrors"))


def location_in(error: Content) -> Mapping[str, int] | None:
    """The first place in the document that an error names: `line` and `column`, counted from 1."""
    for location in _objects(error.get("locations")):
        if all(isinstance(location.get(name), int) for name in ("line", "column")):
            return location
    return None


def _objects(value: object) -> list[Content]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
