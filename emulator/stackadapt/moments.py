"""Moments as the database keeps them: whole milliseconds since 1970, UTC."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from emulator.clock import to_iso

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z", re.ASCII)


def to_millis(moment: datetime) -> int:
    """Milliseconds since 1970, rounded down."""
    return (moment - _EPOCH) // _MILLISECOND


def from_millis(millis: int) -> datetime:
    """The moment again."""
    return _EPOCH + millis * _MILLISECOND


def iso_of(millis: int) -> str:
    """The moment as text: UTC, milliseconds, `Z`."""
    return to_iso(from_millis(millis))


def is_iso(text: str) -> bool:
    """Whether a text is a moment as `iso_of` writes it."""
    return _ISO.fullmatch(text) is not None
