"""People to identify: seeded, endless, partly awkward.

Person *i* of a seed is always the same person, however many are asked for: each is drawn from a stream of their own.
Some have no e-mail or a malformed one, some carry values that the published destination or StackAdapt trips over; the
tag in `awkward` says what, so that a test can tell who should have arrived.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import accumulate
from typing import Any, TypeVar

from emulator.errors import InputError, nearest
from emulator.ids import Ids
from emulator.segment.moments import iso_of_millis, to_millis
from emulator.segment.vocabulary import Vocabulary, vocabulary

NONE = "none"
MISSING_EMAIL_SHARE = 0.1
INVALID_EMAIL_SHARE = 0.03
VIP_SHARE = 0.4
VIP_SPENT = 500

_DRAWS = 11
_TOO_LONG = 254
_FIRST_CALL = datetime(2026, 1, 1, tzinfo=UTC)
_OLDEST = date(1946, 1, 1).toordinal()
_YOUNGEST = date(2007, 12, 31).toordinal()
_DOMAINS = ("example.com", "example.org", "example.net")
_ACCENTED = (("Zoë", "Müller"), ("José", "Núñez"), ("Łukasz", "Żółć"), ("Søren", "Ångström"), ("小百合", "吉田"))
_WELL_FORMED = "{box}@{domain}"
# None of these passes the mapping engine's e-mail format.
_MALFORMED = ("{box}.example.com", "{box}@localhost", "{box}@@example.com", "{box} @example.com", "{box}@example..com")

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody to identify. `email` is what `traits` hold under that name, well-formed or not, or None.

    `awkward` is `none` or a key of `AWKWARD_SHARES`.
    """

    seed: int
    index: int
    user_id: str
    traits: Mapping[str, Any]
    email: str | None
    awkward: str = NONE


def people(
    seed: int,
    count: int,
    *,
    locale: str = "en_US",
    missing_email: float = MISSING_EMAIL_SHARE,
    invalid_email: float = INVALID_EMAIL_SHARE,
    awkward: Mapping[str, float] | None = None,
) -> Iterator[Person]:
    """The first `count` people of a seed. Shares are between 0 and 1; `awkward` has one for each tag.

    About 40 % have `total_spent` of 500 or more. Raises InputError for an unknown locale or tag.
    """
    shares = AWKWARD_SHARES if awkward is None else awkward
    _check_tags(shares)
    words = vocabulary(locale)
    tags = tuple(zip(accumulate(shares.values()), shares, strict=True))
    ids = Ids(seed)
    for index in range(count):
        stream = ids.stream("person", index)
        draws = [stream.random() for _ in range(_DRAWS)]
        tag = next((name for limit, name in tags if draws[0] < limit), NONE)
        traits = _traits(words, draws)
        mailbox = f"{_mailbox(words, draws)}.{index}"
        if draws[1] >= missing_email:
            shape = _pick(_MALFORMED, draws[2]) if draws[1] < missing_email + invalid_email else _WELL_FORMED
            traits["email"] = shape.format(box=mailbox, domain=_pick(_DOMAINS, draws[2]))
        if tag != NONE:
            _AWKWARD[tag](traits, mailbox)
        yield Person(
            seed=seed,
            index=index,
            user_id=f"user-{seed}-{index:07d}",
            traits=traits,
            email=traits.get("email"),
            awkward=tag,
        )


def identify(person: Person, *, sequence: int = 0) -> dict[str, Any]:
    """The identify call for a person, as `/v1/identify` and `/v1/batch` take it.

    Person and `sequence` make the `messageId`: a second call with other traits needs another sequence, or Segment drops
    it as a duplicate.
    """
    moment = to_millis(_FIRST_CALL + timedelta(days=sequence, seconds=person.index))
    return {
        "type": "identify",
        "messageId": f"generated-{person.seed}-{person.index}-{sequence}",
        "userId": person.user_id,
        "traits": dict(person.traits),
        "timestamp": iso_of_millis(moment),
        "context": {"library": {"name": "stackadapt-emulator", "version": "generator"}},
    }


def batch(events: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """A body for `/v1/batch`. Segment takes at most 500 KB and 2,500 events in one."""
    return {"batch": list(events)}


def _pick(choices: Sequence[T], draw: float) -> T:
    return choices[int(draw * len(choices))]


def _mailbox(words: Vocabulary, draws: Sequence[float]) -> str:
    return f"{_pick(words.first_mailboxes, draws[3])}.{_pick(words.last_mailboxes, draws[4])}"


def _traits(words: Vocabulary, draws: Sequence[float]) -> dict[str, Any]:
    place = _pick(words.places, draws[7])
    return {
        "first_name": _pick(words.first_names, draws[3]),
        "last_name": _pick(words.last_names, draws[4]),
        "phone": _pick(words.phones, draws[5]),
        "street": _pick(words.streets, draws[6]),
        "city": place.city,
        "state": place.state,
        "country": words.country,
        "postal_code": place.postal_code,
        "timezone": place.timezone,
        "birthday": date.fromordinal(_OLDEST + int(draws[8] * (_YOUNGEST - _OLDEST + 1))).isoformat(),
        "total_spent": _spent(draws[9], draws[10]),
    }


def _spent(who: float, amount: float) -> float:
    if who < VIP_SHARE:
        return round(VIP_SPENT + amount * 9 * VIP_SPENT, 2)
    return round(amount * (VIP_SPENT - 1), 2)


def _check_tags(shares: Mapping[str, float]) -> None:
    for tag in shares:
        if tag not in _AWKWARD:
            raise InputError(
                "there is no such kind of awkward person.",
                where="awkward",
                found=tag,
                allowed=", ".join(_AWKWARD),
                hint=nearest(tag, _AWKWARD),
            )


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
    """Longer than the 254 characters that an address may have; the mapping engine's format has no such limit."""
    traits["email"] = f"{mailbox}.{'x' * _TOO_LONG}@{_DOMAINS[0]}"


_AWKWARD: Mapping[str, Callable[[dict[str, Any], str], None]] = {
    "quote": _quote,
    "newline": _newline,
    "backslash": _backslash,
    "accents": _accents,
    "number_for_text": _number_for_text,
    "long_email": _long_email,
}
AWKWARD_SHARES: Mapping[str, float] = {
    "quote": 0.01,
    "newline": 0.005,
    "backslash": 0.005,
    "accents": 0.03,
    "number_for_text": 0.01,
    "long_email": 0.003,
}
