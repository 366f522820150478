"""Lists of names, streets and places from Faker, drawn once for each locale.

Faker is too slow to call for every field of a million people: the lists are the same every time, and each person picks
from them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

from faker import VERSION as FAKER_VERSION
from faker import Faker
from faker.config import AVAILABLE_LOCALES

from emulator.errors import unknown

LENGTH = 1000
_FIRST_DRAW = 1
# Another version of Faker may have other names.
FAKER_RELEASE = f"Faker {FAKER_VERSION}"


class Place(NamedTuple):
    """Parts of a postal address that belong together."""

    city: str
    state: str
    postal_code: str
    timezone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NameLists:
    """The lists of one locale, all of the same length.

    `first_mailboxes` and `last_mailboxes` have the ASCII form of each name, by position.
    """

    first_names: tuple[str, ...]
    last_names: tuple[str, ...]
    first_mailboxes: tuple[str, ...]
    last_mailboxes: tuple[str, ...]
    streets: tuple[str, ...]
    phones: tuple[str, ...]
    places: tuple[Place, ...]
    country: str


def check_locale(locale: str) -> None:
    """Raises InputError for a locale that Faker does not have."""
    if locale not in AVAILABLE_LOCALES:
        hint = "Use a locale of Faker, such as en_US, de_DE or ja_JP."
        raise unknown("locale", locale, AVAILABLE_LOCALES, where="locale", hint=hint, listing=False)


@cache
def name_lists(locale: str) -> NameLists:
    """The lists of a locale such as `en_US`. Raises InputError for one that Faker does not have."""
    check_locale(locale)
    faker = Faker(locale)
    faker.seed_instance(_FIRST_DRAW)
    first_names, last_names = _drawn(faker.first_name), _drawn(faker.last_name)
    return NameLists(
        first_names=first_names,
        last_names=last_names,
        first_mailboxes=tuple(map(_mailbox, first_names)),
        last_mailboxes=tuple(map(_mailbox, last_names)),
        streets=_drawn(faker.street_address),
        phones=_drawn(faker.phone_number),
        places=tuple(_place(faker) for _ in range(LENGTH)),
        country=locale.partition("_")[2],
    )


def _drawn(draw: Callable[[], Any]) -> tuple[str, ...]:
    return tuple(_plain(draw()) for _ in range(LENGTH))


def _place(faker: Faker) -> Place:
    # Not every locale has states: the method for its regions has another name.
    state = next(
        (draw for name in ("state", "administrative_unit", "city") if (draw := getattr(faker, name, None))), None
    )
    return Place(
        city=_plain(faker.city()),
        state=_plain(state()) if state else "",
        postal_code=_plain(faker.postcode()),
        timezone=faker.timezone(),
    )


def _plain(word: object) -> str:
    """A name without the characters that break a delivery, which only edge cases may have."""
    return re.sub(r'[\s"\\]+', " ", str(word))


def _mailbox(name: str) -> str:
    """The ASCII letters and digits of a name, for an email address; `person` when it has none."""
    ascii_ = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]", "", ascii_) or "person"
