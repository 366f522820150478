"""How values of a profile property are read, by the property's declared type (the enum `ProfilePropertyData`).

A value is stored with its kind: `text`, `number`, `boolean` or `list`. Dates are text that sorts chronologically. A
value that cannot be read does not change the property. The accepted spellings are assumed; the service's are not
public.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import quote, unquote

from emulator.clock import to_iso
from emulator.text import is_storable

TEXT = "text"
NUMBER = "number"
BOOLEAN = "boolean"
LIST = "list"
KINDS = (TEXT, NUMBER, BOOLEAN, LIST)

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_ISO = re.compile(
    r"(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?)[ ]?(Z|[+-]\d{2}:?\d{2})?)?", re.ASCII
)
_MONTH_FIRST = re.compile(r"(\d{1,2})([/-])(\d{1,2})\2(\d{4})", re.ASCII)
_BOOLEANS = {"true": True, "false": False, "1": True, "0": False}
# Beyond this, databases store an integer as a float.
_EXACT = 2**53


class Value(NamedTuple):
    """A value as it is stored: its kind and its content."""

    kind: str
    content: str | int | float | bool | list[str]


def encoded(destination_key: str) -> str:
    """A property's key in characters that every database's JSON paths can address."""
    return quote(destination_key, safe="")


def plain_properties(stored: Mapping[str, Any]) -> dict[str, Any]:
    """Stored properties (`<kind>:<encoded key>`) by their plain keys."""
    return {unquote(key.partition(":")[2]): value for key, value in stored.items()}


def _text(value: Any) -> Value | None:
    if isinstance(value, str):
        return Value(TEXT, value) if is_storable(value) else None
    if isinstance(value, bool | int | float):
        return Value(TEXT, json.dumps(value))
    return None


def _number(value: Any) -> Value | None:
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= sys.float_info.max:
        return None
    if abs(value) > _EXACT:
        return Value(NUMBER, float(value))
    return Value(NUMBER, int(value) if float(value).is_integer() else value)


def _boolean(value: Any) -> Value | None:
    if isinstance(value, str):
        value = _BOOLEANS.get(value.strip().lower())
    elif isinstance(value, int) and value in (0, 1):
        value = bool(value)
    return Value(BOOLEAN, value) if isinstance(value, bool) else None


def _date(value: Any) -> Value | None:
    return _day(value.strip()) if isinstance(value, str) else None


# Thousands of people have birthdays on the same few days.
@lru_cache(maxsize=4096)
def _day(text: str) -> Value | None:
    try:
        if match := _ISO.fullmatch(text):
            return Value(TEXT, date.fromisoformat(match[1]).isoformat())
        if match := _MONTH_FIRST.fullmatch(text):
            return Value(TEXT, date(int(match[4]), int(match[1]), int(match[3])).isoformat())
    except ValueError:
        return None
    return None


def _datetime(value: Any) -> Value | None:
    match = _ISO.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        day = _date(value)
        return Value(TEXT, f"{day.content}T00:00:00.000Z") if day else None
    zone = match[3] or "Z"
    try:
        read = datetime.fromisoformat(f"{match[1]}T{match[2] or '00:00'}{'+00:00' if zone == 'Z' else zone}")
        return Value(TEXT, to_iso(read.astimezone(UTC)))
    except (ValueError, OverflowError):
        return None


def _list(value: Any) -> Value | None:
    texts = [_text(item) for item in (value if isinstance(value, list) else [value])]
    if any(text is None for text in texts):
        return None
    return Value(LIST, list(dict.fromkeys(str(text.content) for text in texts if text)))


def _inferred(value: Any) -> Value | None:
    if isinstance(value, bool):
        return _boolean(value)
    if isinstance(value, int | float):
        return _number(value)
    return _list(value) if isinstance(value, list) else _text(value)


# Every other type of `ProfilePropertyData` is read as text.
_READERS: Mapping[str, Callable[[Any], Value | None]] = {
    "BOOLEAN": _boolean,
    "DATE": _date,
    "DATETIME": _datetime,
    "INFERRED": _inferred,
    "NUMBER": _number,
    "STRING_LIST": _list,
}


def is_read_as_text(data_type: str) -> bool:
    """Whether values of the type are stored as the text they are."""
    return data_type not in _READERS


def read_value(value: Any, data_type: str, choices: frozenset[str] = frozenset()) -> Value | None:
    """A JSON value as it is stored under a declared type, or None when it cannot be read.

    `choices` are the values of an ENUMERATION that lists some; no other value can be read.
    """
    read = _READERS.get(data_type, _text)(value)
    if read is not None and choices and read.content not in choices:
        return None
    return read
