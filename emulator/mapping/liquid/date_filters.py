"""LiquidJS date filters at UTC, the time zone of the engine, and their `strftime` in American English."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfoNotFoundError

from emulator.mapping.javascript.calendar import MAX_MILLISECONDS, CivilTime, civil_time, days_since_epoch
from emulator.mapping.javascript.date_parse import parse_date
from emulator.mapping.javascript.time_zones import minutes_west, zone_named
from emulator.mapping.javascript.values import (
    UNDEFINED,
    is_nullish,
    is_number,
    joined_units,
    number_to_string,
    to_number,
    to_string,
)
from emulator.mapping.liquid.drops import plain
from emulator.mapping.liquid.rendering import Context, Filter
from emulator.mapping.liquid.template_errors import LiquidFailure
from emulator.mapping.liquid.values import strict_number, text

DEFAULT_FORMAT = "%A, %B %-e, %Y at %-l:%M %P %z"
XML_SCHEMA = "%Y-%m-%dT%H:%M:%S%:z"
RFC_822 = "%a, %d %b %Y %H:%M:%S %z"

_SECONDS = re.compile("[0-9]+")
_SECOND_MILLISECONDS, _MINUTE_MILLISECONDS, _MINUTES = 1000, 60_000, 60
_CONVERSION = re.compile("%([-_0^#:]+)?([0-9]+)?([EO])?([^\n\r\u2028\u2029])")
_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November"),
    "December",
)
_DAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
_WIDTHS = {**dict.fromkeys("CdeHIklmMSUWy", 2), "j": 3, "L": 3, "Y": 4}
_PADDED_WITH_SPACES = frozenset("aAbBceklpP")
_NANOSECOND_DIGITS = 9
_ORDINALS = {1: "st", 2: "nd", 3: "rd"}
_TEENS = (11, 12, 13)


@dataclass(frozen=True, slots=True)
class LiquidDate:
    """A time, as shown in a zone with an offset in minutes west and a name, which is empty if it was not given."""

    milliseconds: int
    shown: CivilTime
    offset: int | float
    zone: str


def date(context: Context, value: object, pattern: object = UNDEFINED, zone: object = UNDEFINED) -> object:
    """The time in a pattern. Other values than dates are unchanged."""
    context.use(_length(value) + _length(zone))
    when = liquid_date(context, value, zone)
    if when is None:
        return value
    pattern = plain(pattern)
    written = DEFAULT_FORMAT if is_nullish(pattern) else text(pattern)
    context.use(len(written))
    return formatted(context, when, written)


def _length(value: object) -> int:
    return len(text(value)) if isinstance(value, str) else len(value) if isinstance(value, list) else 0


def _in_pattern(pattern: str) -> Filter:
    def function(context: Context, value: object) -> object:
        when = liquid_date(context, value)
        return value if when is None else formatted(context, when, pattern)

    return function


def _written(month: str) -> Filter:
    def function(context: Context, value: object, kind: object = UNDEFINED, style: object = UNDEFINED) -> object:
        when = liquid_date(context, value)
        if when is None:
            return value
        if kind != "ordinal":
            return formatted(context, when, f"%d {month} %Y")
        day = f"{when.shown.day}%q"
        return formatted(context, when, f"{month} {day}, %Y" if style == "US" else f"{day} {month} %Y")

    return function


DATE_FILTERS: Mapping[str, Filter] = {
    "date": date,
    "date_to_xmlschema": lambda context, value: date(context, value, XML_SCHEMA),
    "date_to_rfc822": _in_pattern(RFC_822),
    "date_to_string": _written("%b"),
    "date_to_long_string": _written("%B"),
}


def liquid_date(context: Context, value: object, zone: object = UNDEFINED) -> LiquidDate | None:
    """A value as a date, in a zone by name or by minutes west; None if it is none or JavaScript cannot show it."""
    milliseconds = _clipped(_milliseconds(context, plain(value)))
    if milliseconds is None:
        return None
    offset = _offset_in(zone, milliseconds)
    shown = None if offset is None else _clipped(milliseconds - offset * _MINUTE_MILLISECONDS)
    if shown is None or offset is None:
        return None
    return LiquidDate(milliseconds, civil_time(shown), offset, _zone_name(zone))


def _milliseconds(context: Context, value: object) -> float | None:
    """Seconds since 1970, or a string that V8 parses, in milliseconds."""
    if is_nullish(value):
        return None
    if value in ("now", "today"):
        return context.now().timestamp() * _SECOND_MILLISECONDS
    if isinstance(value, bool):
        return int(value)
    if is_number(value) or (isinstance(value, str) and _SECONDS.fullmatch(value)):
        return to_number(value) * _SECOND_MILLISECONDS
    return parse_date(joined_units(to_string(value)))


def _clipped(milliseconds: float | None) -> int | None:
    if milliseconds is None or not abs(milliseconds) <= MAX_MILLISECONDS:
        return None
    return int(milliseconds)


def _offset_in(zone: object, milliseconds: int) -> int | float | None:
    """The offset in minutes west; None for a value that is no number of minutes."""
    if is_nullish(zone):
        return 0
    if not isinstance(zone, str):
        offset = strict_number(zone)
        return offset if math.isfinite(offset) else None
    try:
        return minutes_west(zone_named(zone), milliseconds)
    except ZoneInfoNotFoundError:
        raise LiquidFailure(f"Invalid time zone specified: {_as_v8_quotes(zone)}") from None


def _as_v8_quotes(name: str) -> str:
    """The bytes of the name, each as a character."""
    return joined_units(name).encode("utf-8", "replace").decode("latin-1")


def _zone_name(zone: object) -> str:
    if is_nullish(zone):
        return "UTC"
    return zone if isinstance(zone, str) else ""


def formatted(context: Context, when: LiquidDate, pattern: str) -> str:
    """The date in the pattern. Unknown conversions are unchanged."""
    return _CONVERSION.sub(lambda conversion: _converted(context, when, conversion), pattern)


def _converted(context: Context, when: LiquidDate, conversion: re.Match[str]) -> str:
    flags, width, letter = conversion[1] or "", _width(conversion[2]), conversion[4]
    if letter == "N":
        shown = _fraction(context, when, int(min(width, MAX_MILLISECONDS)) or _NANOSECOND_DIGITS)
    elif letter == "z" or (letter == "Z" and not when.zone):
        shown = _offset(when, ":" if ":" in flags else "")
    elif letter == "Z":
        shown = when.zone
    elif letter == "s":
        shown = str(when.milliseconds // _SECOND_MILLISECONDS)
    elif letter in _CONVERSIONS:
        shown = str(_CONVERSIONS[letter](when.shown))
    else:
        return conversion[0]
    if "^" in flags:
        shown = shown.upper()
    elif "#" in flags:
        shown = shown.upper() if any("a" <= character <= "z" for character in shown) else shown.lower()
    return _padded(context, shown, letter, flags, width)


def _width(digits: str | None) -> float:
    return to_number(digits or "0")


def _fraction(context: Context, when: LiquidDate, digits: int) -> str:
    shown = f"{when.shown.millisecond:03d}"[:digits]
    context.use(digits - len(shown))
    return shown.ljust(digits, "0")


def _padded(context: Context, shown: str, letter: str, flags: str, width: float) -> str:
    filler = " " if letter in _PADDED_WITH_SPACES else "0"
    if "_" in flags:
        filler = " "
    elif "0" in flags:
        filler = "0"
    wanted = 0 if "-" in flags else width or _WIDTHS.get(letter, 0)
    context.use(wanted - len(shown))
    sign = "-" if filler == "0" and shown.startswith("-") else ""
    return sign + shown[len(sign) :].rjust(int(wanted) - len(sign), filler)


def _offset(when: LiquidDate, colon: str) -> str:
    hours, minutes = divmod(abs(when.offset), _MINUTES)
    written = (number_to_string(part).rjust(2, "0") for part in (int(hours), minutes))
    return f"{'-' if when.offset > 0 else '+'}{colon.join(written)}"


def _ordinal(when: CivilTime) -> str:
    return "th" if when.day in _TEENS else _ORDINALS.get(when.day % 10, "th")


def _day_of_year(when: CivilTime) -> int:
    days = days_since_epoch(when.year, when.month, when.day) - days_since_epoch(when.year, 1, 1) + 1
    # LiquidJS does not take the year 0 for a leap year.
    return days - 1 if when.year == 0 and when.month > 2 else days


def _week_of_year(first: int) -> Callable[[CivilTime], int]:
    """The number of a week; the days before the first such day of the year are in week 0."""
    return lambda when: (_day_of_year(when) - 1 - (when.weekday - first) % 7 + 7) // 7


def _date(when: CivilTime) -> str:
    return f"{when.month}/{when.day}/{when.era_year}"


def _time(when: CivilTime) -> str:
    return f"{when.hour % 12 or 12}:{when.minute:02d}:{when.second:02d} {'AM' if when.hour < 12 else 'PM'}"


_CONVERSIONS: Mapping[str, Callable[[CivilTime], object]] = {
    "a": lambda when: _DAYS[when.weekday][:3],
    "A": lambda when: _DAYS[when.weekday],
    **dict.fromkeys("bh", lambda when: _MONTHS[when.month - 1][:3]),
    "B": lambda when: _MONTHS[when.month - 1],
    "c": lambda when: f"{_date(when)}, {_time(when)}",
    "C": lambda when: when.year // 100,
    **dict.fromkeys("de", lambda when: when.day),
    **dict.fromkeys("Hk", lambda when: when.hour),
    **dict.fromkeys("Il", lambda when: when.hour % 12 or 12),
    "j": _day_of_year,
    "L": lambda when: when.millisecond,
    "m": lambda when: when.month,
    "M": lambda when: when.minute,
    "n": lambda _when: "\n",
    "p": lambda when: "AM" if when.hour < 12 else "PM",
    "P": lambda when: "am" if when.hour < 12 else "pm",
    "q": _ordinal,
    "S": lambda when: when.second,
    "t": lambda _when: "\t",
    "u": lambda when: when.weekday or 7,
    "U": _week_of_year(0),
    "w": lambda when: when.weekday,
    "W": _week_of_year(1),
    "x": _date,
    "X": _time,
    "y": lambda when: when.year % 100,
    "Y": lambda when: when.year,
    "%": lambda _when: "%",
}
