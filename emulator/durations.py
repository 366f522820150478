"""Durations in workspaces, scenarios, rules, URLs and on command lines: `90s`, `3h59m`, `4 hours`, `PT4H`."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from datetime import timedelta

from emulator.errors import InputError

# A hundred years: any time of the emulator's clock and this duration make a time that Python can represent.
LONGEST = timedelta(days=36_525)
ALLOWED = "days, hours, minutes and seconds in this order: 90s, 15m, 4h, 2d, 3h59m, 4 hours, PT4H"

_NUMBER = r"[0-9]+(\.[0-9]+)?"
_UNITS = {"d": "days", "h": "hours", "m": "minutes", "s": "seconds"}
_WORDS = tuple(
    f"{_NUMBER} ?{spelled}" for spelled in ("d(ays?)?", "h(rs?|ours?)?", "m(ins?|inutes?)?", "s(ecs?|econds?)?")
)
_TIME = tuple(f"{_NUMBER}{letter}" for letter in "HMS")
_PART = re.compile(rf"({_NUMBER}) ?([A-Za-z])")


def _one_or_more(parts: Sequence[str], between: str = "") -> str:
    """A pattern for one or more of these parts in order, each at most once."""
    first, *rest = parts
    followed = first + "".join(f"({between}{part})?" for part in rest)
    return f"{followed}|{_one_or_more(rest, between)}" if rest else followed


# The pattern of the contracts too, so it has nothing that JSON Schema lacks.
PATTERN = re.compile(
    f"^({_one_or_more(_WORDS, ' ?')}|P({_NUMBER}D(T({_one_or_more(_TIME)}))?|T({_one_or_more(_TIME)})))$"
)


def parse_duration(text: str, *, where: str | None = None) -> timedelta:
    """`"3h59m"` → three hours and 59 minutes.

    Raises InputError for anything that `PATTERN` does not match, and for more than LONGEST.
    """
    if not PATTERN.fullmatch(text):
        raise InputError("invalid duration", where=where, found=text, allowed=ALLOWED)
    given = {_UNITS[part[3].lower()]: float(part[1]) for part in _PART.finditer(text)}
    try:
        duration = timedelta(**given)
    except OverflowError:
        duration = timedelta.max
    if duration > LONGEST:
        raise InputError("this duration is too long", where=where, found=text, allowed="at most a hundred years")
    return duration


def in_words(duration: timedelta) -> str:
    """`3h59m`, `1d2h`, `45s`: rounded up to seconds, at least one; `parse_duration` reads it."""
    rest = max(math.ceil(duration.total_seconds()), 1)
    parts = []
    for unit, seconds in (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)):
        count, rest = divmod(rest, seconds)
        parts += [f"{count}{unit}"] if count else []
    return "".join(parts)
