"""LiquidJS's conversions of values to strings, numbers and arrays, and its comparisons and look-ups."""

from __future__ import annotations

import math

from liquid import is_undefined
from liquid.builtin.expressions.primitive import Blank, Empty, Nil
from liquid.exceptions import FilterArgumentError

from emulator.mapping.javascript.values import (
    MAX_SAFE_INTEGER,
    UNDEFINED,
    ConversionError,
    double,
    is_nullish,
    strictly_equal,
    to_number,
    to_string,
    utf16_length,
    utf16_units,
)

MEMORY_LIMIT = 100_000_000
"""The number of characters or items that a template may create at once, as Segment configures it."""


class FilterError(FilterArgumentError):
    """A value or argument at which a filter throws; python-liquid adds the position."""

    def __init__(self, message: str) -> None:
        super().__init__(message, token=None)


def check_size(size: float) -> None:
    """Raises FilterError for a size above the limit, before the value is created."""
    if size > MEMORY_LIMIT:
        raise FilterError("memory alloc limit exceeded")


def plain(value: object) -> object:
    """A value of python-liquid as a JSON value or UNDEFINED."""
    if is_undefined(value):
        return UNDEFINED
    if isinstance(value, Empty | Blank):
        return ""
    if isinstance(value, Nil):
        return None
    return list(value) if isinstance(value, range) else value


def text(value: object) -> str:
    """The printed value: nothing for nil, arrays without separators, otherwise `String(value)`."""
    value = plain(value)
    if is_nullish(value):
        return ""
    if isinstance(value, list):
        return "".join(map(text, value))
    return to_string(value)


def primitive(value: object) -> object:
    """The operand of an operator: arrays and objects as strings."""
    return to_string(value) if isinstance(value, list | dict) else value


def strict_number(value: object) -> int | float:
    """`Number(value)`, possibly NaN."""
    return to_number(primitive(value))


def number(value: object) -> int | float:
    """`+value || 0`."""
    try:
        found = strict_number(value)
    except ConversionError:
        return 0
    return 0 if math.isnan(found) else double(found)


def whole(value: object) -> int:
    """A number as a position or length: truncated, and at most the largest exact integer of a double."""
    return int(min(max(number(value), -MAX_SAFE_INTEGER), MAX_SAFE_INTEGER))


def ceiling(value: object) -> int:
    """A number as a count of characters: rounded up, not negative."""
    return math.ceil(min(max(number(value), 0), MAX_SAFE_INTEGER))


def items(value: object) -> list[object]:
    """An array itself, an empty one for nil, otherwise one with the value."""
    if is_nullish(value):
        return []
    return value if isinstance(value, list) else [value]


def equal(left: object, right: object) -> bool:
    """`==` of LiquidJS: strict, but by item for arrays, and with special rules for `nil`, `empty` and `blank`."""
    for one, other in ((left, right), (right, left)):
        if isinstance(one, Nil):
            return isinstance(other, Nil) or is_nullish(plain(other))
        if isinstance(one, Empty | Blank):
            return _is_empty(plain(other), blank=isinstance(one, Blank)) and not isinstance(other, type(one))
    left, right = plain(left), plain(right)
    if isinstance(left, list):
        if not isinstance(right, list) or len(left) != len(right):
            return False
        return all(map(equal, left, right))
    return strictly_equal(left, right)


def _is_empty(value: object, *, blank: bool) -> bool:
    if blank and (value is False or is_nullish(value)):
        return True
    if isinstance(value, str):
        return not (value.strip() if blank else value)
    return isinstance(value, list | dict) and not value


def contains(left: object, right: object) -> bool:
    """`contains`: an equal item in an array, or a substring; false for anything else."""
    if isinstance(left, list):
        return any(equal(item, right) for item in left)
    return isinstance(left, str) and to_string(right) in left


def member(value: object, key: object) -> object:
    """A property in LiquidJS: own members, and `size`, `first`, `last` unless a member has the name."""
    if is_nullish(value):
        return value
    if isinstance(value, list | str) and isinstance(key, int) and not isinstance(key, bool):
        return _at(value, key)
    name = to_string(key)
    if isinstance(value, dict) and name in value:
        return value[name]
    if isinstance(value, list | str) and name.isdecimal():
        return _at(value, int(name))
    if name in ("size", "length") and isinstance(value, list | str):
        return utf16_length(value) if isinstance(value, str) else len(value)
    if name == "size" and isinstance(value, dict):
        return len(value)
    if name in ("first", "last") and isinstance(value, list):
        return _at(value, 0 if name == "first" else -1)
    return UNDEFINED


def _at(value: list[object] | str, position: int) -> object:
    if isinstance(value, str):
        units = utf16_units(value)
        return units[position] if 0 <= position < len(units) else UNDEFINED
    return value[position] if -len(value) <= position < len(value) else UNDEFINED
