"""LiquidJS filters for arrays, numbers (JavaScript's doubles: `5 | divided_by: 2` is 2.5) and values of any type."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import reduce

from emulator.mapping.javascript.values import (
    MAX_SAFE_INTEGER,
    UNDEFINED,
    double,
    is_nullish,
    number_to_string,
    to_number,
    to_string,
    truthy,
    utf16_length,
)
from emulator.mapping.liquid.values import ceiling, check_size, equal, items, member, number, strict_number, text, whole


def default(value: object, fallback: object = UNDEFINED, allow_false: object = False) -> object:
    """The fallback for nil, false, and an empty string or array, but not for 0."""
    if isinstance(value, str | list):
        return value or fallback
    if value is False and truthy(allow_false):
        return value
    return fallback if value is False or is_nullish(value) else value


def join(value: object, separator: object = UNDEFINED) -> str:
    glue = " " if is_nullish(separator) else text(separator)
    pieces = ["" if is_nullish(item) else to_string(item) for item in items(value)]
    check_size(len(glue) * len(pieces) + sum(map(len, pieces)))
    return glue.join(pieces)


def last(value: object) -> object:
    if not isinstance(value, str | list):
        return ""
    return value[-1] if value else UNDEFINED


def size(value: object) -> object:
    """The length of a string or array, otherwise 0."""
    if isinstance(value, str):
        return utf16_length(value)
    return len(value) if isinstance(value, list) else 0


def total(value: object, path: object = UNDEFINED) -> object:
    """The sum of the items, or of a member of each; other values than numbers are ignored."""
    numbers = (strict_number(_at(item, path) if truthy(path) else item) for item in items(value))
    return double(sum(found for found in numbers if found == found))


def _at(item: object, path: object) -> object:
    return reduce(member, text(path).split("."), item)


def cut(value: object, begin: object = 0, length: object = 1) -> object:
    """`slice`: a part of an array or string, in code points; a negative begin counts from the end."""
    if is_nullish(value):
        return []
    source = value if isinstance(value, list) else text(value)
    start, count = number(begin), number(1 if length is UNDEFINED else length)
    check_size(count)
    start = len(source) + start if start < 0 else start
    no_end = begin is UNDEFINED and isinstance(source, list)  # the end is NaN
    if start < 0 or count < 0 or no_end:
        return source[:0]
    if isinstance(source, list):
        return source[whole(start) : whole(start + count)]
    return source[ceiling(start) : ceiling(start) + ceiling(count)]


def where(value: object, path: object = UNDEFINED, expected: object = UNDEFINED) -> list[object]:
    """The items whose member equals the expected value, or is neither false nor nil without one."""

    def wanted(item: object) -> bool:
        found = _at(item, path)
        if expected is UNDEFINED:
            return found is not False and not is_nullish(found)
        return equal(found, expected)

    return [item for item in items(value) if wanted(item)]


def sample(value: object, count: object = 1) -> object:
    """The first items: LiquidJS draws at random, but a mapping here must be reproducible."""
    if is_nullish(value):
        return []
    source = value if isinstance(value, list) else list(text(value))
    return (source[0] if source else UNDEFINED) if count == 1 else source[: whole(count)]


LIST_FILTERS: Mapping[str, Callable[..., object]] = {
    "compact": lambda value: [item for item in items(value) if not is_nullish(item)],
    "default": default,
    "first": lambda value: member(value, 0) if isinstance(value, str | list) else "",
    "join": join,
    "last": last,
    "pop": lambda value: items(value)[:-1],
    "push": lambda value, item=UNDEFINED: [*items(value), item],
    "raw": lambda value: value,
    "sample": sample,
    "shift": lambda value: items(value)[1:],
    "size": size,
    "slice": cut,
    "sum": total,
    "unshift": lambda value, item=UNDEFINED: [item, *items(value)],
    "where": where,
}


Number = int | float


def _integer(rounded: Callable[[float], int], found: Number) -> Number:
    return double(rounded(found)) if math.isfinite(found) else found


def _argument(value: object) -> Number:
    """An argument as a number; without one the result is NaN."""
    return math.nan if value is None else number(value)


def divided_by(value: object, divisor: object = None, whole: object = False) -> Number:
    quotient = _quotient(number(value), _argument(divisor))
    return _integer(math.floor, quotient) if number(whole) else quotient


def _quotient(dividend: Number, divisor: Number) -> Number:
    if divisor == 0:
        return math.nan if dividend == 0 or math.isnan(dividend) else math.copysign(math.inf, dividend)
    return double(dividend / divisor)


def modulo(value: object, divisor: object = None) -> Number:
    """The remainder with the sign of the divisor."""
    dividend, by = number(value), _argument(divisor)
    if by == 0 or math.isnan(by) or math.isinf(dividend):
        return math.nan
    return double(math.fmod(math.fmod(dividend, by) + by, by))


def rounded(value: object, places: object = 0) -> Number:
    """Rounded half away from zero, to a number of decimal places."""
    found, shift = number(value), number(places)
    scaled = _shifted(abs(found), shift)
    if not scaled <= MAX_SAFE_INTEGER:
        return found
    below = math.floor(scaled)
    result = _shifted(below + (scaled - below >= 0.5), -shift)
    return -result if found < 0 else result


def _shifted(value: Number, places: Number) -> Number:
    """Moves the decimal point in the string of the number, which keeps 1.005 exact."""
    mantissa, _, power = number_to_string(value).partition("e")
    exponent = number_to_string(int(power or "0") + places)
    return to_number(f"{mantissa}e{exponent}")


NUMBER_FILTERS: Mapping[str, Callable[..., object]] = {
    "abs": lambda value: abs(number(value)),
    "at_least": lambda value, bound=-math.inf: max(number(value), number(bound)),
    "at_most": lambda value, bound=math.inf: min(number(value), number(bound)),
    "ceil": lambda value: _integer(math.ceil, number(value)),
    "divided_by": divided_by,
    "floor": lambda value: _integer(math.floor, number(value)),
    "minus": lambda value, subtrahend=None: double(number(value) - _argument(subtrahend)),
    "modulo": modulo,
    "plus": lambda value, addend=None: double(number(value) + _argument(addend)),
    "round": rounded,
    "times": lambda value, factor=None: double(number(value) * _argument(factor)),
    "to_integer": lambda value: strict_number(value),  # any number, despite the name
}
