"""Who a call is about: "Identity Resolution" and "External IDs" in Segment's documentation."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.clock import Clock
from emulator.sandbox import Sandbox
from emulator.segment import Segment
from emulator.segment.profiles.store import ProfileSession, read_profiles
from emulator.segment.tables import PROFILES, TABLES
from emulator.store import Store
from emulator.workspace import load_workspace
from tests.segment.conftest import NOON, OpenEnv, RecordingTransport, SegmentEnv


def identifiers(segment_env: SegmentEnv) -> list[set[tuple[str, str]]]:
    return [
        {(item["type"], item["id"]) for item in profile["externalIds"]} for profile in segment_env.segment.profiles()
    ]


def traits(segment_env: SegmentEnv) -> dict[str, Any]:
    [profile] = segment_env.segment.profiles()
    found: dict[str, Any] = profile["traits"]
    return found


def test_user_id_anonymous_id_and_email_are_promoted(segment_env: SegmentEnv) -> None:
    segment_env.segment.ingest("identify", {"userId": "u", "anonymousId": "a", "traits": {"email": "a@b.co"}})
    assert identifiers(segment_env) == [{("user_id", "u"), ("anonymous_id", "a"), ("email", "a@b.co")}]


def test_an_email_in_context_traits_of_a_track_becomes_an_identifier_but_no_trait(segment_env: SegmentEnv) -> None:
    call = {"userId": "u", "event": "e", "context": {"traits": {"email": "a@b.co", "city": "x"}}}
    segment_env.segment.ingest("track", call)
    assert identifiers(segment_env) == [{("user_id", "u"), ("email", "a@b.co")}]
    assert traits(segment_env) == {}


@pytest.mark.parametrize("email", [None, "", 5, ["a@b.co"], {}])
def test_an_email_that_is_not_a_string_is_not_an_identifier(segment_env: SegmentEnv, email: Any) -> None:
    segment_env.segment.ingest("identify", {"userId": "u", "traits": {"email": email}})
    assert identifiers(segment_env) == [{("user_id", "u")}]


def test_a_known_identifier_attaches_the_call_to_its_profile(segment_env: SegmentEnv) -> None:
    segment_env.segment.ingest("track", {"anonymousId": "a", "event": "e"})
    segment_env.segment.ingest("identify", {"anonymousId": "a", "userId": "u", "traits": {"x": 1}})
    segment_env.segment.ingest("identify", {"userId": "u", "traits": {"y": 2}})
    assert identifiers(segment_env) == [{("anonymous_id", "a"), ("user_id", "u")}]
    assert traits(segment_env) == {"x": 1, "y": 2}


def test_profiles_that_a_call_connects_are_merged(segment_env: SegmentEnv) -> None:
    segment_env.segment.ingest(
        "identify", {"anonymousId": "a", "traits": {"x": 1, "z": 1}, "timestamp": "2026-01-02T00:00:00Z"}
    )
    segment_env.segment.ingest(
        "identify", {"userId": "u", "traits": {"y": 2, "z": 2}, "timestamp": "2026-01-01T00:00:00Z"}
    )
    segment_env.segment.ingest("track", {"anonymousId": "a", "userId": "u", "event": "e"})
    assert identifiers(segment_env) == [{("anonymous_id", "a"), ("user_id", "u")}]
    assert traits(segment_env) == {"x": 1, "y": 2, "z": 1}, "the value set last stays"


def test_of_two_values_with_the_same_timestamp_the_last_one_wins_in_a_batch_too(
    open_env: OpenEnv, document: dict[str, Any]
) -> None:
    calls = [
        {"type": "identify", "userId": "b", "traits": {"plan": "first"}},
        {"type": "identify", "anonymousId": "z", "traits": {"plan": "last"}},
        {"type": "track", "userId": "b", "anonymousId": "z", "event": "E"},
    ]
    for groups in ([calls], [[call] for call in calls], [calls[:1], calls[1:]]):
        segment_env = open_env(document)
        for group in groups:
            segment_env.segment.ingest("batch", {"batch": group})
        assert traits(segment_env) == {"plan": "last"}


_ids = st.fixed_dictionaries({}, optional={"userId": st.sampled_from("abc"), "anonymousId": st.sampled_from("wxyz")})
_traits = st.fixed_dictionaries(
    {},
    optional={"email": st.sampled_from([f"{number}@e.co" for number in range(7)]), "n": st.sampled_from([1, 2, None])},
)
_identifies = st.builds(lambda ids, traits: {"type": "identify", "traits": traits} | ids, _ids.filter(bool), _traits)
_tracks = st.builds(lambda ids: {"type": "track", "event": "E"} | ids, _ids.filter(bool))


@settings(deadline=None, max_examples=60)
@given(calls=st.lists(_identifies | _tracks, min_size=3, max_size=14))
def test_a_batch_and_single_calls_make_the_same_profiles(calls: list[dict[str, Any]]) -> None:
    def after(groups: list[list[dict[str, Any]]]) -> list[dict[str, Any]]:
        sandbox = Sandbox(load_workspace(), clock=Clock(frozen_at=NOON))
        with closing(sandbox):
            segment = Segment(sandbox, lambda _destination: RecordingTransport())
            for group in groups:
                segment.ingest("batch", {"batch": group})
            return [{name: value for name, value in found.items() if name != "id"} for found in segment.profiles()]

    assert after([calls]) == after([[call] for call in calls])


def test_two_user_ids_are_never_merged(segment_env: SegmentEnv) -> None:
    """Limit of `user_id`: one. The identifier of lowest priority is dropped and matching starts again."""
    segment_env.segment.ingest("identify", {"userId": "u1", "anonymousId": "a", "traits": {"email": "a@b.co"}})
    segment_env.segment.ingest("identify", {"userId": "u2", "anonymousId": "a", "traits": {"email": "a@b.co", "x": 1}})
    assert identifiers(segment_env) == [
        {("user_id", "u1"), ("anonymous_id", "a"), ("email", "a@b.co")},
        {("user_id", "u2")},
    ]
    assert segment_env.segment.profiles("u2")[0]["traits"]["x"] == 1


def test_a_sixth_value_of_a_type_is_not_added(segment_env: SegmentEnv) -> None:
    for number in range(7):
        segment_env.identify("u", email=f"{number}@b.co")
    [found] = identifiers(segment_env)
    assert {value for kind, value in found if kind == "email"} == {f"{number}@b.co" for number in range(5)}
    assert traits(segment_env)["email"] == "6@b.co", "the trait is set although the identifier is not promoted"


def test_the_last_identifier_added_is_shown(segment_env: SegmentEnv) -> None:
    for email in ("z@b.co", "a@b.co", "m@b.co"):
        segment_env.identify("u", email=email)
    [profile] = segment_env.segment.profiles()
    assert profile["email"] == "m@b.co"


def test_null_removes_a_trait_and_an_empty_string_is_kept(segment_env: SegmentEnv) -> None:
    segment_env.identify("u", a=1, b="x", c="y")
    segment_env.identify("u", a=None, b="")
    assert traits(segment_env) == {"b": "", "c": "y"}


@pytest.mark.parametrize("route", ["track", "page", "screen", "group"])
def test_only_identify_sets_traits(segment_env: SegmentEnv, route: str) -> None:
    segment_env.segment.ingest(
        route, {"userId": "u", "groupId": "g", "event": "e", "traits": {"x": 1}, "properties": {"y": 1}}
    )
    assert traits(segment_env) == {}


def test_an_alias_call_changes_no_profile(segment_env: SegmentEnv) -> None:
    """ "Spec: Alias": it cannot be used to merge profiles in Unify."""
    segment_env.segment.ingest("alias", {"userId": "u", "previousId": "p"})
    assert segment_env.segment.profiles() == []
    segment_env.segment.ingest("identify", {"userId": "u", "traits": {"x": 1}})
    segment_env.segment.ingest("identify", {"anonymousId": "p", "traits": {"y": 2}})
    receipt = segment_env.segment.ingest("alias", {"userId": "u", "previousId": "p"})
    assert receipt.accepted == 1
    assert identifiers(segment_env) == [{("user_id", "u")}, {("anonymous_id", "p")}]


def test_the_identifier_of_lowest_priority_is_dropped_when_a_limit_is_passed(segment_env: SegmentEnv) -> None:
    """The example of "Identity Resolution Onboarding": the email ranks below the user id."""
    segment_env.segment.ingest("identify", {"userId": "abc123", "traits": {"email": "jane@example1.com"}})
    segment_env.segment.ingest("identify", {"userId": "abc456", "traits": {"email": "jane@example1.com"}})
    assert identifiers(segment_env) == [
        {("user_id", "abc123"), ("email", "jane@example1.com")},
        {("user_id", "abc456")},
    ]


def test_a_batch_resolves_its_calls_in_order(segment_env: SegmentEnv) -> None:
    calls = [
        {"type": "identify", "anonymousId": "a", "traits": {"n": 1}},
        {"type": "identify", "userId": "u", "traits": {"n": 2}},
        {"type": "identify", "anonymousId": "a", "userId": "u", "traits": {"n": 3}},
        {"type": "identify", "anonymousId": "b", "userId": "u", "traits": {"m": 4}},
    ]
    segment_env.segment.ingest("batch", {"batch": calls})
    assert identifiers(segment_env) == [{("anonymous_id", "a"), ("anonymous_id", "b"), ("user_id", "u")}]
    assert traits(segment_env) == {"n": 3, "m": 4}


def test_profiles_survive_in_a_file(open_env: OpenEnv, document: Any, tmp_path: Path) -> None:
    first = open_env(document, store=tmp_path / "s.sqlite")
    first.identify("u", email="a@b.co", total_spent=900)
    again = open_env(document, store=tmp_path / "s.sqlite")
    again.identify("u", city="x")
    assert traits(again) == {"email": "a@b.co", "total_spent": 900, "city": "x"}
    assert [profile["audiences"] for profile in again.segment.profiles()] == [["vip_customers"]]


calls = st.lists(
    st.tuples(
        st.sampled_from([None, "u1", "u2", "u3"]),
        st.sampled_from([None, "e1", "e2", "e3", "e4", "e5", "e6", "e7"]),
        st.sampled_from([None, "a1", "a2"]),
    ).filter(any),
    max_size=25,
)


@settings(max_examples=60, deadline=None)
@given(calls, st.integers(1, 6))
def test_one_transaction_or_many_resolve_the_same_profiles_within_the_limits(
    sent: list[tuple[str | None, ...]], at_once: int
) -> None:
    def resolved(size: int) -> list[set[tuple[str, str]]]:
        store = Store()
        store.create(TABLES)
        wanted = [
            [(kind, value) for kind, value in zip(("user_id", "email", "anonymous_id"), call, strict=True) if value]
            for call in sent
        ]
        for start in range(0, len(wanted), size):
            group = wanted[start : start + size]
            with store.begin() as transaction:
                book = ProfileSession(transaction, (identifier for call in group for identifier in call))
                for call in group:
                    book.resolve(call, 0)
                book.save()
        with store.begin() as transaction:
            keys = transaction.execute(PROFILES.select().with_only_columns(PROFILES.c.id)).scalars().all()
            found = [set(profile.identifiers) for profile in read_profiles(transaction, keys)]
        store.close()
        return found

    one_by_one, grouped = resolved(1), resolved(at_once)
    assert sorted(map(sorted, one_by_one)) == sorted(map(sorted, grouped))
    for profile in grouped:
        kinds = [kind for kind, _ in profile]
        assert kinds.count("user_id") <= 1
        assert max(kinds.count("email"), kinds.count("anonymous_id")) <= 5
