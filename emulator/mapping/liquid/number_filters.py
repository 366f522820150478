"""LiquidJS filters for numbers, with JavaScript's doubles: `5 | divided_by: 2` is 2.5, by 0 it is Infinity."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from emulator.mapping.javascript import MAX_SAFE_INTEGER, double, number_to_string, to_number
from emulator.mapping.liquid.values import number, strict_number

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
