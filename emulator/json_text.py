"""JSON text for storage: compact, and written and read in C."""

from __future__ import annotations

import json
from typing import Any, Final

import orjson

_ENCODED: Final = json.JSONEncoder(separators=(",", ":")).encode


def compact(value: Any) -> str:
    """A JSON value as text without spaces."""
    try:
        return orjson.dumps(value).decode()
    except orjson.JSONEncodeError:
        # Half of a surrogate pair, an integer beyond 64 bits, or deeper nesting than it takes.
        return _ENCODED(value)


def parsed(text: str | bytes) -> Any:
    """The value of a stored JSON text; integers beyond 64 bits become floats, as in JavaScript."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        # Half of a surrogate pair, or deeper nesting than it takes.
        return json.loads(text)
