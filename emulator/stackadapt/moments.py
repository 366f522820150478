"""Moments as the database keeps them: whole milliseconds since 1970, UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from emulator.clock import to_iso

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def to_millis(moment: datetime) -> int:
    """Milliseconds since 1970, rounded down."""
    return (moment - _EPOCH) // _MILLISECOND


def from_millis(millis: int) -> datetime:
    """The moment again."""
    return _EPOCH + millis * _MILLISECOND


def iso_of(millis: int) -> str:
    """The moment as text: UTC, milliseconds, `Z`."""
    return to_iso(from_millis(millis))
