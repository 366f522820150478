"""Filters of LiquidJS that calculate with JavaScript's doubles: `5 | divided_by: 2` is 2.5, by 0 it is Infinity."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from emulator.mapping.javascript.values import MAX_SAFE_INTEGER, double, number_to_string, to_number
from emulator.mapping.liquid.values import number, strict_number

Number = int | float


def absolute(value: object) -> Number:
    return abs(number(value))


def at_least(value: object, bound: object = -math.inf) -> Number:
    return max(number(value), number(bound))


def at_most(value: object, bound: object = math.inf) -> Number:
    return min(number(value), number(bound))


def ceil(value: object) -> Number:
    return _whole(math.ceil, number(value))


def floor(value: object) -> Number:
    return _whole(math.floor, number(value))


def _whole(rounded: Callable[[float], int], found: Number) -> Number:
    return double(rounded(found)) if math.isfinite(found) else found


def _argument(value: object) -> Number:
    """An argument as a number; one that was left out is NaN and spoils the result."""
    return math.nan if value is None else number(value)


def plus(value: object, addend: object = None) -> Number:
    return double(number(value) + _argument(addend))


def minus(value: object, subtrahend: object = None) -> Number:
    return double(number(value) - _argument(subtrahend))


def times(value: object, factor: object = None) -> Number:
    return double(number(value) * _argument(factor))


def divided_by(value: object, divisor: object = None, whole: object = False) -> Number:
    quotient = _quotient(number(value), _argument(divisor))
    return _whole(math.floor, quotient) if number(whole) else quotient


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
    """The decimal point moved through the number's text, which keeps 1.005 exact."""
    mantissa, _, power = number_to_string(value).partition("e")
    exponent = number_to_string(int(power or "0") + places)
    return to_number(f"{mantissa}e{exponent}")


def to_integer(value: object) -> Number:
    """In spite of its name any number."""
    return strict_number(value)


NUMBER_FILTERS: Mapping[str, Callable[..., object]] = {
    "abs": absolute,
    "at_least": at_least,
    "at_most": at_most,
    "ceil": ceil,
    "divided_by": divided_by,
    "floor": floor,
    "minus": minus,
    "modulo": modulo,
    "plus": plus,
    "round": rounded,
    "times": times,
    "to_integer": to_integer,
}
