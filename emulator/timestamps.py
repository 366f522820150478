"""Moments as Segment reads, stores and prints them.

Incoming timestamps are ISO 8601 with `Z` or an offset, to the millisecond, microsecond or nanosecond (the Python
library sends `+00:00`, the Node library `Z`).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo

from emulator.clock import to_iso

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z", re.ASCII)


def to_millis(moment: datetime) -> int:
    """Whole milliseconds since 1970."""
    return (moment - _EPOCH) // MILLISECOND


def from_millis(millis: int) -> datetime:
    """The moment so many milliseconds after 1970."""
    return _EPOCH + millis * MILLISECOND


def iso_of_millis(millis: int) -> str:
    """As both companies print it: `2026-01-02T03:04:05.678Z`."""
    return to_iso(from_millis(millis))


def is_iso(text: str) -> bool:
    """Whether a string is a timestamp as `iso_of_millis` writes it."""
    return _ISO.fullmatch(text) is not None


def iso_nanoseconds(moment: datetime) -> str:
    """As Engage prints `originalTimestamp`: nine digits of a second."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{moment.microsecond:06d}000Z"


def parse_moment(value: object) -> datetime | None:
    """The moment in a timestamp, or None when it is none. A timestamp without a zone is UTC."""
    return _parsed(value, zone=UTC)


def parse_zoned(value: object) -> datetime | None:
    """The moment in a timestamp that names its zone, or None: the date operators of Engage take no other."""
    return _parsed(value, zone=None)


def _parsed(value: object, *, zone: tzinfo | None) -> datetime | None:
    """`zone` is that of a timestamp without one; None refuses it."""
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is None:
            return None if zone is None else moment.replace(tzinfo=zone)
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def corrected(*, original: datetime, sent: datetime | None, received: datetime) -> datetime:
    """The event's time on the server's clock: `receivedAt - (sentAt - originalTimestamp)`.

    Without `sentAt` the original stands. A result that no calendar holds is the time of receipt.
    """
    if sent is None:
        return original
    try:
        return received - (sent - original)
    except OverflowError:
        return received
