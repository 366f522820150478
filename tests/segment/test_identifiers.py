"""Which identifiers a call promotes: "External IDs" and "Identity Resolution Onboarding" in Segment's documentation."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.errors import WorkspaceError
from emulator.events import CallReceived
from emulator.segment.engage.identifiers import promotion
from emulator.segment.profiles.profile import Identifier
from emulator.segment.tracking.calls import Call
from emulator.workspace import Space, parse_workspace
from emulator.workspace_segment import read_space
from tests.segment.conftest import NOON, OpenEnv, SegmentEnv


def call(type_: str = "track", **message: Any) -> Call:
    return Call(
        type=type_,
        message_id="m",
        user_id=message.get("userId"),
        anonymous_id=message.get("anonymousId"),
        original_timestamp=NOON,
        sent_at=None,
        received_at=NOON,
        timestamp=NOON,
        message=message,
    )


def promoted(space: Space | None = None, type_: str = "track", **message: Any) -> list[Identifier]:
    return promotion(space or Space())(call(type_, userId="u", **message))[1:]


def space_of(*identifiers: dict[str, Any]) -> Space:
    return read_space({"id": "spa_x", "name": "X", "identifiers": list(identifiers)})


def identifiers(segment_env: SegmentEnv) -> list[set[tuple[str, str]]]:
    return [
        {(each["type"], each["id"]) for each in profile["externalIds"]} for profile in segment_env.segment.profiles()
    ]


DEVICE = {"id": "d", "advertisingId": "ad", "adTrackingEnabled": True, "token": "t"}


@pytest.mark.parametrize(
    ("context", "expected"),
    [
        (
            {"device": DEVICE | {"type": "android"}},
            [("android.id", "d"), ("android.idfa", "ad"), ("android.push_token", "t")],
        ),
        ({"device": DEVICE | {"type": "ios"}}, [("ios.id", "d"), ("ios.idfa", "ad"), ("ios.push_token", "t")]),
        ({"device": DEVICE | {"type": "ios", "adTrackingEnabled": False}}, [("ios.id", "d"), ("ios.push_token", "t")]),
        ({"device": {"type": "android", "advertisingId": "ad", "adTrackingEnabled": "true"}}, []),
        ({"device": DEVICE | {"type": "tvos"}}, []),
        ({"device": DEVICE}, []),
        ({"device": "android"}, []),
        ({"device": {"type": "ios", "id": 5, "token": ""}}, []),
        ({"integrations": {"Google Analytics": {"clientId": "g"}}}, [("ga_client_id", "g")]),
        ({"integrations": {"Google Analytics": True}}, []),
        ({"groupId": "acme"}, []),
    ],
)
def test_the_device_and_google_s_client_id_are_promoted(
    context: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    assert promoted(context=context) == expected


CRM = {"id": "c1", "type": "crm_id", "collection": "users", "encoding": "none"}


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        ([CRM], [("crm_id", "c1")]),
        ([CRM, CRM | {"id": "c2"}], [("crm_id", "c1"), ("crm_id", "c2")]),
        ([CRM | {"collection": "accounts"}], []),
        ([CRM | {"encoding": "base64"}], []),
        ([CRM | {"type": "CRM_ID"}], []),
        ([CRM | {"id": ""}], []),
        ([CRM | {"id": 5}], []),
        (["c1", None], []),
        ("c1", []),
        *(([{key: value for key, value in CRM.items() if key != missing}], []) for missing in CRM),
    ],
)
def test_external_ids_about_users_are_promoted_when_they_are_complete(
    entries: object, expected: list[tuple[str, str]]
) -> None:
    assert promoted(context={"externalIds": entries}) == expected


def test_the_user_id_and_the_email_come_first_and_the_others_by_name() -> None:
    context = {
        "device": DEVICE | {"type": "ios"},
        "externalIds": [CRM, CRM | {"type": "a_id"}],
        "traits": {"email": "a@b.co"},
    }
    kinds = [kind for kind, _ in promoted(context=context, anonymousId="x")]
    assert kinds == ["email", "a_id", "anonymous_id", "crm_id", "ios.id", "ios.idfa", "ios.push_token"]


_junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["ios", "users", "none", "x", ""]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(
                ["device", "type", "id", "externalIds", "collection", "encoding", "integrations", "traits"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(context=_junk, table=st.booleans())
def test_no_context_is_an_error_and_every_identifier_is_a_text(context: Any, table: bool) -> None:
    space = space_of({"type": "ios.id"}, {"type": "x", "key": "id"}) if table else Space()
    found = promotion(space)(call("identify", userId="u", context=context, traits=context, properties=context))
    assert all(isinstance(part, str) and part for identifier in found for part in identifier)


def test_people_who_share_a_device_or_an_external_id_are_one_profile(segment_env: SegmentEnv) -> None:
    context = {"externalIds": [CRM]}
    segment_env.segment.ingest("identify", {"anonymousId": "phone", "traits": {"x": 1}, "context": context})
    segment_env.segment.ingest("identify", {"anonymousId": "laptop", "traits": {"y": 2}, "context": context})
    assert identifiers(segment_env) == [{("anonymous_id", "phone"), ("anonymous_id", "laptop"), ("crm_id", "c1")}]


def test_a_shared_device_does_not_merge_two_user_ids(segment_env: SegmentEnv) -> None:
    context = {"device": {"type": "ios", "id": "ipad"}}
    for user in ("u1", "u2"):
        segment_env.segment.ingest("identify", {"userId": user, "traits": {}, "context": context})
    assert identifiers(segment_env) == [{("user_id", "u1"), ("ios.id", "ipad")}, {("user_id", "u2")}]


def test_without_a_table_no_value_is_blocked(segment_env: SegmentEnv) -> None:
    """Segment recommends to block values, and does so only where it is chosen."""
    for user in ("null", "-1", "anonymous", "0000-0000"):
        segment_env.segment.ingest("track", {"userId": user, "event": "e"})
    assert identifiers(segment_env) == [{("user_id", user)} for user in ("null", "-1", "anonymous", "0000-0000")]


def test_a_table_promotes_exactly_its_identifiers_in_its_order() -> None:
    space = space_of({"type": "crm_id"}, {"type": "user_id"})
    call_ = call(userId="u", anonymousId="a", context={"externalIds": [CRM, CRM | {"type": "other"}]})
    assert promotion(space)(call_) == [("crm_id", "c1"), ("user_id", "u")]


@pytest.mark.parametrize(
    ("type_", "message", "expected"),
    [
        ("identify", {"traits": {"phone_number": "1"}}, ["1"]),
        ("identify", {"traits": {"phoneNumber": "1"}}, ["1"]),
        ("track", {"properties": {"phoneNumber": "1"}}, ["1"]),
        ("track", {"context": {"traits": {"phone_number": "1"}}}, ["1"]),
        ("track", {"context": {"externalIds": [CRM | {"type": "phone"}]}}, ["c1"]),
        ("track", {"properties": {"phone": "1"}}, []),
        ("group", {"traits": {"phone_number": "1"}}, []),
        ("track", {"properties": {"phone_number": 1}}, []),
    ],
)
def test_a_custom_identifier_is_found_under_its_key(type_: str, message: dict[str, Any], expected: list[str]) -> None:
    space = space_of({"type": "user_id"}, {"type": "phone", "key": "phone_number"})
    assert promoted(space, type_, **message) == [("phone", value) for value in expected]


@pytest.mark.parametrize("value", ["-1", "null", "anonymous", "0", "00000000-0000-0000", "---"])
def test_recommended_values_are_not_promoted(value: str) -> None:
    table = space_of({"type": "user_id", "blockedValues": "recommended"}, {"type": "anonymous_id"})
    assert promotion(table)(call(userId=value, anonymousId=value)) == [("anonymous_id", value)]


@pytest.mark.parametrize("value", ["1", "10", "Null", "anonymous1", "a-0"])
def test_other_values_are_promoted(value: str) -> None:
    table = space_of({"type": "user_id", "blockedValues": "recommended"})
    assert promotion(table)(call(userId=value)) == [("user_id", value)]


def test_a_call_whose_identifiers_are_all_blocked_belongs_to_no_profile_and_says_so(
    open_env: OpenEnv, document: dict[str, Any]
) -> None:
    document["space"] = {
        "id": "spa_local",
        "name": "Local",
        "identifiers": [{"type": "user_id", "blockedValues": ["void", {"pattern": "^test"}]}, {"type": "email"}],
    }
    segment_env = open_env(document)
    calls = [
        {"type": "identify", "userId": "void", "traits": {"total_spent": 900}},
        {"type": "identify", "userId": "test-7", "traits": {"email": "a@b.co", "total_spent": 900}},
    ]
    assert segment_env.segment.ingest("batch", {"batch": calls}).accepted == 2
    assert identifiers(segment_env) == [{("email", "a@b.co")}]
    unknown, known = segment_env.heard(CallReceived)
    assert unknown.accepted
    assert unknown.notes == ("the user_id 'void' is a blocked value of space.identifiers, and is not promoted",)
    assert "test-7" in known.notes[0]


@pytest.mark.parametrize(
    ("identifiers_", "message"),
    [
        ([{"type": "user_id"}] * 2, r"space: identifiers\[1\]: duplicates identifiers\[0\]"),
        ([{"type": "User"}], r"space.identifiers\[0\].type: .*user_id, email"),
        ([{"type": "email", "key": "mail"}], r"identifiers\[0\].key: the default identifier 'email' has no key"),
        ([{"type": "user_id", "blockedValues": [-1]}], r"blockedValues\[0\]: must be a string.*-1.*in quotes"),
        ([{"type": "user_id", "blockedValues": "suggested"}], "Allowed: recommended"),
        ([{"type": "user_id", "blockedValues": [{"pattern": "("}]}], r"\[0\].pattern: the regular expression is inv"),
        ([], "identifiers: this array is too short"),
    ],
)
def test_a_mistake_in_the_table_is_located(
    document: dict[str, Any], identifiers_: list[dict[str, Any]], message: str
) -> None:
    document["space"] = {"id": "spa_local", "name": "Local", "identifiers": identifiers_}
    with pytest.raises(WorkspaceError, match=message):
        parse_workspace(document)
