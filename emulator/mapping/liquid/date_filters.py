"""Date filters of LiquidJS. The engine's machines stand at UTC, and so does the emulator."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from emulator.mapping.javascript.date_parse import parse_date
from emulator.mapping.javascript.values import UNDEFINED, is_number, to_number, to_string
from emulator.mapping.liquid.strftime import formatted
from emulator.mapping.liquid.values import WrongValue, is_nil, number, text

DEFAULT_FORMAT = "%A, %B %-e, %Y at %-l:%M %P %z"
XML_SCHEMA = "%Y-%m-%dT%H:%M:%S%:z"
MILLISECONDS = 1000
RFC_822 = "%a, %d %b %Y %H:%M:%S %z"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECONDS = re.compile("[0-9]+")

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
    """The moment that a value names: seconds since 1970, or whatever V8 takes for a date; None for no date."""
    if is_nil(value):
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
    """None also for moments before the year 1 and after 9999, which LiquidJS knows and `datetime` does not."""
    try:
        return _EPOCH + timedelta(milliseconds=int(milliseconds))
    except (OverflowError, ValueError):
        return None


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
