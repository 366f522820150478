"""LiquidJS filters for numbers, which are JavaScript's doubles: `5 | divided_by: 2` is 2.5."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TypeAlias

from emulator.mapping.javascript.values import MAX_SAFE_INTEGER, UNDEFINED, double, number_to_string, to_number
from emulator.mapping.liquid.rendering import Context, Filter, fitting
from emulator.mapping.liquid.values import number, strict_number

Number: TypeAlias = int | float


def _of_numbers(function: Callable[..., Number]) -> Filter:
    """A filter of numbers; an argument that is not one counts as 0."""
    fitted = fitting(function)
    return lambda _context, *values: fitted(*map(number, values))


def _integer(rounded: Callable[[float], int]) -> Callable[[Number], Number]:
    return lambda found: double(rounded(found)) if math.isfinite(found) else found


_floor = _integer(math.floor)


def divided_by(dividend: Number, divisor: Number = math.nan, whole: Number = 0) -> Number:
    quotient = _quotient(dividend, divisor)
    return _floor(quotient) if whole else quotient


def _quotient(dividend: Number, divisor: Number) -> Number:
    if divisor == 0:
        return math.nan if dividend == 0 else math.copysign(math.inf, dividend)
    return double(dividend / divisor)


def modulo(dividend: Number, by: Number = math.nan) -> Number:
    """The remainder with the sign of the divisor."""
    return _remainder(_remainder(dividend, by) + by, by)


def _remainder(dividend: Number, by: Number) -> Number:
    if by == 0 or math.isnan(by) or not math.isfinite(dividend):
        return math.nan
    return double(math.fmod(dividend, by))


def rounded(_context: Context, value: object, places: object = UNDEFINED) -> Number:
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


NUMBER_FILTERS: Mapping[str, Filter] = {
    "abs": _of_numbers(lambda value: abs(value)),
    "at_least": _of_numbers(lambda *values: max(values)),
    "at_most": _of_numbers(lambda *values: min(values)),
    "ceil": _of_numbers(_integer(math.ceil)),
    "divided_by": _of_numbers(divided_by),
    "floor": _of_numbers(_floor),
    "minus": _of_numbers(lambda value, subtrahend=math.nan: double(value - subtrahend)),
    "modulo": _of_numbers(modulo),
    "plus": _of_numbers(lambda value, addend=math.nan: double(value + addend)),
    "round": rounded,
    "times": _of_numbers(lambda value, factor=math.nan: double(value * factor)),
    "to_integer": lambda _context, value: strict_number(value),  # any number, despite the name
}
