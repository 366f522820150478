"""JSON text, compact, written and read in C."""

from __future__ import annotations

import json
from typing import Any, Final

import orjson

_ENCODED: Final = json.JSONEncoder(separators=(",", ":")).encode
_READABLE: Final = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode


def compact(value: Any) -> str:
    """A JSON value as text without spaces."""
    try:
        return orjson.dumps(value).decode()
    except orjson.JSONEncodeError:
        # Half of a surrogate pair, an integer beyond 64 bits, or deeper nesting than it takes.
        return _ENCODED(value)


def sent(value: Any) -> bytes:
    """A JSON value as the body of a response; half of a surrogate pair, which UTF-8 has not, becomes `?`."""
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError:
        return _READABLE(value).encode("utf-8", "replace")


def parsed(text: str | bytes) -> Any:
    """The value of a stored JSON text; integers beyond 64 bits become floats, as in JavaScript."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        # Half of a surrogate pair, or deeper nesting than it takes.
        return json.loads(text)
