"""`strftime` of LiquidJS: its conversions, flags and widths, in English."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from emulator.mapping.liquid.values import charge

_CONVERSION = re.compile(r"%([-_0^#:]+)?([0-9]+)?([EO])?(.)")
_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_WIDTHS = {**dict.fromkeys("CdeHIklmMSUWy", 2), "j": 3, "L": 3, "Y": 4}
_PADDED_WITH_SPACES = frozenset("aAbBceklpP")
_NANOSECOND_DIGITS = 9
_ORDINALS = {1: "st", 2: "nd", 3: "rd"}
_TEENS = (11, 12, 13)


def formatted(moment: datetime, pattern: str, *, zone: str) -> str:
    """The moment in the pattern; `zone` is what `%Z` prints, the offset when it is empty. Unknown conversions stay."""
    return _CONVERSION.sub(lambda conversion: _converted(moment, conversion, zone), pattern)


def _converted(moment: datetime, conversion: re.Match[str], zone: str) -> str:
    flags, width, letter = conversion[1] or "", int(conversion[2] or 0), conversion[4]
    if letter not in _CONVERSIONS and letter not in "zZN":
        return conversion[0]
    shown = _shown(moment, letter, flags, width, zone)
    if "^" in flags:
        shown = shown.upper()
    elif "#" in flags:
        shown = shown.upper() if any("a" <= character <= "z" for character in shown) else shown.lower()
    return _padded(shown, letter, flags, width)


def _shown(moment: datetime, letter: str, flags: str, width: int, zone: str) -> str:
    if letter == "N":
        wanted = width or _NANOSECOND_DIGITS
        charge(wanted)
        return f"{moment.microsecond // 1000:03d}"[:wanted].ljust(wanted, "0")
    if letter == "z" or (letter == "Z" and not zone):
        return _offset(moment, ":" if ":" in flags else "")
    return zone if letter == "Z" else str(_CONVERSIONS[letter](moment))


def _padded(shown: str, letter: str, flags: str, width: int) -> str:
    filler = " " if letter in _PADDED_WITH_SPACES else "0"
    if "_" in flags:
        filler = " "
    elif "0" in flags:
        filler = "0"
    charge(width)
    return shown.rjust(0 if "-" in flags else width or _WIDTHS.get(letter, 0), filler)


def _offset(moment: datetime, colon: str) -> str:
    minutes = int((moment.utcoffset() or timedelta()).total_seconds() // 60)
    hours, rest = divmod(abs(minutes), 60)
    return f"{'-' if minutes < 0 else '+'}{hours:02d}{colon}{rest:02d}"


def _hour12(moment: datetime) -> int:
    return moment.hour % 12 or 12


def _day_of_year(moment: datetime) -> int:
    return moment.timetuple().tm_yday


def _week(moment: datetime, days_since_start: int) -> int:
    return (_day_of_year(moment) - 1 - days_since_start + 7) // 7


def _ordinal(moment: datetime) -> str:
    return "th" if moment.day in _TEENS else _ORDINALS.get(moment.day % 10, "th")


def _date(moment: datetime) -> str:
    return f"{moment.month}/{moment.day}/{moment.year}"


def _time(moment: datetime) -> str:
    return f"{_hour12(moment)}:{moment.minute:02d}:{moment.second:02d} {'AM' if moment.hour < 12 else 'PM'}"


_CONVERSIONS: Mapping[str, Callable[[datetime], object]] = {
    "a": lambda moment: _DAYS[moment.weekday()][:3],
    "A": lambda moment: _DAYS[moment.weekday()],
    "b": lambda moment: _MONTHS[moment.month - 1][:3],
    "B": lambda moment: _MONTHS[moment.month - 1],
    "c": lambda moment: f"{_date(moment)}, {_time(moment)}",
    "C": lambda moment: moment.year // 100,
    "d": lambda moment: moment.day,
    "e": lambda moment: moment.day,
    "h": lambda moment: _MONTHS[moment.month - 1][:3],
    "H": lambda moment: moment.hour,
    "I": _hour12,
    "j": _day_of_year,
    "k": lambda moment: moment.hour,
    "l": _hour12,
    "L": lambda moment: moment.microsecond // 1000,
    "m": lambda moment: moment.month,
    "M": lambda moment: moment.minute,
    "n": lambda _moment: "\n",
    "p": lambda moment: "AM" if moment.hour < 12 else "PM",
    "P": lambda moment: "am" if moment.hour < 12 else "pm",
    "q": _ordinal,
    "s": lambda moment: int(moment.timestamp() // 1),
    "S": lambda moment: moment.second,
    "t": lambda _moment: "\t",
    "u": lambda moment: moment.isoweekday(),
    "U": lambda moment: _week(moment, moment.isoweekday() % 7),
    "w": lambda moment: moment.isoweekday() % 7,
    "W": lambda moment: _week(moment, moment.weekday()),
    "x": _date,
    "X": _time,
    "y": lambda moment: moment.year % 100,
    "Y": lambda moment: moment.year,
    "%": lambda _moment: "%",
}
