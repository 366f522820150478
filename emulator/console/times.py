"""Times on pages."""

from __future__ import annotations

from datetime import datetime


def minutes_left(now: str, until: str) -> int:
    """How long it is from one time to another, rounded up to minutes; at least one."""
    seconds = (datetime.fromisoformat(until) - datetime.fromisoformat(now)).total_seconds()
    return max(1, -int(-seconds // 60))


def left(now: str, until: str) -> str:
    """The same in words: `3 h 12 min`."""
    hours, minutes = divmod(minutes_left(now, until), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"
