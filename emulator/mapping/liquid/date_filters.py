"""Date filters of LiquidJS. The engine's machines stand at UTC, and so does the emulator."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from emulator.mapping.javascript import UNDEFINED, is_number, to_number
from emulator.mapping.liquid.strftime import formatted
from emulator.mapping.liquid.values import WrongValue, is_nil, number, text

DEFAULT_FORMAT = "%A, %B %-e, %Y at %-l:%M %P %z"
XML_SCHEMA = "%Y-%m-%dT%H:%M:%S%:z"
MILLISECONDS = 1000
RFC_822 = "%a, %d %b %Y %H:%M:%S %z"

_LONGEST_MONTH = 31
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECONDS = re.compile("[0-9]+")
_ISO = re.compile(r"\d{4}-\d\d(-\d\d)?([T ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:?\d\d)?)?", re.ASCII)
# What V8 reads besides ISO 8601, in the forms that people write.
_OTHER_FORMS = (
    "%Y",
    "%Y/%m/%d",
    "%m/%d/%Y",
    "%B %d, %Y",
    "%b %d, %Y",
    "%B %d %Y",
    "%b %d %Y",
    "%d %B %Y",
    "%d %b %Y",
    "%a, %d %b %Y",
)
_TIMES = ("", " %H:%M", " %H:%M:%S", " %H:%M:%S GMT", " %H:%M:%S %z")

Now = Callable[[], datetime]


def date_filters(now: Now) -> Mapping[str, Callable[..., object]]:
    """The date filters, with `now` for the words `now` and `today`. What is no date passes unchanged."""

    def date(value: object, pattern: object = UNDEFINED, zone: object = UNDEFINED) -> object:
        moment = _moment(value, now)
        if moment is None:
            return value
        shown = moment if is_nil(zone) else _shifted(moment, zone)
        return formatted(shown, DEFAULT_FORMAT if is_nil(pattern) else text(pattern), zone=_zone_name(zone))

    def fixed(pattern: str) -> Callable[[object], object]:
        return lambda value: date(value, pattern)

    def written(month: str) -> Callable[..., object]:
        def named(value: object, kind: object = UNDEFINED, style: object = UNDEFINED) -> object:
            if kind != "ordinal":
                return date(value, f"%d {month} %Y")
            return date(value, f"{month} %-d%q, %Y" if style == "US" else f"%-d%q {month} %Y")

        return named

    return {
        "date": date,
        "date_to_xmlschema": fixed(XML_SCHEMA),
        "date_to_rfc822": fixed(RFC_822),
        "date_to_string": written("%b"),
        "date_to_long_string": written("%B"),
    }


def _moment(value: object, now: Now) -> datetime | None:
    if value in ("now", "today"):
        return now().astimezone(UTC)
    if isinstance(value, bool):
        return _since_epoch(value / MILLISECONDS)
    if is_number(value) or (isinstance(value, str) and _SECONDS.fullmatch(value)):
        return _since_epoch(to_number(value))
    return _parsed(value) if isinstance(value, str) else None


def _since_epoch(seconds: float) -> datetime | None:
    try:
        return _EPOCH + timedelta(milliseconds=int(seconds * MILLISECONDS))
    except (OverflowError, ValueError):
        return None


def _parsed(source: str) -> datetime | None:
    if _ISO.fullmatch(source):
        return _parsed_iso(source)
    for form in _OTHER_FORMS:
        for time in _TIMES:
            try:
                read = datetime.strptime(source.strip(), form + time)
            except ValueError:
                continue
            return read if read.tzinfo else read.replace(tzinfo=UTC)
    return None


def _parsed_iso(source: str) -> datetime | None:
    """ISO 8601; V8 lets the 30th of February roll over into March."""
    month, day, time = source[:7], int(source[8:10] or 1), source[10:]
    if not 1 <= day <= _LONGEST_MONTH:
        return None
    try:
        read = datetime.fromisoformat(f"{month}-01{time}") + timedelta(days=day - 1)
    except ValueError:
        return None
    return (read if read.tzinfo else read.replace(tzinfo=UTC)).astimezone(UTC)


def _shifted(moment: datetime, zone: object) -> datetime:
    """The moment in a zone given by name, or by minutes west of Greenwich as JavaScript counts them."""
    try:
        offset = ZoneInfo(zone) if isinstance(zone, str) else timezone(timedelta(minutes=-number(zone)))
        return moment.astimezone(offset)
    except (ZoneInfoNotFoundError, ValueError, OverflowError):
        raise WrongValue(f"Invalid time zone specified: {text(zone)}") from None


def _zone_name(zone: object) -> str:
    if is_nil(zone):
        return "UTC"
    return zone if isinstance(zone, str) else ""
