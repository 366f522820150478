"""JSON as RFC 8259 defines it: Python's reader also takes NaN and Infinity, and turns 1e999 into infinity."""

from __future__ import annotations

import json
from math import isinf
from typing import Any, NoReturn


def parse(text: str | bytes) -> Any:
    """The value of a JSON text. Raises ValueError for anything else, RecursionError for one nested too deeply."""
    return json.loads(text, parse_constant=_refuse_constant, parse_float=_finite)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")


def _finite(digits: str) -> float:
    number = float(digits)
    if isinf(number):
        raise ValueError("a number is too large")
    return number
