"""How the values of a profile property are read, by the property's declared type (`ProfilePropertyData`).

A value is kept with its kind: `text`, `number`, `boolean` or `list`. Dates are text that sorts by time. What cannot be
read leaves the property as it was. The accepted spellings are assumed; the service's are not public.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any, NamedTuple

from emulator.clock import to_iso
from emulator.stackadapt.rules.texts import is_storable

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
# Beyond this a whole number is a float in every database.
_EXACT = 2**53


class Value(NamedTuple):
    """A value that was read: its kind and what is kept."""

    kind: str
    content: str | int | float | bool | list[str]


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
    if not isinstance(value, str):
        return None
    text = value.strip()
    match = _ISO.fullmatch(text)
    try:
        if match:
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
        moment = datetime.fromisoformat(f"{match[1]}T{match[2] or '00:00'}{'+00:00' if zone == 'Z' else zone}")
        return Value(TEXT, to_iso(moment.astimezone(UTC)))
    except (ValueError, OverflowError):
        return None


def _list(value: Any) -> Value | None:
    items = value if isinstance(value, list) else [value]
    texts = [_text(item) for item in items]
    if any(text is None for text in texts):
        return None
    return Value(LIST, list(dict.fromkeys(str(text.content) for text in texts if text)))


def _inferred(value: Any) -> Value | None:
    if isinstance(value, bool):
        return _boolean(value)
    if isinstance(value, int | float):
        return _number(value)
    return _list(value) if isinstance(value, list) else _text(value)


# Members of `ProfilePropertyData`; those that are not here are read as text.
_READERS: Mapping[str, Callable[[Any], Value | None]] = {
    "BOOLEAN": _boolean,
    "DATE": _date,
    "DATETIME": _datetime,
    "INFERRED": _inferred,
    "NUMBER": _number,
    "STRING_LIST": _list,
}


def is_read_as_text(data_type: str) -> bool:
    """Whether values of the type are kept as the text that they are."""
    return data_type not in _READERS


def read_value(value: Any, data_type: str, choices: frozenset[str] = frozenset()) -> Value | None:
    """What is kept of a JSON value under a declared type, or None when it cannot be read.

    `choices` are the values of an ENUMERATION that names some; another value cannot be read.
    """
    reader = _READERS.get(data_type, _text)
    read = reader(value)
    if read is not None and choices and read.content not in choices:
        return None
    return read
