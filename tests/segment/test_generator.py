from __future__ import annotations

import re
from collections import Counter
from itertools import islice
from typing import Any

import pytest

from emulator.errors import InputError
from emulator.generator.edge_cases import EDGE_CASE_SHARES, NONE
from emulator.generator.people import Person, Population, batch, identify, no_longer_vip, people

ADDRESS = re.compile(r"[a-z0-9.]+@[a-z0-9]+\.[a-z]+")
TRAITS = {
    *("first_name", "last_name", "phone", "street", "city", "state", "country"),
    *("postal_code", "timezone", "birthday", "total_spent"),
}


def crowd(count: int, *, seed: int = 1, **options: Any) -> list[Person]:
    return list(islice(Population(seed=seed, **options).people(), count))


def test_a_person_is_the_same_however_many_are_asked_for() -> None:
    assert list(people(7, 300))[:50] == list(people(7, 50))
    assert list(people(7, 50)) != list(people(8, 50))


def test_a_person_is_the_same_from_whichever_one_people_are_made_on() -> None:
    assert list(islice(Population(seed=7).people(first=250), 50)) == list(people(7, 300))[250:]


def test_shares_change_who_is_awkward_and_nothing_else() -> None:
    plain = crowd(200, seed=7, missing_email=0, invalid_email=0, awkward={})
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
    many = crowd(10_000, seed=2)
    share = {tag: count / len(many) for tag, count in Counter(person.awkward for person in many).items()}
    for tag, wanted in EDGE_CASE_SHARES.items():
        assert share[tag] == pytest.approx(wanted, rel=0.5)
    assert share["quote"] + share["newline"] + share["backslash"] == pytest.approx(0.02, rel=0.3)
    vips = sum(person.traits["total_spent"] >= 500 for person in many) / len(many)
    assert vips == pytest.approx(0.4, abs=0.02)
    assert sum(person.email is None for person in many) / len(many) == pytest.approx(0.1, abs=0.01)
    malformed = [person for person in many if person.email and not ADDRESS.fullmatch(person.email)]
    assert len(malformed) / len(many) == pytest.approx(0.03, abs=0.01)


def test_everybody_has_a_user_id_and_an_email_of_their_own() -> None:
    many = crowd(5000, seed=3)
    emails = [person.email for person in many if person.email]
    assert len(set(emails)) == len(emails)
    assert len({person.user_id for person in many}) == 5000


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
    for person in crowd(20, awkward={tag: 1.0}):
        assert person.awkward == tag
        if tag == "accents":
            assert not person.traits[trait].isascii()
        else:
            assert sign in person.traits[trait]


def test_numbers_for_texts_and_overlong_emails() -> None:
    assert all(isinstance(person.traits["postal_code"], int) for person in crowd(20, awkward={"number_for_text": 1}))
    for person in crowd(20, awkward={"long_email": 1}):
        assert person.email is not None
        assert len(person.email) > 254
        assert ADDRESS.fullmatch(person.email)


def test_only_awkward_people_hold_characters_that_break_a_document() -> None:
    for person in people(5, 3000):
        broken = any(re.search(r'["\\\n]', str(value)) for value in person.traits.values())
        assert broken == (person.awkward in {"quote", "newline", "backslash"})


@pytest.mark.parametrize("locale", ["en_US", "de_DE", "ja_JP", "uk_UA"])
def test_mailboxes_are_plain_in_every_locale(locale: str) -> None:
    for person in crowd(50, locales=(locale,), missing_email=0, invalid_email=0, awkward={}):
        assert ADDRESS.fullmatch(person.email or "")


def test_people_of_several_locales_stand_side_by_side() -> None:
    countries = Counter(person.traits["country"] for person in crowd(300, locales=("de_DE", "ja_JP")))
    assert set(countries) == {"DE", "JP"}
    assert min(countries.values()) > 100


def test_all_are_vips_where_all_are_to_be_and_nobody_is_who_no_longer_spends() -> None:
    everybody = crowd(200, vips=1.0)
    assert all(person.vip for person in everybody)
    assert not any(no_longer_vip(person).vip for person in everybody)


def test_an_identify_call_is_repeatable_and_a_later_one_has_another_id() -> None:
    [person] = people(1, 1)
    first, again, later = identify(person), identify(person), identify(person, sequence=1)
    assert first == again
    assert (first["type"], first["userId"], first["traits"]) == ("identify", person.user_id, person.traits)
    assert later["messageId"] != first["messageId"]
    assert later["timestamp"] > first["timestamp"]


def test_a_crowd_is_taken_in_whole(room: Any) -> None:
    body = batch(identify(person) for person in people(4, 500))
    assert room.segment.ingest("batch", body).accepted == 500
    assert len(room.segment.profiles(limit=1000)) == 500
    assert room.segment.ingest("batch", body).accepted == 0, "the same calls again are duplicates"


@pytest.mark.parametrize(
    ("options", "hint"),
    [
        ({"locales": ("en_US", "en_UX")}, "en_U"),
        ({"awkward": {"quotes": 0.5}}, "Did you mean 'quote'"),
        ({"awkward": {"quote": 0.6, "newline": 0.6}}, "more than 1"),
        ({"missing_email": 1.5}, "missing-email: this is not a share"),
        ({"missing_email": 0.9, "invalid_email": 0.2}, "missing-email, invalid-email: the shares"),
    ],
)
def test_unknown_locales_and_tags_and_what_is_no_share_are_refused(options: dict[str, Any], hint: str) -> None:
    with pytest.raises(InputError, match=hint):
        Population(seed=1, **options)
