"""The days and times of JavaScript's dates: milliseconds since 1970, from the year -271821 to 275760.

The calendar is the Gregorian one for all years; the year before 1 is 0, the one before that -1.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

MAX_MILLISECONDS = 8_640_000_000_000_000
DAY_MILLISECONDS = 86_400_000
_CYCLE_YEARS, CYCLE_DAYS = 400, 146_097
_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()


def days_since_epoch(year: int, month: int, day: int) -> int:
    """Days from 1970-01-01; a day past the end of the month continues into the next."""
    cycles, year_in_cycle = divmod(year - 1, _CYCLE_YEARS)
    first_of_month = date(year_in_cycle + 1, month, 1).toordinal()
    return cycles * CYCLE_DAYS + first_of_month - _EPOCH_ORDINAL + day - 1


@dataclass(frozen=True, slots=True)
class CivilTime:
    """A date and time of day. `weekday` is 0 for Sunday."""

    year: int
    month: int
    day: int
    weekday: int
    hour: int
    minute: int
    second: int
    millisecond: int

    @property
    def era_year(self) -> int:
        """The year as English prints it, without saying that it is before Christ: 1 for the year 0."""
        return self.year if self.year > 0 else 1 - self.year


def civil_time(milliseconds: int) -> CivilTime:
    """The date and time at UTC of a number of milliseconds since 1970."""
    days, rest = divmod(milliseconds, DAY_MILLISECONDS)
    cycles, day_in_cycle = divmod(days + _EPOCH_ORDINAL - 1, CYCLE_DAYS)
    found = date.fromordinal(day_in_cycle + 1)
    seconds, millisecond = divmod(rest, 1000)
    minutes, second = divmod(seconds, 60)
    hour, minute = divmod(minutes, 60)
    year, weekday = found.year + cycles * _CYCLE_YEARS, found.isoweekday() % 7
    return CivilTime(year, found.month, found.day, weekday, hour, minute, second, millisecond)
