"""Filters of LiquidJS for lists and for values of any kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import reduce

from emulator.mapping.javascript.values import UNDEFINED, double, to_string, truthy, utf16_length
from emulator.mapping.liquid.values import (
    ceiling,
    charge,
    equal,
    is_nil,
    items,
    member,
    number,
    strict_number,
    text,
    whole,
)


def default(value: object, fallback: object = UNDEFINED, allow_false: object = False) -> object:
    """The fallback for nil, false, and an empty text or list. Zero stays."""
    if isinstance(value, str | list):
        return value or fallback
    if value is False and truthy(allow_false):
        return value
    return fallback if value is False or is_nil(value) else value


def join(value: object, separator: object = UNDEFINED) -> str:
    glue = " " if is_nil(separator) else text(separator)
    pieces = ["" if is_nil(item) else to_string(item) for item in items(value)]
    charge(len(glue) * len(pieces) + sum(map(len, pieces)))
    return glue.join(pieces)


def first(value: object) -> object:
    return member(value, 0) if isinstance(value, str | list) else ""


def last(value: object) -> object:
    if not isinstance(value, str | list):
        return ""
    return value[-1] if value else UNDEFINED


def size(value: object) -> object:
    """The length of a text or list; an object has none."""
    if isinstance(value, str):
        return utf16_length(value)
    return len(value) if isinstance(value, list) else 0


def total(value: object, path: object = UNDEFINED) -> object:
    """The sum of the items, or of a member of each; what is no number counts nothing."""
    numbers = (strict_number(_at(item, path) if truthy(path) else item) for item in items(value))
    return double(sum(found for found in numbers if found == found))


def _at(item: object, path: object) -> object:
    return reduce(member, text(path).split("."), item)


def compact(value: object) -> list[object]:
    return [item for item in items(value) if not is_nil(item)]


def push(value: object, item: object = UNDEFINED) -> list[object]:
    return [*items(value), item]


def unshift(value: object, item: object = UNDEFINED) -> list[object]:
    return [item, *items(value)]


def pop(value: object) -> list[object]:
    return items(value)[:-1]


def shift(value: object) -> list[object]:
    return items(value)[1:]


def cut(value: object, begin: object = 0, length: object = 1) -> object:
    """`slice`: a stretch of a list or of a text, counted in code points; a negative begin counts from the end."""
    if is_nil(value):
        return []
    source = value if isinstance(value, list) else text(value)
    start, count = number(begin), number(1 if length is UNDEFINED else length)
    charge(count)
    start = len(source) + start if start < 0 else start
    nowhere = begin is UNDEFINED and isinstance(source, list)  # the end of that stretch is no number
    if start < 0 or count < 0 or nowhere:
        return source[:0]
    if isinstance(source, list):
        return source[whole(start) : whole(start + count)]
    return source[ceiling(start) : ceiling(start) + ceiling(count)]


def where(value: object, path: object = UNDEFINED, expected: object = UNDEFINED) -> list[object]:
    """The items whose member equals the expected value, or is neither false nor nil when none is given."""

    def wanted(item: object) -> bool:
        found = _at(item, path)
        if expected is UNDEFINED:
            return found is not False and not is_nil(found)
        return equal(found, expected)

    return [item for item in items(value) if wanted(item)]


def sample(value: object, count: object = 1) -> object:
    """LiquidJS draws at random; here it is always the first items, so that a mapping gives the same twice."""
    if is_nil(value):
        return []
    source = value if isinstance(value, list) else list(text(value))
    return (source[0] if source else UNDEFINED) if count == 1 else source[: whole(count)]


def raw(value: object) -> object:
    return value


LIST_FILTERS: Mapping[str, Callable[..., object]] = {
    "compact": compact,
    "default": default,
    "first": first,
    "join": join,
    "last": last,
    "pop": pop,
    "push": push,
    "raw": raw,
    "sample": sample,
    "shift": shift,
    "size": size,
    "slice": cut,
    "sum": total,
    "unshift": unshift,
    "where": where,
}
