"""V8's `Date.parse`: the destination types a custom property as a date when V8 accepts it, templates print dates.

V8 first parses the ISO format of ECMAScript. Where that stops, it continues with a lenient parser of numbers, month
names, times and zones: `gold 1` is a date, `hello` is not. Rules observed on V8 11 (Node 20) at UTC; the result does
not depend on the clock.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from emulator.mapping.javascript.calendar import DAY_MILLISECONDS, MAX_MILLISECONDS, days_since_epoch
from emulator.mapping.javascript.date_tokens import Kind, Token, Tokens

_MAX_ZONE_SECONDS = 2**31 - 1
_UNSIGNED_32 = 2**32


class _NotADate(Exception):
    """The string is not a date, whatever follows."""


def is_date(text: str) -> bool:
    """Whether `Date.parse(text)` is a number rather than NaN."""
    return parse_date(text) is not None


def parse_date(text: str) -> int | None:
    """`Date.parse(text)`: milliseconds since 1970, at UTC without a zone; None in place of NaN."""
    parser = _DateParser(Tokens(text))
    try:
        parser.legacy(parser.iso())
    except _NotADate:
        return None
    return parser.timestamp()


def with_century(year: int) -> int:
    """A year of one or two digits as V8 understands it, outside of the ISO format."""
    if not 0 <= year <= 99:
        return year
    return year + (2000 if year <= 49 else 1900)


@dataclass(slots=True)
class _Day:
    parts: list[int] = field(default_factory=list)
    named_month: int | None = None
    iso: bool = False

    def add(self, number: int) -> None:
        if len(self.parts) == 3:
            raise _NotADate
        self.parts.append(number)

    def year_month_day(self) -> tuple[int, int, int] | None:
        """The calendar day; days past the end of a month are allowed. None for an invalid one."""
        if not self.parts:
            return None
        first, second, third = [*self.parts, 1, 1][:3]
        if self.named_month is not None:
            day, year = (first, second) if 1 <= first <= 31 else (second, first)
            month = self.named_month
        elif self.iso or not 1 <= first <= 31:
            year, month, day = first, second, third
        else:
            year, month, day = third, first, second
        if not self.iso:
            year = with_century(year)
        return (year, month, day) if 1 <= month <= 12 and 1 <= day <= 31 else None


@dataclass(slots=True)
class _Time:
    parts: list[int] = field(default_factory=list)
    half_day_hours: int | None = None

    def add(self, number: int) -> None:
        if len(self.parts) == 4:
            raise _NotADate
        self.parts.append(number)

    def add_final(self, number: int) -> None:
        self.parts = [*self.parts, number, 0, 0, 0][:4]

    def expects(self, number: int) -> bool:
        limit = {1: 60, 2: 60, 3: 1000}.get(len(self.parts))
        return limit is not None and number < limit

    def milliseconds(self) -> int | None:
        hour, minute, second, millisecond = (self.parts + [0] * 4)[:4]
        if self.half_day_hours is not None:
            if hour > 12:
                return None
            hour = hour % 12 + self.half_day_hours
        in_range = hour < 24 and minute < 60 and second < 60 and millisecond < 1000
        if not in_range and (hour, minute, second, millisecond) != (24, 0, 0, 0):
            return None
        return ((hour * 60 + minute) * 60 + second) * 1000 + millisecond


@dataclass(slots=True)
class _Zone:
    sign: int | None = None
    hour: int | None = None
    minute: int | None = None

    def set_hours(self, offset: int) -> None:
        self.sign, self.hour, self.minute = (-1 if offset < 0 else 1), abs(offset), 0

    def expects(self, number: int) -> bool:
        return self.hour is not None and self.minute is None and number < 60

    def is_utc(self) -> bool:
        return self.hour == 0 and self.minute == 0

    def milliseconds(self) -> int | None:
        if self.sign is None:
            return 0
        seconds = ((self.hour or 0) * 3600 + (self.minute or 0) * 60) % _UNSIGNED_32
        return self.sign * seconds * 1000 if seconds <= _MAX_ZONE_SECONDS else None


class _DateParser:
    """Collects a day, a time and a zone from the tokens of one string."""

    def __init__(self, tokens: Tokens) -> None:
        self.tokens = tokens
        self.day = _Day()
        self.time = _Time()
        self.zone = _Zone()
        self.seen_number = False

    def timestamp(self) -> int | None:
        day, time, zone = self.day.year_month_day(), self.time.milliseconds(), self.zone.milliseconds()
        if day is None or time is None or zone is None:
            return None
        milliseconds = days_since_epoch(*day) * DAY_MILLISECONDS + time - zone
        return milliseconds if abs(milliseconds) <= MAX_MILLISECONDS else None

    def iso(self) -> Token:
        """Parses as much of the ISO format as there is; returns the first token of the rest."""
        tokens = self.tokens
        if tokens.peek().is_sign():
            sign = tokens.next()
            if not tokens.peek().is_digits(6) or (sign.text == "-" and tokens.peek().number == 0):
                if tokens.peek().is_digits(6):
                    tokens.next()
                return sign
            self.day.add(tokens.next().number * (-1 if sign.text == "-" else 1))
        elif tokens.peek().is_digits(4):
            self.day.add(tokens.next().number)
        else:
            return tokens.next()
        for limit in (12, 31):
            if not tokens.skip("-"):
                break
            if not tokens.peek().is_digits(2) or not 1 <= tokens.peek().number <= limit:
                return tokens.next()
            self.day.add(tokens.next().number)
        if tokens.peek().kind is Kind.TIME_SEPARATOR:
            self._iso_time()
        elif tokens.peek().kind is not Kind.END:
            return tokens.next()
        self.day.iso = True
        return tokens.next()

    def _iso_time(self) -> None:
        """`T10:00`, `T10:00:00.123` or `T24:00`, with or without a zone, to the end of the string."""
        tokens = self.tokens
        tokens.next()
        hour = self._two_digits(24)
        self.time.add(hour)
        if not tokens.skip(":"):
            raise _NotADate
        limit = 0 if hour == 24 else 59
        self.time.add(self._two_digits(limit))
        if tokens.skip(":"):
            self.time.add(self._two_digits(limit))
            if tokens.skip("."):
                fraction = tokens.next()
                if fraction.kind is not Kind.NUMBER or (hour == 24 and fraction.number > 0):
                    raise _NotADate
                self.time.add(fraction.milliseconds())
        self._iso_zone()
        if tokens.peek().kind is not Kind.END:
            raise _NotADate

    def _iso_zone(self) -> None:
        tokens = self.tokens
        if tokens.peek().is_z():
            tokens.next()
            self.zone.set_hours(0)
        elif tokens.peek().is_sign():
            self.zone.sign = -1 if tokens.next().text == "-" else 1
            if tokens.peek().is_digits(4):
                self.zone.hour, self.zone.minute = divmod(tokens.next().number, 100)
                if self.zone.hour > 23 or self.zone.minute > 59:
                    raise _NotADate
                return
            self.zone.hour = self._two_digits(23)
            if not tokens.skip(":"):
                raise _NotADate
            self.zone.minute = self._two_digits(59)

    def _two_digits(self, limit: int) -> int:
        token = self.tokens.next()
        if not token.is_digits(2) or token.number > limit:
            raise _NotADate
        return token.number

    def legacy(self, token: Token) -> None:
        """Parses the rest leniently, in any order."""
        self.seen_number = bool(self.day.parts)
        while token.kind is not Kind.END:
            if token.kind is Kind.NUMBER:
                self.seen_number = True
                self._number(token.number)
            elif token.is_word():
                self._word(token)
            elif token.is_sign() and (self.zone.is_utc() or self.time.parts):
                self._offset(token)
            elif (token.is_sign() or token.text == ")") and self.seen_number:
                raise _NotADate
            token = self.tokens.next()

    def _number(self, number: int) -> None:
        tokens = self.tokens
        if tokens.skip(":"):
            if tokens.skip(":"):
                if self.time.parts:
                    raise _NotADate
                self.time.parts = [number, 0]
            else:
                self.time.add(number)
                tokens.skip(".")
        elif tokens.skip(".") and self.time.expects(number):
            self.time.add(number)
            if tokens.peek().kind is not Kind.NUMBER:
                raise _NotADate
            self.time.add_final(tokens.next().milliseconds())
        elif self.zone.expects(number):
            self.zone.minute = number
        elif self.time.expects(number):
            self.time.add_final(number)
            following = tokens.peek()
            if not (following.kind in (Kind.END, Kind.SPACE) or following.is_z() or following.is_sign()):
                raise _NotADate
        else:
            self.day.add(number)
            tokens.skip("-")

    def _word(self, token: Token) -> None:
        if token.kind is Kind.HALF_DAY and self.time.parts:
            self.time.half_day_hours = token.number
        elif token.kind is Kind.MONTH:
            self.day.named_month = token.number
            self.tokens.skip("-")
        elif token.kind is Kind.ZONE and self.seen_number:
            self.zone.set_hours(token.number)
        elif self.seen_number or self.tokens.peek().kind is Kind.NUMBER:
            raise _NotADate

    def _offset(self, sign: Token) -> None:
        """`+2`, `+0200`, `+02:00` after a time or after `UTC`."""
        self.zone.sign = -1 if sign.text == "-" else 1
        number, length = 0, 0
        if self.tokens.peek().kind is Kind.NUMBER:
            token = self.tokens.next()
            number, length = token.number, len(token.text)
        self.seen_number = True
        if self.tokens.peek().text == ":":
            self.zone.hour, self.zone.minute = number, None
        elif length in (1, 2):
            self.zone.hour, self.zone.minute = number, 0
        elif length in (3, 4):
            self.zone.hour, self.zone.minute = divmod(number, 100)
        else:
            raise _NotADate
