"""Removes tokens, email addresses and personal data from an exchange before it is written to a file.

- The token of a request becomes `***` everywhere, and so does the value of a field that is named as one that holds a
  secret, and whatever has the form of a bearer token or a JSON Web Token.
- An email address becomes `person-<12 digits>@example.com`, by a keyed hash of the address in lower case: within one
  recording an address always has the same pseudonym, also in JSON nested as a string in JSON. The key is not stored, so
  that the address cannot be recovered. A pseudonym is left as it is.
- Values of personal fields keep their shape only: letters become `x`, digits `1`, everything else stays. A quote that
  broke a document still breaks it. A field is recognised by its name, in any letter case and with any separators:
  `first_name`, `FirstName`, `address.line1`, `billing-address`; what an object or array in it holds is personal, too.

All replacements are made in the raw text, without decoding and encoding again: locations in error messages stay valid.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, Final
from urllib.parse import quote

# The words of a name, such as `first` and `name` of `billing.firstName`; a name is personal if it has one of them.
_PERSONAL_WORDS: Final = (
    *("first name", "last name", "given name", "family name", "middle name", "full name", "sur name", "surname"),
    *("fname", "lname", "firstname", "lastname", "fullname", "phone", "phones", "mobile", "telephone", "tel", "cell"),
    *(
        "fax",
        "address",
        "addresses",
        "addr",
        "address1",
        "address2",
        "line1",
        "line2",
        "line3",
        "street",
        "streets",
        "city",
    ),
    *("town", "state", "province", "country", "postal code", "postalcode", "post code", "postcode", "zip", "zipcode"),
    *("birth", "birthdate", "birthday", "dob", "gender", "company", "ssn", "passport", "latitude", "longitude"),
)
_SECRET_WORDS: Final = (
    *("token", "tokens", "secret", "password", "passwd", "pwd", "authorization", "auth", "api key", "apikey"),
    *("access key", "private key", "write key", "writekey", "credential", "credentials", "cookie", "session id"),
    *("bearer", "jwt", "signature"),
)
# Cursors, and what only says that something is about a token.
_NO_SECRETS: Final = frozenset({"next token", "prev token", "previous token", "pagination token", "page token"})
# Of a person only beside an email: advertisers, lists and segments have a name, too.
_NAME_ALONE: Final = "name"
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
# A directive may follow a field without a blank.
_DOMAIN: Final = rf"(?!(?:include|skip|deprecated|defer|stream)\b)(?:{_LABEL}(?:\.{_LABEL})*|\[[\w.:]++\])"
_EMAIL: Final = re.compile(rf"(?:{_LOCAL}|{_QUOTED_LOCAL})(?:@|\\++u0040|%40){_DOMAIN}")
# What may precede an address and looks like a part of it.
_LEAD: Final = re.compile(r"[^\w+\\\"]*")
_PSEUDONYM: Final = re.compile(rf"person-[0-9a-f]{{{_DIGITS}}}@example\.com")
_ESCAPE: Final = re.compile(r"\\+u([0-9a-fA-F]{4})")
# The name of a field at any depth of escaping, quoted (JSON) or bare (GraphQL).
_NAME: Final = re.compile(
    r"""(?:(?<!\\)(?P<around>\\*+")(?P<quoted>[\w.\- ]{1,64}+)(?P=around)"""
    r"""|(?<![\w.\-\\])(?P<bare>[\w.\-]{1,64}+))\s*+:\s*+"""
)
# A string ends where something follows that may follow a field, so that a quote within it does not end it.
_VALUE: Final = re.compile(
    rf"""(?P<quote>\\*")(?P<value>.{{0,{_LONGEST_VALUE}}}?)(?P=quote)(?=\s*(?:[,}}\])]|$)|\s+\w+\s*:)|(?P<number>[\d.+\-eE]+)""",
    re.DOTALL,
)
_CREDENTIAL: Final = re.compile(r"(?i:(?P<scheme>\bbearer\s+)[\w.~+/=\-]{8,}+)|\beyJ[\w-]{4,}+\.[\w-]++\.[\w-]*+")
_DIGIT: Final = re.compile(r"\d")
_WORD: Final = re.compile(r"[A-Z]?[a-z]+\d*|[A-Z]+(?![a-z])\d*|\d+")
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

    def in_value(self, value: Any, *, name: str = "", personal: bool = False) -> Any:
        """A JSON value with the replacements made in all strings and keys; `personal` for that of a personal field.

        `name` is that of the field with the value.
        """
        if isinstance(value, str):
            hidden = _HIDDEN if value and _is_secret(name) else value
            return self.in_text(blank(hidden) if personal else hidden)
        if isinstance(value, list):
            return [self.in_value(item, name=name, personal=personal) for item in value]
        if isinstance(value, dict):
            beside = any("email" in _words(member) for member in value)
            return {
                self.in_text(member): self.in_value(
                    item, name=member, personal=personal or _is_personal(member, beside_email=beside)
                )
                for member, item in value.items()
            }
        return 1 if personal and isinstance(value, int | float) and not isinstance(value, bool) else value

    def in_text(self, text: str) -> str:
        """`text` with the replacements made."""
        for secret in self._secrets:
            text = text.replace(secret, _HIDDEN)
        text = _CREDENTIAL.sub(lambda match: f"{match['scheme'] or ''}{_HIDDEN}", "".join(_without_fields(text)))
        return _EMAIL.sub(lambda match: self._pseudonym(match[0]), text)

    def _pseudonym(self, written: str) -> str:
        lead = _LEAD.match(written)
        before = lead[0] if lead else ""
        address = _ESCAPE.sub(lambda match: chr(int(match[1], 16)), written[len(before) :]).replace("%40", "@").lower()
        if _PSEUDONYM.fullmatch(address):
            return written
        digits = hmac.new(self._key, address.encode("utf-8", "replace"), hashlib.sha256).hexdigest()[:_DIGITS]
        return f"{before}person-{digits}@example.com"


def personal_strings(value: Any, *, personal: bool = False) -> Iterator[str]:
    """The strings in personal fields of a JSON value, also of fields written in a string.

    `personal` says whether the value itself is that of such a field.
    """
    if isinstance(value, str):
        if personal:
            yield value
        else:
            yield from (found["value"] for _, found, secret in _hidden_fields(value) if not secret and found["value"])
    elif isinstance(value, list):
        for item in value:
            yield from personal_strings(item, personal=personal)
    elif isinstance(value, dict):
        beside = any("email" in _words(str(member)) for member in value)
        for member, item in value.items():
            yield from personal_strings(item, personal=personal or _is_personal(str(member), beside_email=beside))


def blank(value: str) -> str:
    """A value's shape: `Ada "A"` becomes `Xxx "X"`, `1990-06-15` becomes `1111-11-11`. Escapes stay."""
    return _LETTER.sub(_blank_letter, value)


def _without_fields(text: str) -> Iterator[str]:
    """The parts of `text`, with the values of personal fields blank and those of secret ones hidden."""
    at = 0
    for group, value, secret in _hidden_fields(text):
        yield text[at : value.start(group)]
        yield "1" if group == "number" else _HIDDEN if secret and value["value"] else blank(value["value"])
        at = value.end(group)
    yield text[at:]


def _hidden_fields(text: str) -> Iterator[tuple[str, re.Match[str], bool]]:
    """The value of each personal or secret field in `text`, with the group that has it, and whether it is secret."""
    names = list(_NAME.finditer(text))
    beside_email = any("email" in _words(found["quoted"] or found["bare"]) for found in names)
    at = 0
    for found in names:
        name = found["quoted"] or found["bare"]
        secret, personal = _is_secret(name), _is_personal(name, beside_email=beside_email)
        value = _VALUE.match(text, found.end()) if found.start() >= at and (secret or personal) else None
        if value is not None:
            group = "number" if value["number"] else "value"
            yield group, value, secret
            at = value.end(group)


@lru_cache(maxsize=10_000)
def _words(name: str) -> str:
    """The words of a name in lower case: `first name` for `first_name`, `firstName`, `FIRST-NAME` and `a.FirstName`."""
    return " ".join(word.lower() for word in _WORD.findall(name))


@lru_cache(maxsize=10_000)
def _is_personal(name: str, *, beside_email: bool = False) -> bool:
    words = _words(name)
    return _has(words, _PERSONAL_WORDS) or (beside_email and words == _NAME_ALONE)


@lru_cache(maxsize=10_000)
def _is_secret(name: str) -> bool:
    words = _words(name)
    return _has(words, _SECRET_WORDS) and words not in _NO_SECRETS


def _has(words: str, runs: Sequence[str]) -> bool:
    """Whether a name has one of the runs of words, numbered or not."""
    return any(f" {run} " in f" {each} " for each in (words, _DIGIT.sub("", words)) for run in runs)


def _blank_letter(match: re.Match[str]) -> str:
    if match[1]:
        # An escaped letter or digit is content; an escaped quote or line break is shape.
        escaped = _ESCAPE.fullmatch(match[1])
        return "x" if escaped and chr(int(escaped[1], 16)).isalnum() else match[1]
    if match[3]:
        return "1"
    return "X" if match[2].isupper() else "x"
