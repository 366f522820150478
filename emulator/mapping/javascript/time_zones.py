"""The time zones of `Intl.DateTimeFormat` by name, and their offsets as LiquidJS finds them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from emulator.mapping.javascript.calendar import (
    CYCLE_DAYS,
    DAY_MILLISECONDS,
    MAX_MILLISECONDS,
    CivilTime,
    civil_time,
    days_since_epoch,
)
from emulator.mapping.javascript.date_parse import with_century

# Files of the time zone database that are no names of zones.
_NOT_NAMES = frozenset({"factory", "localtime", "posixrules"})
_ABBREVIATIONS = {
    "ACT": "Australia/Darwin",
    "AET": "Australia/Sydney",
    "AGT": "America/Argentina/Buenos_Aires",
    "ART": "Africa/Cairo",
    "AST": "America/Anchorage",
    "BET": "America/Sao_Paulo",
    "BST": "Asia/Dhaka",
    "CAT": "Africa/Maputo",
    "CNT": "America/St_Johns",
    "CST": "America/Chicago",
    "CTT": "Asia/Shanghai",
    "EAT": "Africa/Addis_Ababa",
    "ECT": "Europe/Paris",
    "IET": "America/Indiana/Indianapolis",
    "IST": "Asia/Kolkata",
    "JST": "Asia/Tokyo",
    "MIT": "Pacific/Apia",
    "NET": "Asia/Yerevan",
    "NST": "Pacific/Auckland",
    "PLT": "Asia/Karachi",
    "PNT": "America/Phoenix",
    "PRT": "America/Puerto_Rico",
    "PST": "America/Los_Angeles",
    "SST": "Pacific/Guadalcanal",
    "VST": "Asia/Ho_Chi_Minh",
}
"""Names that Node knows beside those of the time zone database."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST = datetime(2, 1, 1, tzinfo=UTC)
_CYCLE_MILLISECONDS = CYCLE_DAYS * DAY_MILLISECONDS
_LAST_MILLISECONDS = days_since_epoch(9000, 1, 1) * DAY_MILLISECONDS
_MINUTE_MILLISECONDS = 60_000


def zone_named(name: str) -> ZoneInfo:
    """A time zone by name, in any letter case. Raises ZoneInfoNotFoundError."""
    key = _ABBREVIATIONS.get(name.upper()) or _keys().get(name.lower())
    if key is None:
        raise ZoneInfoNotFoundError(name)
    return ZoneInfo(key)


@cache
def _keys() -> dict[str, str]:
    return {key.lower(): key for key in available_timezones() if key.lower() not in _NOT_NAMES}


def minutes_west(zone: ZoneInfo, milliseconds: int) -> float | None:
    """The minutes from the zone to UTC at a time, with a fraction before zones had whole minutes.

    LiquidJS prints the time in the zone and at UTC, reads both again and subtracts. What is printed lacks the era and
    the first digits of the years before 100, so the difference is off by years around the turn of such a year. None if
    one of the two is out of the range of dates.
    """
    shifted = _read_again(civil_time(milliseconds + _seconds_east(zone, milliseconds) * 1000))
    at_utc = _read_again(civil_time(milliseconds))
    return None if shifted is None or at_utc is None else (at_utc - shifted) / _MINUTE_MILLISECONDS


def _seconds_east(zone: ZoneInfo, milliseconds: int) -> int:
    """The offset; far in the future the rules of the last years repeat every 400 years, as the calendar does."""
    if milliseconds > _LAST_MILLISECONDS:
        cycles = (milliseconds - _LAST_MILLISECONDS) // _CYCLE_MILLISECONDS + 1
        milliseconds -= cycles * _CYCLE_MILLISECONDS
    first = (_FIRST - _EPOCH) // timedelta(milliseconds=1)
    when = _EPOCH + timedelta(milliseconds=max(milliseconds, first))
    return int((when.astimezone(zone).utcoffset() or timedelta()).total_seconds())


def _read_again(when: CivilTime) -> int | None:
    """A printed date and time without era and milliseconds, read by V8."""
    days = days_since_epoch(with_century(when.era_year), when.month, when.day)
    found = days * DAY_MILLISECONDS + ((when.hour * 60 + when.minute) * 60 + when.second) * 1000
    return found if abs(found) <= MAX_MILLISECONDS else None
