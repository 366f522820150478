"""What counts as an email, and when two of them are the same person. Assumed: syntactic validity, any case."""

from __future__ import annotations

import re
from typing import Any

LONGEST = 254
_LONGEST_LOCAL_PART = 64

MISSING_EMAIL = "MISSING_EMAIL"
INVALID_EMAIL = "INVALID_EMAIL"

_ATOM = r"[^\W_]|[-!#$%&'*+/=?^_`{|}~]"
_LABEL = r"[^\W_](?:[^\W_]|-)*(?<!-)"
_ADDRESS = re.compile(rf"(?P<local>(?:{_ATOM})+(?:\.(?:{_ATOM})+)*)@(?:{_LABEL}\.)+(?!\d+$){_LABEL}")


def normalise(email: str) -> str:
    """The form under which a profile is kept: trimmed, lower case."""
    return email.strip().lower()


def is_valid(email: str) -> bool:
    """Whether a normalised address is one: `local@domain.tld`, at most 254 characters, no quoting, no comments."""
    if len(email) > LONGEST:
        return False
    match = _ADDRESS.fullmatch(email)
    return match is not None and len(match["local"]) <= _LONGEST_LOCAL_PART


def read_email(value: Any) -> tuple[str | None, str | None]:
    """The normalised address of a record's value, or the reason code why there is none."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return None, MISSING_EMAIL
    if not isinstance(value, str):
        return None, INVALID_EMAIL
    email = normalise(value)
    return (email, None) if is_valid(email) else (None, INVALID_EMAIL)
