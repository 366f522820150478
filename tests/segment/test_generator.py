from __future__ import annotations

import re
from collections import Counter
from typing import Any

import pytest

from emulator.errors import InputError
from emulator.segment.generator import AWKWARD_SHARES, NONE, batch, identify, people

ADDRESS = re.compile(r"[a-z0-9.]+@[a-z0-9]+\.[a-z]+")
TRAITS = {
    *("first_name", "last_name", "phone", "street", "city", "state", "country"),
    *("postal_code", "timezone", "birthday", "total_spent"),
}


def test_a_person_is_the_same_however_many_are_asked_for() -> None:
    assert list(people(7, 300))[:50] == list(people(7, 50))
    assert list(people(7, 50)) != list(people(8, 50))


def test_shares_change_who_is_awkward_and_nothing_else() -> None:
    plain = list(people(7, 200, missing_email=0, invalid_email=0, awkward={}))
    assert {person.awkward for person in plain} == {NONE}
    assert all(ADDRESS.fullmatch(person.email or "") for person in plain)
    for person, other in zip(plain, people(7, 200), strict=True):
        if other.awkward == NONE:
            assert {**other.traits, "email": 0} == {**person.traits, "email": 0}


def test_people_have_the_default_traits() -> None:
    for person in people(1, 200):
        assert set(person.traits) - {"email"} == TRAITS
        assert person.traits.get("email") == person.email
        assert re.fullmatch(r"\d{4}-\d\d-\d\d", person.traits["birthday"])
        assert isinstance(person.traits["total_spent"], float)


def test_shares_are_about_what_they_say() -> None:
    crowd = list(people(2, 10_000))
    share = {tag: count / len(crowd) for tag, count in Counter(person.awkward for person in crowd).items()}
    for tag, wanted in AWKWARD_SHARES.items():
        assert share[tag] == pytest.approx(wanted, rel=0.5)
    assert share["quote"] + share["newline"] + share["backslash"] == pytest.approx(0.02, rel=0.3)
    vips = sum(person.traits["total_spent"] >= 500 for person in crowd) / len(crowd)
    assert vips == pytest.approx(0.4, abs=0.02)
    assert sum(person.email is None for person in crowd) / len(crowd) == pytest.approx(0.1, abs=0.01)
    malformed = [person for person in crowd if person.email and not ADDRESS.fullmatch(person.email)]
    assert len(malformed) / len(crowd) == pytest.approx(0.03, abs=0.01)


def test_everybody_has_a_user_id_and_an_email_of_their_own() -> None:
    crowd = list(people(3, 5000))
    emails = [person.email for person in crowd if person.email]
    assert len(set(emails)) == len(emails)
    assert len({person.user_id for person in crowd}) == 5000


@pytest.mark.parametrize(
    ("tag", "trait", "sign"),
    [
        ("quote", "first_name", '"'),
        ("newline", "street", "\n"),
        ("backslash", "street", "\\ "),
        ("accents", "last_name", r"."),
    ],
)
def test_an_awkward_person_carries_what_the_tag_says(tag: str, trait: str, sign: str) -> None:
    for person in people(1, 20, awkward={tag: 1.0}):
        assert person.awkward == tag
        if tag == "accents":
            assert not person.traits[trait].isascii()
        else:
            assert sign in person.traits[trait]


def test_numbers_for_texts_and_overlong_emails() -> None:
    assert all(
        isinstance(person.traits["postal_code"], int) for person in people(1, 20, awkward={"number_for_text": 1})
    )
    for person in people(1, 20, awkward={"long_email": 1}):
        assert person.email is not None
        assert len(person.email) > 254
        assert ADDRESS.fullmatch(person.email)


def test_only_awkward_people_hold_characters_that_break_a_document() -> None:
    for person in people(5, 3000):
        broken = any(re.search(r'["\\\n]', str(value)) for value in person.traits.values())
        assert broken == (person.awkward in {"quote", "newline", "backslash"})


@pytest.mark.parametrize("locale", ["en_US", "de_DE", "ja_JP", "uk_UA"])
def test_mailboxes_are_plain_in_every_locale(locale: str) -> None:
    for person in people(1, 50, locale=locale, missing_email=0, invalid_email=0, awkward={}):
        assert ADDRESS.fullmatch(person.email or "")


def test_an_identify_call_is_repeatable_and_a_later_one_has_another_id() -> None:
    [person] = people(1, 1)
    first, again, later = identify(person), identify(person), identify(person, sequence=1)
    assert first == again
    assert (first["type"], first["userId"], first["traits"]) == ("identify", person.user_id, person.traits)
    assert later["messageId"] != first["messageId"]
    assert later["timestamp"] > first["timestamp"]


def test_a_crowd_is_taken_in_whole(room: Any) -> None:
    body = batch(identify(person) for person in people(4, 500))
    assert room.segment.receive("batch", body).accepted == 500
    assert len(room.segment.profiles(limit=1000)) == 500
    assert room.segment.receive("batch", body).accepted == 0, "the same calls again are duplicates"


@pytest.mark.parametrize(
    ("options", "hint"), [({"locale": "en_UX"}, "en_U"), ({"awkward": {"quotes": 0.5}}, "Did you mean 'quote'")]
)
def test_unknown_locales_and_tags_are_refused(options: dict[str, Any], hint: str) -> None:
    with pytest.raises(InputError, match=hint):
        next(people(1, 1, **options))
