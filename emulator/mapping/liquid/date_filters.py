"""LiquidJS date filters at UTC, the time zone of the engine, and their `strftime` in English."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from emulator.mapping.javascript.date_parse import parse_date
from emulator.mapping.javascript.values import UNDEFINED, is_nullish, is_number, to_number, to_string
from emulator.mapping.liquid.values import FilterError, check_size, number, text

DEFAULT_FORMAT = "%A, %B %-e, %Y at %-l:%M %P %z"
XML_SCHEMA = "%Y-%m-%dT%H:%M:%S%:z"
MILLISECONDS = 1000
RFC_822 = "%a, %d %b %Y %H:%M:%S %z"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECONDS = re.compile("[0-9]+")

_CONVERSION = re.compile(r"%([-_0^#:]+)?([0-9]+)?([EO])?(.)")
_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November"),
    "December",
)
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_WIDTHS = {**dict.fromkeys("CdeHIklmMSUWy", 2), "j": 3, "L": 3, "Y": 4}
_PADDED_WITH_SPACES = frozenset("aAbBceklpP")
_NANOSECOND_DIGITS = 9
_ORDINALS = {1: "st", 2: "nd", 3: "rd"}
_TEENS = (11, 12, 13)

Now = Callable[[], datetime]


def date_filters(now: Now) -> Mapping[str, Callable[..., object]]:
    """The date filters; `now` gives the value of `now` and `today`. Other values than dates are unchanged."""

    def date(value: object, pattern: object = UNDEFINED, zone: object = UNDEFINED) -> object:
        when = _datetime(value, now)
        if when is None:
            return value
        return formatted(
            when if is_nullish(zone) else _in_zone(when, zone),
            DEFAULT_FORMAT if is_nullish(pattern) else text(pattern),
            zone=_zone_name(zone),
        )

    def written(month: str) -> Callable[..., object]:
        def named(value: object, kind: object = UNDEFINED, style: object = UNDEFINED) -> object:
            if kind != "ordinal":
                return date(value, f"%d {month} %Y")
            return date(value, f"{month} %-d%q, %Y" if style == "US" else f"%-d%q {month} %Y")

        return named

    return {
        "date": date,
        "date_to_xmlschema": lambda value: date(value, XML_SCHEMA),
        "date_to_rfc822": lambda value: date(value, RFC_822),
        "date_to_string": written("%b"),
        "date_to_long_string": written("%B"),
    }


def _datetime(value: object, now: Now) -> datetime | None:
    """A value as a date: seconds since 1970, or a string that V8 parses; None for anything else."""
    if is_nullish(value):
        return None
    if value in ("now", "today"):
        return now().astimezone(UTC)
    if isinstance(value, bool):
        return _since_epoch(int(value))
    if is_number(value) or (isinstance(value, str) and _SECONDS.fullmatch(value)):
        return _since_epoch(to_number(value) * MILLISECONDS)
    milliseconds = parse_date(to_string(value))
    return None if milliseconds is None else _since_epoch(milliseconds)


def _since_epoch(milliseconds: float) -> datetime | None:
    """None also for the years before 1 and after 9999, which LiquidJS supports and `datetime` does not."""
    try:
        return _EPOCH + timedelta(milliseconds=int(milliseconds))
    except (OverflowError, ValueError):
        return None


def _in_zone(when: datetime, zone: object) -> datetime:
    """Converts to a zone given by name, or by minutes west of Greenwich as in JavaScript."""
    try:
        offset = ZoneInfo(zone) if isinstance(zone, str) else timezone(timedelta(minutes=-number(zone)))
        return when.astimezone(offset)
    except (ZoneInfoNotFoundError, ValueError, OverflowError):
        raise FilterError(f"Invalid time zone specified: {text(zone)}") from None


def _zone_name(zone: object) -> str:
    if is_nullish(zone):
        return "UTC"
    return zone if isinstance(zone, str) else ""


def formatted(when: datetime, pattern: str, *, zone: str) -> str:
    """`when` in the pattern; `%Z` prints `zone`, or the offset if that is empty. Unknown conversions are unchanged."""
    return _CONVERSION.sub(lambda conversion: _converted(when, conversion, zone), pattern)


def _converted(when: datetime, conversion: re.Match[str], zone: str) -> str:
    flags, width, letter = conversion[1] or "", int(conversion[2] or 0), conversion[4]
    if letter not in _CONVERSIONS and letter not in "zZN":
        return conversion[0]
    shown = _shown(when, letter, flags, width, zone)
    if "^" in flags:
        shown = shown.upper()
    elif "#" in flags:
        shown = shown.upper() if any("a" <= character <= "z" for character in shown) else shown.lower()
    return _padded(shown, letter, flags, width)


def _shown(when: datetime, letter: str, flags: str, width: int, zone: str) -> str:
    if letter == "N":
        wanted = width or _NANOSECOND_DIGITS
        check_size(wanted)
        return f"{when.microsecond // 1000:03d}"[:wanted].ljust(wanted, "0")
    if letter == "z" or (letter == "Z" and not zone):
        return _offset(when, ":" if ":" in flags else "")
    return zone if letter == "Z" else str(_CONVERSIONS[letter](when))


def _padded(shown: str, letter: str, flags: str, width: int) -> str:
    filler = " " if letter in _PADDED_WITH_SPACES else "0"
    if "_" in flags:
        filler = " "
    elif "0" in flags:
        filler = "0"
    check_size(width)
    return shown.rjust(0 if "-" in flags else width or _WIDTHS.get(letter, 0), filler)


def _offset(when: datetime, colon: str) -> str:
    minutes = int((when.utcoffset() or timedelta()).total_seconds() // 60)
    hours, rest = divmod(abs(minutes), 60)
    return f"{'-' if minutes < 0 else '+'}{hours:02d}{colon}{rest:02d}"


def _numeric(conversion: str) -> Callable[[datetime], int]:
    return lambda when: int(when.strftime(conversion))


def _ordinal(when: datetime) -> str:
    return "th" if when.day in _TEENS else _ORDINALS.get(when.day % 10, "th")


def _date(when: datetime) -> str:
    return f"{when.month}/{when.day}/{when.year}"


def _time(when: datetime) -> str:
    return f"{when.hour % 12 or 12}:{when.minute:02d}:{when.second:02d} {'AM' if when.hour < 12 else 'PM'}"


_CONVERSIONS: Mapping[str, Callable[[datetime], object]] = {
    **{letter: _numeric(f"%{letter}") for letter in "dHIjmMSuUwWyY"},
    **{letter: _numeric(f"%{same}") for letter, same in (("e", "d"), ("k", "H"), ("l", "I"))},
    "a": lambda when: _DAYS[when.weekday()][:3],
    "A": lambda when: _DAYS[when.weekday()],
    "b": lambda when: _MONTHS[when.month - 1][:3],
    "B": lambda when: _MONTHS[when.month - 1],
    "c": lambda when: f"{_date(when)}, {_time(when)}",
    "C": lambda when: when.year // 100,
    "h": lambda when: _MONTHS[when.month - 1][:3],
    "L": lambda when: when.microsecond // 1000,
    "n": lambda _instant: "\n",
    "p": lambda when: "AM" if when.hour < 12 else "PM",
    "P": lambda when: "am" if when.hour < 12 else "pm",
    "q": _ordinal,
    "s": lambda when: int(when.timestamp() // 1),
    "t": lambda _instant: "\t",
    "x": _date,
    "X": _time,
    "%": lambda _instant: "%",
}
