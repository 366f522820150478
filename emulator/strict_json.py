"""JSON as RFC 8259 defines it.

Python's own reader also takes NaN and Infinity, UTF-16, UTF-32 and a byte order mark, and turns 1e999 into infinity;
its writer writes infinity as `Infinity`.
"""

from __future__ import annotations

import json
from math import isfinite, isinf
from typing import Any, NoReturn


def parse(text: str | bytes) -> Any:
    """The value of a JSON text, as UTF-8 if it is bytes.

    Raises ValueError for anything else and for a number too large for a double, RecursionError for too deep nesting.
    """
    return json.loads(_decoded(text), parse_constant=_refuse_constant, parse_float=_finite)


def parse_as_javascript(text: str | bytes) -> Any:
    """The value that `JSON.parse` returns: infinity for a number too large for a double. Raises as `parse`."""
    return json.loads(_decoded(text), parse_constant=_refuse_constant)


def parse_rewritten(text: str | bytes) -> Any:
    """The value that JavaScript reads and writes again: null for a number too large for a double. Raises as `parse`."""
    return json.loads(_decoded(text), parse_constant=_refuse_constant, parse_float=_finite_or_null)


def without_infinity(value: Any) -> Any:
    """The value with null for every number that JSON has no form for, as `JSON.stringify` has it."""
    if isinstance(value, float):
        return value if isfinite(value) else None
    if isinstance(value, dict):
        return {name: without_infinity(member) for name, member in value.items()}
    if isinstance(value, list | tuple):
        return [without_infinity(item) for item in value]
    return value


def _decoded(text: str | bytes) -> str:
    return text.decode() if isinstance(text, bytes) else text


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")


def _finite_or_null(digits: str) -> float | None:
    number = float(digits)
    return None if isinf(number) else number


def _finite(digits: str) -> float:
    number = float(digits)
    if isinf(number):
        raise ValueError("a number is too large")
    return number
