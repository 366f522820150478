"""What Engage emits, field by field: "Using Engage data" in Segment's documentation and captured events."""

from __future__ import annotations

from typing import Any

import pytest

from emulator.errors import WorkspaceError
from emulator.events import MembershipChanged
from emulator.schemas import mistakes
from tests.segment.conftest import OpenEnv, SegmentEnv

PERSONAS = {
    "computation_class": "audience",
    "computation_id": "aud_local_vip",
    "computation_key": "vip_customers",
    "namespace": "spa_local",
    "space_id": "spa_local",
}
ENVELOPE = {"messageId", "integrations", "originalTimestamp", "timestamp", "receivedAt", "sentAt"}
NOW = "2026-03-01T12:00:00.000Z"


@pytest.fixture(autouse=True)
def emitted_events_fit_their_schemas(request: pytest.FixtureRequest) -> Any:
    """Every event of every test here is checked against the contract of its type."""
    segment_env = request.getfixturevalue("segment_env") if "segment_env" in request.fixturenames else None
    yield
    if segment_env is not None:
        for payload in segment_env.payloads():
            assert mistakes(payload, f"segment/audience-{payload['type']}.schema.json") == []
            assert payload.keys() >= ENVELOPE


def connection(document: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = document["destinations"][0]["audiences"][0]
    return found


def changes(segment_env: SegmentEnv) -> list[tuple[str, Any]]:
    return [
        (payload["type"], (payload.get("traits") or payload.get("properties"))["vip_customers"])
        for payload in segment_env.payloads()
    ]


def test_entering_sends_an_identify_with_the_boolean_and_the_email_in_traits(segment_env: SegmentEnv) -> None:
    segment_env.identify("u1", email="ada@example.com", first_name="Ada", total_spent=900)
    identify = segment_env.payloads()[0]
    assert identify.pop("messageId").startswith("personas_")
    assert identify == {
        "type": "identify",
        "userId": "u1",
        "traits": {"email": "ada@example.com", "first_name": "Ada", "vip_customers": True},
        "context": {"library": {"name": "unknown", "version": "unknown"}, "personas": PERSONAS},
        "integrations": {"All": False, "StackAdapt Audiences": True},
        "originalTimestamp": "2026-03-01T12:00:00.000000000Z",
        "timestamp": NOW,
        "receivedAt": NOW,
        "sentAt": None,
    }


def test_entering_sends_a_track_with_the_email_in_context_traits(segment_env: SegmentEnv) -> None:
    segment_env.identify("u1", email="ada@example.com", first_name="Ada", total_spent=900)
    track = segment_env.payloads()[1]
    assert track.pop("messageId").startswith("personas_")
    assert track == {
        "type": "track",
        "event": "Audience Entered",
        "userId": "u1",
        "properties": {"audience_key": "vip_customers", "first_name": "Ada", "vip_customers": True},
        "context": {
            "library": {"name": "unknown", "version": "unknown"},
            "personas": PERSONAS,
            "traits": {"email": "ada@example.com"},
        },
        "integrations": {"All": False, "StackAdapt Audiences": True},
        "originalTimestamp": "2026-03-01T12:00:00.000000000Z",
        "timestamp": NOW,
        "receivedAt": NOW,
        "sentAt": None,
    }


def test_leaving_sends_the_same_with_false(segment_env: SegmentEnv) -> None:
    segment_env.identify("u1", email="ada@example.com", total_spent=900)
    segment_env.identify("u1", total_spent=1)
    assert changes(segment_env) == [("identify", True), ("track", True), ("identify", False), ("track", False)]
    assert [payload.get("event") for payload in segment_env.payloads()] == [
        None,
        "Audience Entered",
        None,
        "Audience Exited",
    ]
    assert segment_env.segment.members("vip_customers") == []


def test_nothing_is_sent_while_the_membership_is_unchanged(segment_env: SegmentEnv) -> None:
    segment_env.identify("u1", email="ada@example.com", total_spent=900)
    segment_env.identify("u1", total_spent=901, first_name="Ada")
    segment_env.identify("u2", email="bob@example.com", total_spent=1)
    assert len(segment_env.payloads()) == 2


def test_entering_and_leaving_in_one_batch_are_both_sent(segment_env: SegmentEnv) -> None:
    calls = [{"type": "identify", "userId": "u1", "traits": {"total_spent": spent}} for spent in (900, 1, 600)]
    segment_env.segment.ingest("batch", {"batch": calls})
    assert [entered for kind, entered in changes(segment_env) if kind == "identify"] == [True, False, True]


def test_the_journal_records_each_change(segment_env: SegmentEnv) -> None:
    segment_env.identify("u1", email="ada@example.com", total_spent=900)
    segment_env.identify("u1", total_spent=1)
    [profile] = segment_env.segment.profiles()
    heard = segment_env.heard(MembershipChanged)
    assert [(change.audience_key, change.profile_id, change.entered) for change in heard] == [
        ("vip_customers", profile["id"], True),
        ("vip_customers", profile["id"], False),
    ]


@pytest.mark.parametrize(
    ("switches", "types"),
    [
        ({"sendTrack": False}, ["identify"]),
        ({"sendIdentify": False}, ["track"]),
        ({"sendTrack": False, "sendIdentify": False}, []),
    ],
)
def test_send_track_and_send_identify_can_be_switched_off(
    open_env: OpenEnv, document: dict[str, Any], switches: dict[str, bool], types: list[str]
) -> None:
    connection(document).update(switches)
    segment_env = open_env(document)
    segment_env.identify("u1", total_spent=900)
    assert [payload["type"] for payload in segment_env.payloads()] == types
    assert [member["userId"] for member in segment_env.segment.members("vip_customers")] == ["u1"]


def test_enter_and_exit_events_can_be_renamed(open_env: OpenEnv, document: dict[str, Any]) -> None:
    connection(document).update(enterEvent="In", exitEvent="Out", sendIdentify=False)
    segment_env = open_env(document)
    segment_env.identify("u1", total_spent=900)
    segment_env.identify("u1", total_spent=1)
    assert [payload["event"] for payload in segment_env.payloads()] == ["In", "Out"]


def test_a_customized_setup_without_email_and_traits_sends_neither(open_env: OpenEnv, document: dict[str, Any]) -> None:
    connection(document).update(email=False, traits=[])
    segment_env = open_env(document)
    segment_env.identify("u1", email="ada@example.com", first_name="Ada", total_spent=900)
    identify, track = segment_env.payloads()
    assert identify["traits"] == {"vip_customers": True}
    assert track["properties"] == {"audience_key": "vip_customers", "vip_customers": True}
    assert "traits" not in track["context"]


def test_an_enriched_email_is_in_the_properties_of_a_track(open_env: OpenEnv, document: dict[str, Any]) -> None:
    connection(document).update(email=False, traits=["email"])
    segment_env = open_env(document)
    segment_env.identify("u1", email="ada@example.com", total_spent=900)
    assert segment_env.payloads()[1]["properties"]["email"] == "ada@example.com"


def test_enriched_traits_can_have_another_name_at_the_destination(open_env: OpenEnv, document: dict[str, Any]) -> None:
    connection(document).update(traits={"first_name": "given_name", "plan": "plan"})
    segment_env = open_env(document)
    segment_env.identify("u1", first_name="Ada", total_spent=900)
    identify, track = segment_env.payloads()
    assert identify["traits"] == {"given_name": "Ada", "vip_customers": True}
    assert track["properties"] == {"given_name": "Ada", "audience_key": "vip_customers", "vip_customers": True}


def test_a_member_without_email_is_sent_without_one(segment_env: SegmentEnv) -> None:
    segment_env.identify("u1", total_spent=900)
    identify, track = segment_env.payloads()
    assert identify["traits"] == {"vip_customers": True}
    assert "traits" not in track["context"]


@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_the_default_setup_sends_an_event_for_every_email(
    open_env: OpenEnv, document: dict[str, Any], count: int
) -> None:
    """ "ID Sync": audiences without it send all values of an identifier, on entering and on leaving."""
    del connection(document)["email"]
    segment_env = open_env(document)
    emails = [f"u1+{number}@example.com" for number in range(count)]
    for email in emails:
        segment_env.identify("u1", email=email)
    segment_env.identify("u1", total_spent=900)
    segment_env.identify("u1", total_spent=1)
    for kind, holder in (("identify", "traits"), ("track", "properties")):
        sent = [payload for payload in segment_env.payloads() if payload["type"] == kind]
        places = [payload["traits"] if kind == "identify" else payload["context"]["traits"] for payload in sent]
        assert [place["email"] for place in places] == [*emails, *emails]
        assert [payload[holder]["vip_customers"] for payload in sent] == [True] * count + [False] * count


def test_a_new_email_of_a_member_is_sent_with_the_others_by_default(
    open_env: OpenEnv, document: dict[str, Any]
) -> None:
    del connection(document)["email"]
    connection(document)["sendTrack"] = False
    segment_env = open_env(document)
    segment_env.identify("u1", email="old@example.com", total_spent=900)
    segment_env.identify("u1", email="new@example.com")
    sent = [payload["traits"]["email"] for payload in segment_env.payloads()]
    assert sent == ["old@example.com", "old@example.com", "new@example.com"]


def test_entering_sends_the_last_email_and_leaving_sends_every_email(segment_env: SegmentEnv) -> None:
    """ "ID Sync": audience-exit events ignore the strategy, all identifiers are sent."""
    segment_env.identify("u1", email="old@example.com")
    segment_env.identify("u1", email="new@example.com", total_spent=900)
    segment_env.identify("u1", total_spent=1)
    sent = [
        (p["traits"]["vip_customers"], p["traits"]["email"]) for p in segment_env.payloads() if p["type"] == "identify"
    ]
    assert sent == [(True, "new@example.com"), (False, "old@example.com"), (False, "new@example.com")]


@pytest.mark.parametrize(
    ("strategy", "entering"),
    [(True, ["new"]), ("last", ["new"]), ("first", ["old"]), ("all", ["old", "new"]), (False, [None])],
)
def test_id_sync_sends_the_first_the_last_or_every_email(
    open_env: OpenEnv, document: dict[str, Any], strategy: bool | str, entering: list[str | None]
) -> None:
    connection(document).update(email=strategy, sendTrack=False)
    segment_env = open_env(document)
    segment_env.identify("u1", email="old@example.com")
    segment_env.identify("u1", email="new@example.com", total_spent=900)
    sent = [(payload["traits"].get("email") or "").partition("@")[0] or None for payload in segment_env.payloads()]
    assert sent == entering
    segment_env.identify("u1", total_spent=1)
    leaving = [payload["traits"].get("email") for payload in segment_env.payloads()[len(entering) :]]
    assert leaving == (["old@example.com", "new@example.com"] if strategy else [None])


def test_a_new_external_id_of_a_member_is_sent(segment_env: SegmentEnv) -> None:
    segment_env.identify("u1", total_spent=900)
    segment_env.identify("u1", email="ada@example.com")
    sent = [payload["traits"].get("email") for payload in segment_env.payloads() if payload["type"] == "identify"]
    assert sent == [None, "ada@example.com"]
    segment_env.segment.ingest("track", {"userId": "u1", "anonymousId": "a", "event": "e"})
    assert len(segment_env.payloads()) == 4, "anonymous ids are not synced"


def test_a_merge_sends_the_other_profile_s_email(segment_env: SegmentEnv) -> None:
    segment_env.identify("u1", total_spent=900)
    segment_env.segment.ingest("identify", {"anonymousId": "a", "traits": {"email": "ada@example.com"}})
    segment_env.segment.ingest("track", {"userId": "u1", "anonymousId": "a", "event": "e"})
    assert [p["traits"].get("email") for p in segment_env.payloads() if p["type"] == "identify"] == [
        None,
        "ada@example.com",
    ]
    assert [member["userId"] for member in segment_env.segment.members("vip_customers")] == ["u1"]


def test_an_anonymous_profile_is_not_a_member_until_it_is_identified(segment_env: SegmentEnv) -> None:
    """A member needs at least a `user_id` or an `email`."""
    segment_env.segment.ingest("identify", {"anonymousId": "a", "traits": {"total_spent": 900}})
    assert segment_env.payloads() == []
    segment_env.segment.ingest("identify", {"anonymousId": "a", "userId": "u1"})
    assert changes(segment_env) == [("identify", True), ("track", True)]


def test_a_profile_with_an_email_and_no_user_id_is_sent_by_its_anonymous_id(segment_env: SegmentEnv) -> None:
    segment_env.segment.ingest(
        "identify", {"anonymousId": "a", "traits": {"email": "ada@example.com", "total_spent": 900}}
    )
    identify, _ = segment_env.payloads()
    assert identify["anonymousId"] == "a"
    assert "userId" not in identify


def test_message_ids_are_repeatable_with_a_seed_and_carry_the_second(
    open_env: OpenEnv, document: dict[str, Any]
) -> None:
    first, second = open_env(document), open_env(document)
    for segment_env in (first, second):
        segment_env.identify("u1", total_spent=900)
    ids = [payload["messageId"] for payload in first.payloads()]
    assert ids == [payload["messageId"] for payload in second.payloads()]
    assert len(set(ids)) == 2


def test_an_audience_goes_to_each_destination_with_its_own_settings(
    open_env: OpenEnv, document: dict[str, Any]
) -> None:
    other = document["destinations"][0] | {
        "name": "Second",
        "audiences": [{"key": "vip_customers", "sendTrack": False}],
    }
    document["destinations"].append(other)
    segment_env = open_env(document)
    segment_env.identify("u1", email="ada@example.com", first_name="Ada", total_spent=900)
    sent = [(row["destination"], row["type"]) for row in segment_env.segment.deliveries()]
    assert sent == [("StackAdapt Acme", "identify"), ("StackAdapt Acme", "track"), ("Second", "identify")]
    assert segment_env.payloads()[2]["traits"] == {"email": "ada@example.com", "vip_customers": True}


def test_an_unconnected_audience_has_members_and_sends_nothing(open_env: OpenEnv, document: dict[str, Any]) -> None:
    document["destinations"][0]["audiences"] = []
    segment_env = open_env(document)
    segment_env.identify("u1", total_spent=900)
    assert segment_env.payloads() == []
    [audience] = segment_env.segment.audiences()
    assert (audience["size"], audience["destinations"]) == (1, [])
    assert any("not connected to a destination" in warning for warning in audience["warnings"])


def test_an_audience_without_a_condition_on_email_warns(
    segment_env: SegmentEnv, open_env: Any, document: dict[str, Any]
) -> None:
    [audience] = segment_env.segment.audiences()
    assert any("email" in warning for warning in audience["warnings"])
    exists = {"trait": "email", "operator": "exists"}
    document["audiences"][0]["condition"] = {"all": [document["audiences"][0]["condition"], exists]}
    assert open_env(document).segment.audiences()[0]["warnings"] == []


def test_a_connection_that_sends_no_email_warns(open_env: Any, document: dict[str, Any]) -> None:
    connection(document).update(email=False, traits=[])
    assert any("gets no email" in warning for warning in open_env(document).segment.audiences()[0]["warnings"])


def test_an_error_in_a_condition_names_its_audience(open_env: Any, document: dict[str, Any]) -> None:
    document["audiences"][0]["condition"]["value"] = "500"
    with pytest.raises(WorkspaceError, match="audience 'vip_customers': condition.value"):
        open_env(document)


def test_an_unknown_audience_is_not_found_and_a_similar_one_is_suggested(segment_env: SegmentEnv) -> None:
    from emulator.errors import NotFound

    with pytest.raises(NotFound, match="Did you mean 'vip_customers'"):
        segment_env.segment.members("vip_customer")


@pytest.mark.parametrize("integrations", [{"All": False}, {"All": False, "StackAdapt Audiences": False}, {}])
def test_integrations_of_a_call_keep_nobody_out_of_an_audience(
    segment_env: SegmentEnv, integrations: dict[str, bool]
) -> None:
    traits = {"email": "ada@example.com", "total_spent": 900}
    segment_env.segment.ingest("identify", {"userId": "u1", "traits": traits, "integrations": integrations})
    assert segment_env.outcomes() == ["sent", "sent"]
    assert all(payload["integrations"]["All"] is False for payload in segment_env.payloads())
