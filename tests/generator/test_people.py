from __future__ import annotations

import re
from collections import Counter
from itertools import islice
from typing import Any

import pytest

from emulator.errors import InputError
from emulator.generator.edge_cases import EDGE_CASE_SHARES, NONE
from emulator.generator.people import Person, Population, batch, identify, no_longer_vip, people
from tests.segment.conftest import SegmentEnv

ADDRESS = re.compile(r"[a-z0-9.]+@[a-z0-9]+\.[a-z]+")
TRAITS = {
    *("first_name", "last_name", "phone", "street", "city", "state", "country"),
    *("postal_code", "timezone", "birthday", "total_spent"),
}


def some_people(count: int, *, seed: int = 1, **options: Any) -> list[Person]:
    found = list(islice(Population(seed=seed, **options).people(), count))
    assert len(found) == count
    return found


def test_a_person_does_not_depend_on_the_number_of_people() -> None:
    assert list(people(7, 300))[:50] == list(people(7, 50))
    assert list(people(7, 50)) != list(people(8, 50))


def test_a_person_does_not_depend_on_the_start() -> None:
    assert list(islice(Population(seed=7).people(first=250), 50)) == list(people(7, 300))[250:]


def test_edge_case_shares_change_nothing_else() -> None:
    plain = some_people(200, seed=7, missing_email=0, invalid_email=0, edge_cases={})
    assert {person.edge_case for person in plain} == {NONE}
    assert all(ADDRESS.fullmatch(person.email or "") for person in plain)
    for person, other in zip(plain, people(7, 200), strict=True):
        if other.edge_case == NONE:
            assert {**other.traits, "email": 0} == {**person.traits, "email": 0}


def test_people_have_the_default_traits() -> None:
    for person in people(1, 200):
        assert set(person.traits) - {"email"} == TRAITS
        assert person.traits.get("email") == person.email
        assert re.fullmatch(r"\d{4}-\d\d-\d\d", person.traits["birthday"])
        assert isinstance(person.traits["total_spent"], float)


def test_shares_are_met_approximately() -> None:
    many = some_people(10_000, seed=2)
    share = {tag: count / len(many) for tag, count in Counter(person.edge_case for person in many).items()}
    for tag, wanted in EDGE_CASE_SHARES.items():
        assert share[tag] == pytest.approx(wanted, rel=0.5)
    assert share["quote"] + share["newline"] + share["backslash"] == pytest.approx(0.02, rel=0.3)
    vips = sum(person.traits["total_spent"] >= 500 for person in many) / len(many)
    assert vips == pytest.approx(0.4, abs=0.02)
    assert sum(person.email is None for person in many) / len(many) == pytest.approx(0.1, abs=0.01)
    malformed = [person for person in many if person.email and not ADDRESS.fullmatch(person.email)]
    assert len(malformed) / len(many) == pytest.approx(0.03, abs=0.01)


def test_user_ids_and_emails_are_unique() -> None:
    many = some_people(5000, seed=3)
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
def test_an_edge_case_changes_its_trait(tag: str, trait: str, sign: str) -> None:
    for person in some_people(20, edge_cases={tag: 1.0}):
        assert person.edge_case == tag
        if tag == "accents":
            assert not person.traits[trait].isascii()
        else:
            assert sign in person.traits[trait]


def test_numbers_in_place_of_strings_and_long_emails() -> None:
    assert all(
        isinstance(person.traits["postal_code"], int) for person in some_people(20, edge_cases={"number_for_text": 1})
    )
    for person in some_people(20, edge_cases={"long_email": 1}):
        assert person.email is not None
        assert len(person.email) > 254
        assert ADDRESS.fullmatch(person.email)


def test_only_edge_cases_have_characters_that_break_a_document() -> None:
    for person in people(5, 3000):
        broken = any(re.search(r'["\\\n]', str(value)) for value in person.traits.values())
        assert broken == (person.edge_case in {"quote", "newline", "backslash"})


@pytest.mark.parametrize("locale", ["en_US", "de_DE", "ja_JP", "uk_UA"])
def test_emails_are_ascii_in_every_locale(locale: str) -> None:
    for person in some_people(50, locales=(locale,), missing_email=0, invalid_email=0, edge_cases={}):
        assert ADDRESS.fullmatch(person.email or "")


def test_people_of_several_locales_are_mixed() -> None:
    countries = Counter(person.traits["country"] for person in some_people(300, locales=("de_DE", "ja_JP")))
    assert set(countries) == {"DE", "JP"}
    assert min(countries.values()) > 100


def test_everyone_can_be_a_vip_and_stop_being_one() -> None:
    all_people = some_people(200, vips=1.0)
    assert all(person.vip for person in all_people)
    assert not any(no_longer_vip(person).vip for person in all_people)


def test_identify_calls_are_reproducible_and_later_ones_have_new_ids() -> None:
    [person] = people(1, 1)
    first, again, later = identify(person), identify(person), identify(person, sequence=1)
    assert first == again
    assert (first["type"], first["userId"], first["traits"]) == ("identify", person.user_id, person.traits)
    assert later["messageId"] != first["messageId"]
    assert later["timestamp"] > first["timestamp"]


def test_all_generated_people_are_ingested(segment_env: SegmentEnv) -> None:
    body = batch(identify(person) for person in people(4, 500))
    assert segment_env.segment.ingest("batch", body).accepted == 500
    assert len(segment_env.segment.profiles(limit=1000)) == 500
    assert segment_env.segment.ingest("batch", body).accepted == 0, "the same calls again are duplicates"


@pytest.mark.parametrize(
    ("options", "hint"),
    [
        ({"locales": ("en_US", "en_UX")}, "en_U"),
        ({"edge_cases": {"quotes": 0.5}}, "Did you mean 'quote'"),
        ({"edge_cases": {"quote": 0.6, "newline": 0.6}}, "more than 1"),
        ({"missing_email": 1.5}, "missing-email: invalid share"),
        ({"missing_email": 0.9, "invalid_email": 0.2}, "missing-email, invalid-email: the shares"),
    ],
)
def test_unknown_locales_and_tags_and_invalid_shares_are_rejected(options: dict[str, Any], hint: str) -> None:
    with pytest.raises(InputError, match=hint):
        Population(seed=1, **options)
