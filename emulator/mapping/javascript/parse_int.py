"""JavaScript's `parseInt(text, 10)`: the whole number that a text begins with."""

from __future__ import annotations

import re

from emulator.mapping.javascript.values import double, trim

_LEADING = re.compile(r"[+-]?[0-9]+")


def leading_integer(text: str) -> int | float | None:
    """The number, rounded to a double; None where JavaScript has NaN."""
    match = _LEADING.match(trim(text))
    return double(int(match.group())) if match else None
