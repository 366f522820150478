"""Adding users to audiences manually, and deletion regulations."""

from __future__ import annotations

from typing import Any

import pytest

from emulator.errors import InputError, NotFound
from emulator.events import MembershipChanged
from emulator.segment.tables import DELIVERIES, EVENTS, TABLES
from emulator.transport import TransportError
from tests.segment.conftest import SegmentEnv, answer

DELETED = '{"data":{"deleteProfilesWithExternalIds":{"userErrors":[]}}}'
REFUSED = '{"data":{"deleteProfilesWithExternalIds":{"userErrors":[{"message":"no scope","path":["input"]}]}}}'
ABOUT_A_PERSON = ("profiles", "identifiers", "memberships", "performed", "journeys", "due", "events", "deliveries")


def json_answer(text: str) -> Any:
    given = answer(text=text)
    return type(given)(
        status=given.status, reason=given.reason, text=text, headers={"content-type": "application/json"}
    )


def test_a_user_added_manually_is_sent_whatever_the_condition_says(segment_env: SegmentEnv) -> None:
    events = segment_env.segment.set_membership("vip_customers", entered=True, user_id="u1", email="ada@example.com")
    assert [(event["type"], event["event"]) for event in events] == [("identify", None), ("track", "Audience Entered")]
    assert segment_env.outcomes() == ["sent", "sent"]
    assert segment_env.payloads()[0]["traits"] == {"email": "ada@example.com", "vip_customers": True}
    assert [member["userId"] for member in segment_env.segment.members("vip_customers")] == ["u1"]


def test_removing_a_user_who_never_entered_is_sent(segment_env: SegmentEnv) -> None:
    events = segment_env.segment.set_membership("vip_customers", entered=False, user_id="u1", email="ada@example.com")
    assert [event["event"] for event in events] == [None, "Audience Exited"]
    assert segment_env.heard(MembershipChanged) == []


def test_the_next_call_computes_the_audience_again(segment_env: SegmentEnv) -> None:
    segment_env.segment.set_membership("vip_customers", entered=True, user_id="u1", email="ada@example.com")
    segment_env.identify(total_spent=1)
    assert segment_env.segment.members("vip_customers") == []
    assert [change.entered for change in segment_env.heard(MembershipChanged)] == [True, False]


def test_given_traits_are_stored_and_sent(segment_env: SegmentEnv) -> None:
    segment_env.segment.set_membership(
        "vip_customers", entered=True, email="ada@example.com", traits={"first_name": "Ada", "shoe": 38}
    )
    assert segment_env.segment.profiles()[0]["traits"] == {"email": "ada@example.com", "first_name": "Ada", "shoe": 38}
    assert "shoe" not in segment_env.payloads()[0]["traits"]


@pytest.mark.parametrize("user_id", ["u1", None])
def test_an_email_among_the_traits_is_an_identifier(segment_env: SegmentEnv, user_id: str | None) -> None:
    segment_env.segment.set_membership(
        "vip_customers", entered=True, user_id=user_id, traits={"email": "ada@example.com"}
    )
    [profile] = segment_env.segment.profiles(email="ada@example.com")
    assert (profile["userId"], profile["email"]) == (user_id, "ada@example.com")
    assert segment_env.payloads()[0]["traits"]["email"] == "ada@example.com"
    assert segment_env.payloads()[1]["context"]["traits"] == {"email": "ada@example.com"}


def test_an_unknown_audience_and_a_user_without_identifiers_are_rejected(segment_env: SegmentEnv) -> None:
    with pytest.raises(NotFound, match="Did you mean 'vip_customers'"):
        segment_env.segment.set_membership("vip_customer", entered=True, user_id="u1")
    with pytest.raises(InputError, match="user id or an email"):
        segment_env.segment.set_membership("vip_customers", entered=True)


def test_a_regulation_deletes_in_the_space_and_asks_each_destination_instance(segment_env: SegmentEnv) -> None:
    segment_env.identify(email="ada@example.com", total_spent=900)
    segment_env.transport.answers = [json_answer(DELETED)]
    done = segment_env.segment.delete("u1")
    assert done == {
        "userId": "u1",
        "deleted": True,
        "destinations": [{"destination": "StackAdapt Acme", "outcome": "sent", "reason": None, "message": None}],
    }
    assert 'externalIds: ["u1"]' in segment_env.transport.documents()[-1]
    assert segment_env.segment.profiles() == []
    assert segment_env.segment.members("vip_customers") == []


def test_a_regulation_deletes_the_user_s_deliveries(segment_env: SegmentEnv) -> None:
    ada = {"email": "Ada@Example.com", "total_spent": 900}
    segment_env.segment.ingest("identify", {"anonymousId": "a", "traits": ada})
    segment_env.identify("u1", email="Ada@Example.com")
    segment_env.identify("u2", email="bob@example.com", total_spent=900)
    assert [payload.get("userId") for payload in segment_env.payloads()] == [None, None, "u1", "u1", "u2", "u2"]
    segment_env.segment.delete("u1")
    assert [payload["userId"] for payload in segment_env.payloads()] == ["u2", "u2"]
    with segment_env.sandbox.store.begin() as transaction:
        assert "Ada@" not in str(transaction.execute(EVENTS.select()).all())


QUOTING = """{"errors":[{"message":"Syntax Error: Expected \\":\\", found Name \\"Byron\\"."}]}"""


@pytest.mark.parametrize("replayed", [False, True])
def test_a_regulation_clears_a_response_that_quotes_the_document(segment_env: SegmentEnv, *, replayed: bool) -> None:
    segment_env.transport.answers = [answer(status=400, reason="Bad Request", text=QUOTING)] * (2 if replayed else 1)
    batch = [
        {"type": "identify", "userId": user, "traits": {"email": f"{user}@example.com", "total_spent": 900}}
        for user in ("u1", "u2")
    ]
    segment_env.segment.ingest("batch", {"batch": batch})
    if replayed:
        segment_env.segment.replay()
    shown = (segment_env.segment.batches, segment_env.segment.deliveries, segment_env.segment.dead_letters)
    assert any("Byron" in str(rows()) for rows in shown)
    segment_env.segment.delete("u1")
    assert not any("Byron" in str(rows()) for rows in shown)
    assert {found["outcome"] for found in segment_env.segment.deliveries()} == {"failed"}
    assert {found["outcome"] for found in segment_env.segment.batches()} == {"failed"}


def test_the_profile_id_of_a_deleted_user_is_not_reused(segment_env: SegmentEnv) -> None:
    segment_env.identify("u1", email="ada@example.com")
    [ada] = segment_env.segment.profiles()
    segment_env.segment.delete("u1")
    segment_env.identify("u2", email="bob@example.com")
    [bob] = segment_env.segment.profiles()
    assert bob["id"] != ada["id"]


def test_a_regulation_keeps_the_events_of_another_user_with_the_same_email(
    open_env: Any, document: dict[str, Any]
) -> None:
    document["destinations"][0]["audiences"][0]["traits"] = ["email"]
    segment_env = open_env(document)
    for user in ("u1", "u2"):
        segment_env.identify(user, email="shared@example.com", total_spent=900)
    segment_env.segment.delete("u1")
    assert [payload["userId"] for payload in segment_env.payloads()] == ["u2", "u2"]


def test_a_regulation_deletes_the_events_that_the_user_performed(open_env: Any, document: dict[str, Any]) -> None:
    buyers = {"key": "buyers", "id": "aud_buyers", "name": "Buyers", "condition": {"event": "Bought", "within": "1d"}}
    document["audiences"].append(buyers)
    steps = [{"key": "cart__entered_1", "name": "Entered"}, {"key": "cart__left_2", "name": "Left", "wait": "2h"}]
    document["journeys"] = [{"id": "jrn_cart", "name": "Cart", "entry": {"event": "Bought"}, "steps": steps}]
    segment_env = open_env(document)
    segment_env.identify("u1", email="ada@example.com", total_spent=900)
    segment_env.segment.ingest("track", {"userId": "u1", "event": "Bought"})
    about = [TABLES.tables[f"segment_{name}"] for name in ABOUT_A_PERSON]
    with segment_env.sandbox.store.begin() as transaction:
        assert all(transaction.execute(table.select()).all() for table in about)
    segment_env.segment.delete("u1")
    with segment_env.sandbox.store.begin() as transaction:
        assert [transaction.execute(table.select()).all() for table in about] == [[]] * len(about)


@pytest.mark.parametrize("others", [[], ["u2"]], ids=["alone", "with others"])
def test_a_queued_event_of_a_deleted_user_is_not_sent(
    open_env: Any, document: dict[str, Any], others: list[str]
) -> None:
    document["destinations"][0]["batch"] = {"size": 1000, "age": "1h"}
    segment_env = open_env(document)
    for user in ("u1", *others):
        segment_env.identify(user, email=f"{user}@example.com", total_spent=900)
    segment_env.transport.answers = [json_answer(DELETED)]
    segment_env.segment.delete("u1")
    assert segment_env.outcomes() == ["queued"] * 2 * len(others)
    with segment_env.sandbox.store.begin() as transaction:
        assert len(transaction.execute(DELIVERIES.select()).all()) == 2 * len(others)
    segment_env.advance(hours=1)
    [_, *sent] = segment_env.transport.documents()
    assert len(sent) == len(others)
    assert all("u2@example.com" in document and "u1@example.com" not in document for document in sent)


@pytest.mark.parametrize("others", [[], ["u2"]], ids=["alone", "with others"])
def test_a_retried_batch_omits_a_deleted_user(segment_env: SegmentEnv, others: list[str]) -> None:
    segment_env.transport.answers = [answer(status=503, reason="Service Unavailable"), json_answer(DELETED)]
    batch = [
        {"type": "identify", "userId": user, "traits": {"email": f"{user}@example.com", "total_spent": 900}}
        for user in ("u1", *others)
    ]
    segment_env.segment.ingest("batch", {"batch": batch})
    segment_env.segment.delete("u1")
    segment_env.advance(hours=1)
    assert all("u1@example.com" not in sent for sent in segment_env.transport.documents()[2:])
    [tried] = segment_env.segment.batches()
    assert (tried["outcome"], len(tried["events"])) == (("sent", 2) if others else ("discarded", 0))
    assert tried["nextAt"] is None


def test_a_regulation_is_forwarded_for_a_user_without_a_profile(segment_env: SegmentEnv) -> None:
    segment_env.transport.answers = [json_answer(DELETED)]
    assert segment_env.segment.delete("unknown-user")["deleted"] is False
    assert len(segment_env.transport.requests) == 1


@pytest.mark.parametrize(
    ("given", "reason", "message"),
    [
        (json_answer(REFUSED), "DELETE_FAILED", "Profile deletion was not successful: no scope"),
        (answer(status=503, reason="Service Unavailable"), "503", "Service Unavailable"),
        (TransportError("ECONNRESET", "socket hang up"), "ECONNRESET", "socket hang up"),
    ],
    ids=["userErrors", "status", "silence"],
)
def test_a_rejected_deletion_has_its_reason(segment_env: SegmentEnv, given: Any, reason: str, message: str) -> None:
    segment_env.transport.answers = [given]
    (asked,) = segment_env.segment.delete("u1")["destinations"]
    assert (asked["outcome"], asked["reason"], asked["message"]) == ("failed", reason, message)
