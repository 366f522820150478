"""Times on pages."""

from __future__ import annotations

from datetime import datetime


def left(now: str, until: str) -> str:
    """How long it is from one time to another, rounded up to minutes: `3 h 12 min`; at least one minute."""
    seconds = (datetime.fromisoformat(until) - datetime.fromisoformat(now)).total_seconds()
    hours, minutes = divmod(max(1, -int(-seconds // 60)), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"
