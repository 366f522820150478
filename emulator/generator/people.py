"""Generated people: an endless sequence for each seed.

Person *i* of a seed is always the same, whatever the number and the start: each is drawn by number. Some have no email
or a malformed one, and some have values that the published destination or StackAdapt cannot handle; `edge_case` is the
tag, so that a test knows who should arrive.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from functools import cache
from itertools import accumulate, count, islice
from math import ceil
from typing import Any

from emulator.errors import InputError
from emulator.generator.edge_cases import EDGE_CASE_SHARES, EDGE_CASES, NONE, check_tags
from emulator.generator.names import LENGTH, NameLists, check_locale, name_lists
from emulator.ids import WORD_BITS, Ids
from emulator.timestamps import iso_of_millis, to_millis

MISSING_EMAIL_SHARE = 0.1
INVALID_EMAIL_SHARE = 0.03
VIP_SHARE = 0.4
VIP_SPENT = 500
FIRST_CALL = datetime(2026, 1, 1, tzinfo=UTC)

_NO_LONGER_SPENT = 1
_WORD_RANGE = 1 << WORD_BITS
_MOST_OF_VIPS, _MOST_OF_OTHERS = 9 * VIP_SPENT / _WORD_RANGE, (VIP_SPENT - 1) / _WORD_RANGE
_OLDEST = date(1946, 1, 1).toordinal()
_AGES = date(2007, 12, 31).toordinal() - _OLDEST + 1
_DOMAINS = ("example.com", "example.org", "example.net")
# None of these passes the mapping engine's email format.
_MALFORMED = ("{box}.example.com", "{box}@localhost", "{box}@@example.com", "{box} @example.com", "{box}@example..com")
_FIRST_CALL = to_millis(FIRST_CALL)
_SECOND = 1000
_DAY = 86_400 * _SECOND


@dataclass(slots=True)
class Person:
    """A generated person; not frozen, because a million are made, in half the time.

    `email` is the trait, well-formed or not, or None; `edge_case` is `none` or a key of `EDGE_CASES`.
    """

    seed: int
    index: int
    user_id: str
    traits: Mapping[str, Any]
    email: str | None
    edge_case: str = NONE

    @property
    def vip(self) -> bool:
        """Whether the person is in the default workspace's audience."""
        return bool(self.traits["total_spent"] >= VIP_SPENT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Population:
    """The people of a seed. Shares are between 0 and 1; `edge_cases` has one for each tag.

    `vips` is the share with a `total_spent` of 500 or more; each person has one of Faker's `locales`. Raises InputError
    for an unknown locale or tag, for an invalid share, and for shares that add up to more than 1.
    """

    seed: int
    locales: tuple[str, ...] = ("en_US",)
    missing_email: float = MISSING_EMAIL_SHARE
    invalid_email: float = INVALID_EMAIL_SHARE
    edge_cases: Mapping[str, float] = field(default_factory=lambda: EDGE_CASE_SHARES)
    vips: float = VIP_SHARE

    def __post_init__(self) -> None:
        for locale in self.locales:
            check_locale(locale)
        check_tags(self.edge_cases)
        shares = {"missing-email": self.missing_email, "invalid-email": self.invalid_email, "vips": self.vips}
        for name, share in (shares | dict(self.edge_cases)).items():
            check_share(name, share)
        without = self.missing_email + self.invalid_email
        if without > 1:
            raise InputError(
                "the shares add up to more than 1",
                where="missing-email, invalid-email",
                found=without,
            )

    def people(self, *, first: int = 0) -> Iterator[Person]:
        """The people from number `first` on, without end."""
        words = Ids(self.seed).words("person")
        drawing = [self._drawing(name_lists(locale)) for locale in self.locales]
        tags = tuple(zip(map(_limit, accumulate(self.edge_cases.values())), self.edge_cases, strict=True))
        most = tags[-1][0] if tags else 0
        user = f"user-{self.seed}-"
        for index, drawn in zip(count(first), map(words, count(first))):
            traits, mailbox = drawing[drawn[11] * len(drawing) >> WORD_BITS](index, drawn)
            tag = NONE
            if drawn[0] < most:
                tag = next(name for limit, name in tags if drawn[0] < limit)
                EDGE_CASES[tag](traits, mailbox)
            yield Person(self.seed, index, user + str(index).zfill(7), traits, traits.get("email"), tag)

    def _drawing(self, names: NameLists) -> Callable[[int, Sequence[int]], tuple[dict[str, Any], str]]:
        """A function that draws the traits of a person without an edge case, and the local part of the email.

        The product of a drawn word and a length, without its last 32 bits, is a position.
        """
        first_names = tuple(zip(names.first_names, names.first_mailboxes, strict=True))
        last_names = tuple(zip(names.last_names, names.last_mailboxes, strict=True))
        phones, streets, places, country = names.phones, names.streets, names.places, names.country
        vips, missing = _limit(self.vips), _limit(self.missing_email)
        well_formed = _limit(self.missing_email + self.invalid_email)

        def traits_of(index: int, drawn: Sequence[int]) -> tuple[dict[str, Any], str]:
            _, kind, host, first, last, phone, street, place, day, spender, amount, _ = drawn
            first_name, first_mailbox = first_names[first * LENGTH >> WORD_BITS]
            last_name, last_mailbox = last_names[last * LENGTH >> WORD_BITS]
            city, state, postal_code, timezone = places[place * LENGTH >> WORD_BITS]
            traits = {
                "first_name": first_name,
                "last_name": last_name,
                "phone": phones[phone * LENGTH >> WORD_BITS],
                "street": streets[street * LENGTH >> WORD_BITS],
                "city": city,
                "state": state,
                "country": country,
                "postal_code": postal_code,
                "timezone": timezone,
                "birthday": _birthday(day * _AGES >> WORD_BITS),
                "total_spent": round(
                    VIP_SPENT + amount * _MOST_OF_VIPS if spender < vips else amount * _MOST_OF_OTHERS, 2
                ),
            }
            mailbox = f"{first_mailbox}.{last_mailbox}.{index}"
            if kind >= well_formed:
                traits["email"] = f"{mailbox}@{_DOMAINS[host * len(_DOMAINS) >> WORD_BITS]}"
            elif kind >= missing:
                traits["email"] = _MALFORMED[host * len(_MALFORMED) >> WORD_BITS].format(box=mailbox)
            return traits, mailbox

        return traits_of


def _limit(share: float) -> int:
    """The words below it are a share of all: no float compares as fast."""
    return ceil(share * _WORD_RANGE)


@cache
def _birthday(day: int) -> str:
    return date.fromordinal(_OLDEST + day).isoformat()


def people(seed: int, number: int) -> Iterator[Person]:
    """The first `number` people of a seed, with the default share of edge cases."""
    return islice(Population(seed=seed).people(), number)


def no_longer_vip(person: Person) -> Person:
    """The same person with a `total_spent` below the condition of the default workspace's audience."""
    return replace(person, traits={**person.traits, "total_spent": _NO_LONGER_SPENT})


def identify(person: Person, *, sequence: int = 0, at: int | None = None) -> dict[str, Any]:
    """The identify call for a person, as `/v1/identify` and `/v1/batch` take it.

    Person and `sequence` make the `messageId`: a second call with other traits needs another sequence, or Segment drops
    it as a duplicate. `at` is its timestamp in milliseconds; by default one a second, a day later for each sequence.
    """
    if at is None:
        at = _FIRST_CALL + sequence * _DAY + person.index * _SECOND
    return {
        "type": "identify",
        "messageId": f"generated-{person.seed}-{person.index}-{sequence}",
        "userId": person.user_id,
        "traits": dict(person.traits),
        "timestamp": iso_of_millis(at),
        "context": {"library": {"name": "stackadapt-emulator", "version": "generator"}},
    }


def batch(events: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """A body for `/v1/batch`, which takes at most 500 KB and 2,500 events."""
    return {"batch": list(events)}


def check_share(name: str, share: float) -> None:
    """Raises InputError for a share that is not between 0 and 1."""
    if not 0 <= share <= 1:
        raise InputError("invalid share", where=name, found=share, allowed="0 to 1")
