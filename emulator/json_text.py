"""JSON text for storage: compact, and written in C."""

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
