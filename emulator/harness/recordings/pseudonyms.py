"""Removes tokens, email addresses and personal data from an exchange before it is written to a file.

- A token becomes `***` everywhere.
- An email address becomes `person-<12 digits>@example.com`, by a keyed hash of the address in lower case: within one
  recording an address always has the same pseudonym, also in JSON nested as a string in JSON. The key is not stored, so
  that the address cannot be recovered. A pseudonym is left as it is.
- Values of `PERSONAL` fields keep their shape only: letters become `x`, digits `1`, everything else stays. A quote that
  broke a document still breaks it.

All replacements are made in the raw text, without decoding and encoding again: locations in error messages stay valid.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from typing import Any, Final
from urllib.parse import quote

PERSONAL: Final = (
    *("first_name", "last_name", "phone", "address", "street", "city", "state", "country", "postal_code"),
    *("birth_date", "birthday", "birth_day", "birth_month", "birth_year", "gender", "company"),
    *("firstName", "lastName", "postalCode", "birthDate", "birthDay", "birthMonth", "birthYear"),
)
_HIDDEN: Final = "***"
# A shorter one would match ordinary words.
_SHORTEST_HIDDEN: Final = 8
_DIGITS: Final = 12
_LONGEST_VALUE: Final = 1000

# An address starts at the first of a run of its characters: after any other character, an escape such as \n, or a lone
# backslash. Runs are possessive, so that the time is linear in the length of the text.
_MARKS: Final = r"\w.!#$&'*+/=?^`{|}~\-"
_START: Final = rf"(?:(?<![%{_MARKS}\\])|(?<=\\[nrtbf])|(?<=\\)(?![\\nrtbf]|u[0-9a-fA-F]{{4}}))"
_ESCAPED: Final = r"\\++u(?!0040)[0-9a-fA-F]{4}"
_LOCAL: Final = rf"{_START}(?:[{_MARKS}]|%(?!40)|{_ESCAPED})++"
_QUOTED_LOCAL: Final = r'(?<!\\)\\*+"\w[\w .+-]{0,62}\\*+"'
_LABEL: Final = rf"(?:[\w-]|{_ESCAPED})++"
_EMAIL: Final = re.compile(rf"(?:{_LOCAL}|{_QUOTED_LOCAL})(?:@|\\++u0040|%40){_LABEL}(?:\.{_LABEL})+")
# What may precede an address and looks like a part of it.
_LEAD: Final = re.compile(r"[^\w+\\\"]*")
_PSEUDONYM: Final = re.compile(rf"person-[0-9a-f]{{{_DIGITS}}}@example\.com")
_ESCAPE: Final = re.compile(r"\\+u([0-9a-fA-F]{4})")
_NAMES: Final = "|".join(PERSONAL)
# The name of a field at any depth of escaping, quoted (JSON) or bare (GraphQL).
_NAME: Final = rf"""(?P<name>(?:(?<!\\)(?P<around>\\*+")(?:{_NAMES})(?P=around)|\b(?:{_NAMES}))\s*:\s*)"""
# A string ends where something follows that may follow a field, so that a quote within it does not end it.
_FIELD: Final = re.compile(
    rf"""{_NAME}(?P<quote>\\*")(?P<value>.{{0,{_LONGEST_VALUE}}}?)"""
    r"""(?P<end>(?P=quote)(?=\s*(?:[,}\])]|$)|\s+\w+\s*:))""",
    re.DOTALL,
)
_NUMBER: Final = re.compile(rf"{_NAME}[\d.+\-eE]+")
_LETTER: Final = re.compile(r"(\\+(?:u[0-9a-fA-F]{4}|.))|([^\W\d_])|(\d)", re.DOTALL)


class Pseudonyms:
    """The pseudonyms of one recording, derived from `key`."""

    def __init__(self, key: str) -> None:
        self._key = key.encode()
        self._secrets: dict[str, None] = {}

    def hide(self, secret: str) -> None:
        """Removes a token from now on, as it is and as it is escaped in JSON and URLs."""
        if len(secret) >= _SHORTEST_HIDDEN:
            self._secrets |= dict.fromkeys((secret, json.dumps(secret)[1:-1], quote(secret, safe="")))

    def in_value(self, value: Any, *, personal: bool = False) -> Any:
        """A JSON value with the replacements made in all strings and keys; `personal` for that of a personal field."""
        if isinstance(value, str):
            return self.in_text(_blank(value) if personal else value)
        if isinstance(value, list):
            return [self.in_value(item, personal=personal) for item in value]
        if isinstance(value, dict):
            return {self.in_text(name): self.in_value(item, personal=name in PERSONAL) for name, item in value.items()}
        return 1 if personal and isinstance(value, int | float) and not isinstance(value, bool) else value

    def in_text(self, text: str) -> str:
        """`text` with the replacements made."""
        for secret in self._secrets:
            text = text.replace(secret, _HIDDEN)
        text = _FIELD.sub(lambda match: f"{match['name']}{match['quote']}{_blank(match['value'])}{match['end']}", text)
        text = _NUMBER.sub(r"\g<name>1", text)
        return _EMAIL.sub(lambda match: self._pseudonym(match[0]), text)

    def _pseudonym(self, written: str) -> str:
        lead = _LEAD.match(written)
        before = lead[0] if lead else ""
        address = _ESCAPE.sub(lambda match: chr(int(match[1], 16)), written[len(before) :]).replace("%40", "@").lower()
        if _PSEUDONYM.fullmatch(address):
            return written
        digits = hmac.new(self._key, address.encode("utf-8", "replace"), hashlib.sha256).hexdigest()[:_DIGITS]
        return f"{before}person-{digits}@example.com"


def _blank(value: str) -> str:
    """A value's shape: `Ada "A"` becomes `Xxx "X"`, `1990-06-15` becomes `1111-11-11`. Escapes stay."""

    def blank(match: re.Match[str]) -> str:
        if match[1]:
            # An escaped letter or digit is content; an escaped quote or line break is shape.
            escaped = _ESCAPE.fullmatch(match[1])
            return "x" if escaped and chr(int(escaped[1], 16)).isalnum() else match[1]
        if match[3]:
            return "1"
        return "X" if match[2].isupper() else "x"

    return _LETTER.sub(blank, value)
