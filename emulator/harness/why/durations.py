"""Durations in words that `parse_duration` reads."""

from __future__ import annotations

from datetime import timedelta
from math import ceil


def in_words(duration: timedelta) -> str:
    """`3h59m`, `1d2h`, `45s`: rounded up to seconds, at least one."""
    rest = max(ceil(duration.total_seconds()), 1)
    parts = []
    for unit, seconds in (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)):
        count, rest = divmod(rest, seconds)
        parts += [f"{count}{unit}"] if count else []
    return "".join(parts)
