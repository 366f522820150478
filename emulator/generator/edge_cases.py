"""Edge cases of generated people: trait values that the published destination or StackAdapt cannot handle, by tag."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from emulator.errors import InputError, unknown

NONE = "none"
_TOO_LONG = 254
_ACCENTED = (("Zoë", "Müller"), ("José", "Núñez"), ("Łukasz", "Żółć"), ("Søren", "Ångström"), ("小百合", "吉田"))


def check_tags(shares: Mapping[str, float]) -> None:
    """Raises InputError for an unknown tag, and for shares that add up to more than 1."""
    for tag in shares:
        if tag not in EDGE_CASES:
            raise unknown("edge case", tag, EDGE_CASES, where="edge-case")
    if sum(shares.values()) > 1:
        raise InputError("the shares add up to more than 1", where="edge-case", found=sum(shares.values()))


def _quote(traits: dict[str, Any], _mailbox: str) -> None:
    traits["first_name"] += ' "Ace"'


def _newline(traits: dict[str, Any], _mailbox: str) -> None:
    traits["street"] += "\nRear building"


def _backslash(traits: dict[str, Any], _mailbox: str) -> None:
    traits["street"] += " \\ Rear building"


def _accents(traits: dict[str, Any], mailbox: str) -> None:
    traits["first_name"], traits["last_name"] = _ACCENTED[len(mailbox) % len(_ACCENTED)]


def _number_for_text(traits: dict[str, Any], _mailbox: str) -> None:
    traits["postal_code"] = int("0" + re.sub(r"\D", "", traits["postal_code"]))


def _long_email(traits: dict[str, Any], mailbox: str) -> None:
    """An address longer than 254 characters: the mapping engine's format does not limit it."""
    traits["email"] = f"{mailbox}.{'x' * _TOO_LONG}@example.com"


# Each changes the traits of a person; the second argument is the local part of the email.
EDGE_CASES: Mapping[str, Callable[[dict[str, Any], str], None]] = {
    "quote": _quote,
    "newline": _newline,
    "backslash": _backslash,
    "accents": _accents,
    "number_for_text": _number_for_text,
    "long_email": _long_email,
}
EDGE_CASE_SHARES: Mapping[str, float] = {
    "quote": 0.01,
    "newline": 0.005,
    "backslash": 0.005,
    "accents": 0.03,
    "number_for_text": 0.01,
    "long_email": 0.003,
}
