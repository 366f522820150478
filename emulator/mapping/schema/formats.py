"""The text formats of fields, as strict as ajv-formats 2 in its full mode."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable, Mapping

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9]+(?:-+[A-Za-z0-9]+)*"
_EMAIL = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@{_LABEL}(?:\.{_LABEL})+")
_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_GREGORIAN_CYCLE_YEARS = 400


def is_email(text: str) -> bool:
    """Dot-separated ASCII atoms, `@`, at least two host labels; no quotes, no address literals, no length limit."""
    return _EMAIL.fullmatch(text) is not None


def is_calendar_date(text: str) -> bool:
    """`YYYY-MM-DD` of a day that exists; the year may be 0000."""
    match = _DATE.fullmatch(text)
    if match is None:
        return False
    year, month, day = map(int, match.groups())
    if not 1 <= month <= 12:
        return False
    return 1 <= day <= monthrange(year % _GREGORIAN_CYCLE_YEARS + _GREGORIAN_CYCLE_YEARS, month)[1]


FORMATS: Mapping[str, Callable[[str], bool]] = {"email": is_email, "date": is_calendar_date}
