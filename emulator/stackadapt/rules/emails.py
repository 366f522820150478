"""Which strings are valid emails, and which of them are equal. Assumed: a syntactic check, case-insensitive."""

from __future__ import annotations

import re
from typing import Any

LONGEST = 254
_LONGEST_LOCAL_PART = 64

MISSING_EMAIL = "MISSING_EMAIL"
INVALID_EMAIL = "INVALID_EMAIL"

_ATOM = r"[\w!#$%&'*+/=?^`{|}~-]+"
_LABEL = r"[^\W_]+(?:-+[^\W_]+)*"
_ADDRESS = re.compile(rf"(?P<local>{_ATOM}(?:\.{_ATOM})*)@(?:{_LABEL}\.)+(?!\d+$){_LABEL}")


def normalise(email: str) -> str:
    """An email as profiles keep it: trimmed, in lower case."""
    return email.strip().lower()


def is_valid(email: str) -> bool:
    """Whether a normalised email is `local@domain.tld`, at most 254 characters, without quotes or comments."""
    if len(email) > LONGEST:
        return False
    match = _ADDRESS.fullmatch(email)
    return match is not None and len(match["local"]) <= _LONGEST_LOCAL_PART


def read_email(value: Any) -> tuple[str | None, str | None]:
    """The normalised email in a record's value and None, or None and the reason code."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return None, MISSING_EMAIL
    if not isinstance(value, str):
        return None, INVALID_EMAIL
    email = normalise(value)
    return (email, None) if is_valid(email) else (None, INVALID_EMAIL)
