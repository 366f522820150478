"""LiquidJS's conversions of values to strings, numbers and arrays, its comparisons and its look-ups.

Within a template a string is a sequence of UTF-16 units, as in JavaScript: a character beyond U+FFFF is two of them.
`text` splits such characters; `joined_units` combines them again for output, keys and digests.
"""

from __future__ import annotations

import math

from emulator.mapping.javascript.values import (
    MAX_SAFE_INTEGER,
    UNDEFINED,
    WHITESPACE,
    double,
    is_array_index,
    is_nullish,
    joined_units,
    split_units,
    strictly_equal,
    to_number,
    to_string,
    utf16_length,
)
from emulator.mapping.liquid.drops import Blank, Drop, Empty, Nil, drop_member, plain

# A string as UTF-16 units; the halves of a pair are lone surrogates.
units = split_units


def text(value: object) -> str:
    """The printed value: nothing for nil, arrays without separators, otherwise `String(value)`."""
    value = plain(value)
    if is_nullish(value):
        return ""
    if isinstance(value, list):
        return "".join(map(text, value))
    return units(to_string(value))


def primitive(value: object) -> object:
    """The operand of an operator: arrays and objects as strings."""
    value = plain(value)
    return to_string(value) if isinstance(value, list | dict | Drop) else value


def strict_number(value: object) -> int | float:
    """`Number(value)`, possibly NaN."""
    return to_number(primitive(value))


def number(value: object) -> int | float:
    """`+value || 0`."""
    found = strict_number(value)
    return 0 if math.isnan(found) else double(found)


def whole(value: object) -> int:
    """A number as a position or length: truncated, and at most the largest exact integer of a double."""
    return int(min(max(number(value), -MAX_SAFE_INTEGER), MAX_SAFE_INTEGER))


def ceiling(value: object) -> int:
    """A number as a count of characters: rounded up, not negative."""
    return math.ceil(min(max(number(value), 0), MAX_SAFE_INTEGER))


def items(value: object) -> list[object]:
    """An array itself, an empty one for nil, otherwise one with the value."""
    value = plain(value)
    if is_nullish(value):
        return []
    return value if isinstance(value, list) else [value]


def is_true(value: object) -> bool:
    """Whether a value is true in a condition: all but false and nil, including 0 and the empty string."""
    value = plain(value)
    return value is not False and not is_nullish(value)


def equal(left: object, right: object) -> bool:
    """`==` of LiquidJS: strict, but by item for arrays, and with special rules for `nil`, `empty` and `blank`."""
    for one, other in ((left, right), (right, left)):
        if isinstance(one, Nil):
            return is_nullish(plain(other))
        if isinstance(one, Empty):
            return not isinstance(other, Empty) and _is_empty(plain(other), blank=isinstance(one, Blank))
    if isinstance(left, list):
        if not isinstance(right, list) or len(left) != len(right):
            return False
        return all(map(equal, left, right))
    if isinstance(left, str) and isinstance(right, str):
        return joined_units(left) == joined_units(right)
    return strictly_equal(left, right)


def _is_empty(value: object, *, blank: bool) -> bool:
    if blank and (value is False or is_nullish(value)):
        return True
    if isinstance(value, str):
        return not (value.strip(WHITESPACE) if blank else value)
    return isinstance(value, list | dict) and not value


def contains(left: object, right: object) -> bool:
    """`contains`: an equal item in an array, or a substring; false for anything else."""
    left = plain(left)
    if isinstance(left, list):
        return any(equal(item, right) for item in left)
    return isinstance(left, str) and units(to_string(plain(right))) in units(left)


def key_of(value: object) -> str:
    """A value as the name of a member: `String(value)`."""
    return joined_units(to_string(plain(value)))


def member(value: object, key: object) -> object:
    """A property in LiquidJS: own members, and `size`, `first`, `last` unless a member has the name."""
    if is_nullish(value):
        return value
    key = plain(key)
    if isinstance(value, list) and isinstance(key, int | float) and not isinstance(key, bool):
        return _at(value, key)
    name = key_of(key)
    if isinstance(value, Drop):
        return drop_member(value, name)
    found = _own(value, name)
    if found is not UNDEFINED:
        return found
    if key == "size":
        return _size(value)
    if key in ("first", "last") and isinstance(value, list):
        return _at(value, 0 if key == "first" else -1)
    return UNDEFINED


def _own(value: object, name: str) -> object:
    if isinstance(value, dict):
        return value.get(name, UNDEFINED)
    if isinstance(value, list):
        if is_array_index(name):
            return _at(value, int(name))
        return len(value) if name == "length" else UNDEFINED
    if isinstance(value, str):
        if is_array_index(name):
            position, parts = int(name), units(value)
            return parts[position] if position < len(parts) else UNDEFINED
        return utf16_length(value) if name == "length" else UNDEFINED
    return UNDEFINED


def _size(value: object) -> object:
    if isinstance(value, str):
        return utf16_length(value)
    return len(value) if isinstance(value, list | dict) else UNDEFINED


def _at(value: list[object], position: int | float) -> object:
    """An item; a negative position counts from the end."""
    if not -len(value) <= position < len(value) or position != int(position):
        return UNDEFINED
    return value[int(position)]
