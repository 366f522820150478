"""Durations in workspaces and on command lines: `90s`, `15m`, `4h`, `2d`."""

from __future__ import annotations

import re
from datetime import timedelta

from emulator.errors import InputError

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
PATTERN = re.compile(r"\d+(\.\d+)?[smhd]", re.ASCII)


def parse_duration(text: str, *, where: str | None = None) -> timedelta:
    """`"4h"` → four hours. Raises InputError for anything but a number and one of s, m, h, d."""
    if not PATTERN.fullmatch(text):
        raise InputError(
            "invalid duration",
            where=where,
            found=text,
            allowed="a number followed by s, m, h or d: 90s, 15m, 4h, 2d",
        )
    try:
        return timedelta(**{_UNITS[text[-1]]: float(text[:-1])})
    except OverflowError:
        raise InputError(
            "this duration is too long", where=where, found=text, allowed="less than a billion days"
        ) from None
