"""Generated people: an endless sequence for each seed.

Person *i* of a seed is always the same, whatever the number and the start: each is drawn by number. Some have no email
or a malformed one, and some have values that the published destination or StackAdapt cannot handle; `edge_case` is the
tag, so that a test knows who should arrive.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from functools import cache
from itertools import accumulate, count, islice
from typing import Any, TypeVar

from emulator.errors import InputError
from emulator.generator.edge_cases import EDGE_CASE_SHARES, EDGE_CASES, NONE, check_tags
from emulator.generator.names import LENGTH, NameLists, check_locale, name_lists
from emulator.ids import Ids
from emulator.timestamps import iso_of_millis, to_millis

MISSING_EMAIL_SHARE = 0.1
INVALID_EMAIL_SHARE = 0.03
VIP_SHARE = 0.4
VIP_SPENT = 500
FIRST_CALL = datetime(2026, 1, 1, tzinfo=UTC)

_NO_LONGER_SPENT = 1
_OLDEST = date(1946, 1, 1).toordinal()
_AGES = date(2007, 12, 31).toordinal() - _OLDEST + 1
_DOMAINS = ("example.com", "example.org", "example.net")
# None of these passes the mapping engine's email format.
_MALFORMED = ("{box}.example.com", "{box}@localhost", "{box}@@example.com", "{box} @example.com", "{box}@example..com")
_FIRST_CALL = to_millis(FIRST_CALL)
_SECOND = 1000
_DAY = 86_400 * _SECOND
_LIBRARY: Mapping[str, str] = {"name": "stackadapt-emulator", "version": "generator"}

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A generated person. `email` is the trait, well-formed or not, or None; `edge_case` is `none` or a key of
    `EDGE_CASES`.
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
        drawn = Ids(self.seed).draws("person")
        lists = [name_lists(locale) for locale in self.locales]
        tags = tuple(zip(accumulate(self.edge_cases.values()), self.edge_cases, strict=True))
        most = tags[-1][0] if tags else 0.0
        for index in count(first):
            draws = drawn(index)
            tag = next((name for limit, name in tags if draws[0] < limit), NONE) if draws[0] < most else NONE
            traits, mailbox = self._traits(_pick(lists, draws[11]), index, draws)
            if tag != NONE:
                EDGE_CASES[tag](traits, mailbox)
            yield Person(
                seed=self.seed,
                index=index,
                user_id=f"user-{self.seed}-{index:07d}",
                traits=traits,
                email=traits.get("email"),
                edge_case=tag,
            )

    def _traits(self, names: NameLists, index: int, draws: Sequence[float]) -> tuple[dict[str, Any], str]:
        """The traits of a person without an edge case, and the local part of the email."""
        first, last = int(draws[3] * LENGTH), int(draws[4] * LENGTH)
        place = names.places[int(draws[7] * LENGTH)]
        traits = {
            "first_name": names.first_names[first],
            "last_name": names.last_names[last],
            "phone": names.phones[int(draws[5] * LENGTH)],
            "street": names.streets[int(draws[6] * LENGTH)],
            "city": place.city,
            "state": place.state,
            "country": names.country,
            "postal_code": place.postal_code,
            "timezone": place.timezone,
            "birthday": _birthday(int(draws[8] * _AGES)),
            "total_spent": self._spent(draws[9], draws[10]),
        }
        mailbox = f"{names.first_mailboxes[first]}.{names.last_mailboxes[last]}.{index}"
        if draws[1] >= self.missing_email + self.invalid_email:
            traits["email"] = f"{mailbox}@{_pick(_DOMAINS, draws[2])}"
        elif draws[1] >= self.missing_email:
            traits["email"] = _pick(_MALFORMED, draws[2]).format(box=mailbox)
        return traits, mailbox

    def _spent(self, draw: float, amount: float) -> float:
        if draw < self.vips:
            return round(VIP_SPENT + amount * 9 * VIP_SPENT, 2)
        return round(amount * (VIP_SPENT - 1), 2)


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
        "context": {"library": dict(_LIBRARY)},
    }


def batch(events: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """A body for `/v1/batch`, which takes at most 500 KB and 2,500 events."""
    return {"batch": list(events)}


def check_share(name: str, share: float) -> None:
    """Raises InputError for a share that is not between 0 and 1."""
    if not 0 <= share <= 1:
        raise InputError("invalid share", where=name, found=share, allowed="0 to 1")


def _pick(choices: Sequence[T], draw: float) -> T:
    return choices[int(draw * len(choices))]
