"""How LiquidJS sees values: as text, as a number, as a list."""

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
    strictly_equal,
    to_number,
    to_string,
    utf16_length,
    utf16_units,
)

MEMORY_LIMIT = 100_000_000
"""How many characters or items a template may make at once; Segment sets LiquidJS the same number."""


class WrongValue(FilterArgumentError):
    """A value or argument at which a filter throws. python-liquid adds the place."""

    def __init__(self, message: str) -> None:
        super().__init__(message, token=None)


def charge(size: float) -> None:
    """Raises WrongValue before something is made that is larger than the limit."""
    if size > MEMORY_LIMIT:
        raise WrongValue("memory alloc limit exceeded")


def plain(value: object) -> object:
    """A value of python-liquid as JSON value or UNDEFINED: its undefined objects, `empty` and ranges taken apart."""
    if is_undefined(value):
        return UNDEFINED
    if isinstance(value, Empty | Blank):
        return ""
    if isinstance(value, Nil):
        return None
    return list(value) if isinstance(value, range) else value


def is_nil(value: object) -> bool:
    """Null or undefined."""
    return value is None or value is UNDEFINED


def text(value: object) -> str:
    """What LiquidJS prints: nothing for nil, lists without separator, the rest as `String` does."""
    value = plain(value)
    if is_nil(value):
        return ""
    if isinstance(value, list):
        return "".join(map(text, value))
    return to_string(value)


def primitive(value: object) -> object:
    """A list or object as the text that operators see."""
    return to_string(value) if isinstance(value, list | dict) else value


def strict_number(value: object) -> int | float:
    """`Number(value)`: NaN for what is none."""
    return to_number(primitive(value))


def number(value: object) -> int | float:
    """`+value || 0`: what is no number counts as 0."""
    try:
        found = strict_number(value)
    except ConversionError:
        return 0
    return 0 if math.isnan(found) else double(found)


def whole(value: object) -> int:
    """A number as a position or length: without its fraction, and no larger than a double holds exactly."""
    return int(min(max(number(value), -MAX_SAFE_INTEGER), MAX_SAFE_INTEGER))


def ceiling(value: object) -> int:
    """A number as a count of characters: not negative, a fraction counts as one more."""
    return math.ceil(min(max(number(value), 0), MAX_SAFE_INTEGER))


def items(value: object) -> list[object]:
    """A list as it is, nothing for nil, anything else as the only item."""
    if is_nil(value):
        return []
    return value if isinstance(value, list) else [value]


def equal(left: object, right: object) -> bool:
    """`==` of LiquidJS: strict, but lists go item by item, and `nil`, `empty` and `blank` have their own meaning."""
    for one, other in ((left, right), (right, left)):
        if isinstance(one, Nil):
            return isinstance(other, Nil) or is_nil(plain(other))
        if isinstance(one, Empty | Blank):
            return _is_empty(plain(other), blank=isinstance(one, Blank)) and not isinstance(other, type(one))
    left, right = plain(left), plain(right)
    if isinstance(left, list):
        if not isinstance(right, list) or len(left) != len(right):
            return False
        return all(map(equal, left, right))
    return strictly_equal(left, right)


def _is_empty(value: object, *, blank: bool) -> bool:
    if blank and (value is False or is_nil(value)):
        return True
    if isinstance(value, str):
        return not (value.strip() if blank else value)
    return isinstance(value, list | dict) and not value


def less(left: object, right: object) -> bool:
    """`left < right` of JavaScript: two texts by their characters, anything else as numbers."""
    left, right = primitive(left), primitive(right)
    if isinstance(left, str) and isinstance(right, str):
        return left < right
    return to_number(left) < to_number(right)


def less_or_equal(left: object, right: object) -> bool:
    """`left <= right` of JavaScript."""
    left, right = primitive(left), primitive(right)
    if isinstance(left, str) and isinstance(right, str):
        return left <= right
    return to_number(left) <= to_number(right)


def contains(left: object, right: object) -> bool:
    """`contains`: an equal item in a list, or a piece of a text; nothing else contains anything."""
    if isinstance(left, list):
        return any(equal(item, right) for item in left)
    return isinstance(left, str) and to_string(right) in left


def member(value: object, key: object) -> object:
    """A property as LiquidJS reads it: own members only, and `size`, `first`, `last` where no member has the name."""
    if is_nil(value):
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
