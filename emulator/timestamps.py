"""Timestamps as both services read, store and print them: milliseconds since 1970 in UTC, and ISO 8601.

The Tracking API takes `Z` or an offset, and up to nine digits of a second: Segment's Python library sends `+00:00`, the
Node library `Z`.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NAIVE_EPOCH = datetime(1970, 1, 1)
MILLISECOND = timedelta(milliseconds=1)
_MINUTE_MILLIS = 60_000
_DAY_MILLIS = 1440 * _MINUTE_MILLIS
_MINUTES = tuple(f"T{minute // 60:02d}:{minute % 60:02d}:" for minute in range(1440))
_SECONDS = tuple(f"{second:02d}." for second in range(60))
_THOUSANDTHS = tuple(f"{number:03d}Z" for number in range(1000))
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z", re.ASCII)


def to_millis(at: datetime) -> int:
    """Milliseconds since 1970, rounded down."""
    return (at - _EPOCH) // MILLISECOND


def from_millis(millis: int) -> datetime:
    """The time so many milliseconds after 1970."""
    return _EPOCH + millis * MILLISECOND


def iso_of_millis(millis: int) -> str:
    """As both services print it: `2026-01-02T03:04:05.678Z`."""
    # From parts that are written already, in half the time: every event has several.
    day, rest = divmod(millis, _DAY_MILLIS)
    minute, rest = divmod(rest, _MINUTE_MILLIS)
    try:
        return f"{_date(day)}{_MINUTES[minute]}{_SECONDS[rest // 1000]}{_THOUSANDTHS[rest % 1000]}"
    except TypeError:
        # A damaged file may have a fraction.
        return f"{(_NAIVE_EPOCH + timedelta(milliseconds=millis)).isoformat(timespec='milliseconds')}Z"


@lru_cache(maxsize=4096)
def _date(day: int) -> str:
    return (_NAIVE_EPOCH + timedelta(days=day)).date().isoformat()


def is_iso(text: str) -> bool:
    """Whether a string is a timestamp in the form of `iso_of_millis`."""
    return _ISO.fullmatch(text) is not None


def iso_nanoseconds(at: datetime) -> str:
    """As Engage prints `originalTimestamp`: with nine digits of a second."""
    return f"{at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='microseconds')}000Z"


def parse_timestamp(value: object) -> datetime | None:
    """The time of an ISO 8601 timestamp, in UTC when it names no zone; None for any other value."""
    return _parse(value, zone=UTC)


def parse_zoned(value: object) -> datetime | None:
    """The time of a timestamp with a zone, else None: Engage's date operators ignore those without one."""
    return _parse(value, zone=None)


def _parse(value: object, *, zone: tzinfo | None) -> datetime | None:
    """`zone` applies to a timestamp that names none; without it such a timestamp gives None."""
    if not isinstance(value, str):
        return None
    try:
        at = datetime.fromisoformat(value)
        if at.tzinfo is None:
            return None if zone is None else at.replace(tzinfo=zone)
        return at.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def corrected(*, original: datetime, sent: datetime | None, received: datetime) -> datetime:
    """The event's time on the server's clock: `receivedAt - (sentAt - originalTimestamp)`.

    `original` when `sent` is missing, `received` when the result is out of range.
    """
    if sent is None:
        return original
    try:
        return received - (sent - original)
    except OverflowError:
        return received
