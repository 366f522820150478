"""What is taken out of an exchange before it reaches a file: tokens, email addresses, and what says who somebody is.

- A token's text becomes `***` wherever it stands.
- An email address becomes `person-<12 digits>@example.com`, by a keyed hash of the address in lower case: within one
  recording the same address always has the same pseudonym, also inside JSON text within JSON text, and nobody without
  the key, which is kept nowhere, can tell whose it was. A pseudonym stays.
- Values of `PERSONAL` members keep their shape and lose their content: letters become `x`, digits `1`, everything else
  stays. A quote that broke a document still breaks it.

Everything is done on the text, never by decoding and encoding again: places in error messages stay true.
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
# One this short would be found in ordinary words, and protects nothing.
_SHORTEST_HIDDEN: Final = 8
_DIGITS: Final = 12
_LONGEST_VALUE: Final = 1000

# An address starts where a run of the characters that it may have starts: at other characters, after an escape such as
# \n, and after a lone backslash. Runs are possessive, so that the time grows with the text and no faster.
_MARKS: Final = r"\w.!#$&'*+/=?^`{|}~\-"
_START: Final = rf"(?:(?<![%{_MARKS}\\])|(?<=\\[nrtbf])|(?<=\\)(?![\\nrtbf]|u[0-9a-fA-F]{{4}}))"
_ESCAPED: Final = r"\\++u(?!0040)[0-9a-fA-F]{4}"
_LOCAL: Final = rf"{_START}(?:[{_MARKS}]|%(?!40)|{_ESCAPED})++"
_QUOTED_LOCAL: Final = r'(?<!\\)\\*+"\w[\w .+-]{0,62}\\*+"'
_LABEL: Final = rf"(?:[\w-]|{_ESCAPED})++"
_EMAIL: Final = re.compile(rf"(?:{_LOCAL}|{_QUOTED_LOCAL})(?:@|\\++u0040|%40){_LABEL}(?:\.{_LABEL})+")
# What may stand before an address and looks like a part of it.
_LEAD: Final = re.compile(r"[^\w+\\\"]*")
_PSEUDONYM: Final = re.compile(rf"person-[0-9a-f]{{{_DIGITS}}}@example\.com")
_ESCAPE: Final = re.compile(r"\\+u([0-9a-fA-F]{4})")
_NAMES: Final = "|".join(PERSONAL)
# A member's name at any depth of escaping, quoted (JSON) or bare (GraphQL).
_NAME: Final = rf"""(?P<name>(?:(?<!\\)(?P<around>\\*+")(?:{_NAMES})(?P=around)|\b(?:{_NAMES}))\s*:\s*)"""
# A text ends where something follows that may follow a member, so that a quote within it does not end it.
_MEMBER: Final = re.compile(
    rf"""{_NAME}(?P<quote>\\*")(?P<value>.{{0,{_LONGEST_VALUE}}}?)"""
    r"""(?P<end>(?P=quote)(?=\s*(?:[,}\])]|$)|\s+\w+\s*:))""",
    re.DOTALL,
)
_NUMBER: Final = re.compile(rf"{_NAME}[\d.+\-eE]+")
_LETTER: Final = re.compile(r"(\\+(?:u[0-9a-fA-F]{4}|.))|([^\W\d_])|(\d)", re.DOTALL)


class Pseudonyms:
    """One recording's pseudonyms. `key` decides them; two with the same key agree."""

    def __init__(self, key: str) -> None:
        self._key = key.encode()
        self._secrets: dict[str, None] = {}

    def hide(self, secret: str) -> None:
        """From now on takes a token's text out, as it is, and as JSON or a URL would write it."""
        if len(secret) >= _SHORTEST_HIDDEN:
            self._secrets |= dict.fromkeys((secret, json.dumps(secret)[1:-1], quote(secret, safe="")))

    def in_value(self, value: Any, *, personal: bool = False) -> Any:
        """The same JSON value with every text in it, names of members too, made safe.

        `personal` takes the content out of texts that stand there without a name.
        """
        if isinstance(value, str):
            return self.in_text(_blank(value) if personal else value)
        if isinstance(value, list):
            return [self.in_value(item, personal=personal) for item in value]
        if isinstance(value, dict):
            return {self.in_text(name): self.in_value(item, personal=name in PERSONAL) for name, item in value.items()}
        return 1 if personal and isinstance(value, int | float) and not isinstance(value, bool) else value

    def in_text(self, text: str) -> str:
        """The same text made safe."""
        for secret in self._secrets:
            text = text.replace(secret, _HIDDEN)
        text = _MEMBER.sub(lambda match: f"{match['name']}{match['quote']}{_blank(match['value'])}{match['end']}", text)
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
            # An escaped letter says as much as a plain one; an escaped quote or line break says nothing.
            return match[1] if not _ESCAPE.fullmatch(match[1]) or _is_plain(match[1]) else "x"
        if match[3]:
            return "1"
        return "X" if match[2].isupper() else "x"

    return _LETTER.sub(blank, value)


def _is_plain(escape: str) -> bool:
    """Whether an escape stands for a mark and not for a letter or digit."""
    return not chr(int(escape[-4:], 16)).isalnum()
