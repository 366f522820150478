"""Putting people into audiences by hand, and deletion regulations."""

from __future__ import annotations

from typing import Any

import pytest

from emulator.errors import InputError, NotFound
from emulator.events import MembershipChanged
from emulator.segment.tables import DELIVERIES, EVENTS, TABLES
from emulator.transport import TransportError
from tests.segment.conftest import Room, answer

DELETED = '{"data":{"deleteProfilesWithExternalIds":{"userErrors":[]}}}'
REFUSED = '{"data":{"deleteProfilesWithExternalIds":{"userErrors":[{"message":"no scope","path":["input"]}]}}}'
ABOUT_A_PERSON = ("profiles", "identifiers", "memberships", "performed", "journeys", "due", "events", "deliveries")


def json_answer(text: str) -> Any:
    given = answer(text=text)
    return type(given)(
        status=given.status, reason=given.reason, text=text, headers={"content-type": "application/json"}
    )


def test_somebody_placed_by_hand_is_sent_whatever_the_condition_says(room: Room) -> None:
    events = room.segment.set_membership("vip_customers", entered=True, user_id="u1", email="ada@example.com")
    assert [(event["type"], event["event"]) for event in events] == [("identify", None), ("track", "Audience Entered")]
    assert room.outcomes() == ["sent", "sent"]
    assert room.payloads()[0]["traits"] == {"email": "ada@example.com", "vip_customers": True}
    assert [member["userId"] for member in room.segment.members("vip_customers")] == ["u1"]


def test_leaving_by_hand_is_sent_even_for_somebody_who_never_entered(room: Room) -> None:
    events = room.segment.set_membership("vip_customers", entered=False, user_id="u1", email="ada@example.com")
    assert [event["event"] for event in events] == [None, "Audience Exited"]
    assert room.heard(MembershipChanged) == []


def test_the_next_call_computes_the_audience_again(room: Room) -> None:
    room.segment.set_membership("vip_customers", entered=True, user_id="u1", email="ada@example.com")
    room.identify(total_spent=1)
    assert room.segment.members("vip_customers") == []
    assert [change.entered for change in room.heard(MembershipChanged)] == [True, False]


def test_traits_given_by_hand_are_kept_and_sent_as_the_audience_sends_them(room: Room) -> None:
    room.segment.set_membership(
        "vip_customers", entered=True, email="ada@example.com", traits={"first_name": "Ada", "shoe": 38}
    )
    assert room.segment.profiles()[0]["traits"] == {"email": "ada@example.com", "first_name": "Ada", "shoe": 38}
    assert "shoe" not in room.payloads()[0]["traits"]


@pytest.mark.parametrize("user_id", ["u1", None])
def test_an_email_among_the_traits_identifies_the_person_as_in_a_call(room: Room, user_id: str | None) -> None:
    room.segment.set_membership("vip_customers", entered=True, user_id=user_id, traits={"email": "ada@example.com"})
    [profile] = room.segment.profiles(email="ada@example.com")
    assert (profile["userId"], profile["email"]) == (user_id, "ada@example.com")
    assert room.payloads()[0]["traits"]["email"] == "ada@example.com"
    assert room.payloads()[1]["context"]["traits"] == {"email": "ada@example.com"}


def test_an_unknown_audience_and_a_person_without_a_name_are_refused(room: Room) -> None:
    with pytest.raises(NotFound, match="Did you mean 'vip_customers'"):
        room.segment.set_membership("vip_customer", entered=True, user_id="u1")
    with pytest.raises(InputError, match="user id or an email"):
        room.segment.set_membership("vip_customers", entered=True)


def test_a_regulation_deletes_in_the_space_and_asks_each_destination_instance(room: Room) -> None:
    room.identify(email="ada@example.com", total_spent=900)
    room.transport.answers = [json_answer(DELETED)]
    done = room.segment.delete("u1")
    assert done == {
        "userId": "u1",
        "deleted": True,
        "destinations": [{"destination": "StackAdapt Acme", "outcome": "sent", "reason": None, "message": None}],
    }
    assert 'externalIds: ["u1"]' in room.transport.documents()[-1]
    assert room.segment.profiles() == []
    assert room.segment.members("vip_customers") == []


def test_a_regulation_leaves_nothing_of_the_person_among_the_deliveries(room: Room) -> None:
    ada = {"email": "Ada@Example.com", "total_spent": 900}
    room.segment.ingest("identify", {"anonymousId": "a", "traits": ada})
    room.identify("u1", email="Ada@Example.com")
    room.identify("u2", email="bob@example.com", total_spent=900)
    assert [payload.get("userId") for payload in room.payloads()] == [None, None, "u1", "u1", "u2", "u2"]
    room.segment.delete("u1")
    assert [payload["userId"] for payload in room.payloads()] == ["u2", "u2"]
    with room.sandbox.store.begin() as transaction:
        assert "Ada@" not in str(transaction.execute(EVENTS.select()).all())


QUOTING = """{"errors":[{"message":"Syntax Error: Expected \\":\\", found Name \\"Byron\\"."}]}"""


@pytest.mark.parametrize("replayed", [False, True])
def test_a_regulation_leaves_no_name_in_an_answer_that_quotes_the_document(room: Room, *, replayed: bool) -> None:
    room.transport.answers = [answer(status=400, reason="Bad Request", text=QUOTING)] * (2 if replayed else 1)
    batch = [
        {"type": "identify", "userId": user, "traits": {"email": f"{user}@example.com", "total_spent": 900}}
        for user in ("u1", "u2")
    ]
    room.segment.ingest("batch", {"batch": batch})
    if replayed:
        room.segment.replay()
    shown = (room.segment.batches, room.segment.deliveries, room.segment.dead_letters)
    assert any("Byron" in str(rows()) for rows in shown)
    room.segment.delete("u1")
    assert not any("Byron" in str(rows()) for rows in shown)
    assert {found["outcome"] for found in room.segment.deliveries()} == {"failed"}
    assert {found["outcome"] for found in room.segment.batches()} == {"failed"}


def test_the_id_of_a_deleted_person_is_given_to_nobody_else(room: Room) -> None:
    room.identify("u1", email="ada@example.com")
    [ada] = room.segment.profiles()
    room.segment.delete("u1")
    room.identify("u2", email="bob@example.com")
    [bob] = room.segment.profiles()
    assert bob["id"] != ada["id"]


def test_a_regulation_leaves_the_events_of_somebody_else_with_the_same_email(
    open_room: Any, document: dict[str, Any]
) -> None:
    document["destinations"][0]["audiences"][0]["traits"] = ["email"]
    room = open_room(document)
    for user in ("u1", "u2"):
        room.identify(user, email="shared@example.com", total_spent=900)
    room.segment.delete("u1")
    assert [payload["userId"] for payload in room.payloads()] == ["u2", "u2"]


def test_a_regulation_leaves_nothing_of_what_the_person_did(open_room: Any, document: dict[str, Any]) -> None:
    buyers = {"key": "buyers", "id": "aud_buyers", "name": "Buyers", "condition": {"event": "Bought", "within": "1d"}}
    document["audiences"].append(buyers)
    steps = [{"key": "cart__entered_1", "name": "Entered"}, {"key": "cart__left_2", "name": "Left", "wait": "2h"}]
    document["journeys"] = [{"id": "jrn_cart", "name": "Cart", "entry": {"event": "Bought"}, "steps": steps}]
    room = open_room(document)
    room.identify("u1", email="ada@example.com", total_spent=900)
    room.segment.ingest("track", {"userId": "u1", "event": "Bought"})
    about = [TABLES.tables[f"segment_{name}"] for name in ABOUT_A_PERSON]
    with room.sandbox.store.begin() as transaction:
        assert all(transaction.execute(table.select()).all() for table in about)
    room.segment.delete("u1")
    with room.sandbox.store.begin() as transaction:
        assert [transaction.execute(table.select()).all() for table in about] == [[]] * len(about)


@pytest.mark.parametrize("others", [[], ["u2"]], ids=["alone", "with others"])
def test_a_waiting_event_of_a_deleted_person_is_never_sent(
    open_room: Any, document: dict[str, Any], others: list[str]
) -> None:
    document["destinations"][0]["batch"] = {"size": 1000, "age": "1h"}
    room = open_room(document)
    for user in ("u1", *others):
        room.identify(user, email=f"{user}@example.com", total_spent=900)
    room.transport.answers = [json_answer(DELETED)]
    room.segment.delete("u1")
    assert room.outcomes() == ["queued"] * 2 * len(others)
    with room.sandbox.store.begin() as transaction:
        assert len(transaction.execute(DELIVERIES.select()).all()) == 2 * len(others)
    room.advance(hours=1)
    [_, *sent] = room.transport.documents()
    assert len(sent) == len(others)
    assert all("u2@example.com" in document and "u1@example.com" not in document for document in sent)


@pytest.mark.parametrize("others", [[], ["u2"]], ids=["alone", "with others"])
def test_a_batch_that_is_tried_again_leaves_a_deleted_person_out(room: Room, others: list[str]) -> None:
    room.transport.answers = [answer(status=503, reason="Service Unavailable"), json_answer(DELETED)]
    batch = [
        {"type": "identify", "userId": user, "traits": {"email": f"{user}@example.com", "total_spent": 900}}
        for user in ("u1", *others)
    ]
    room.segment.ingest("batch", {"batch": batch})
    room.segment.delete("u1")
    room.advance(hours=1)
    assert all("u1@example.com" not in sent for sent in room.transport.documents()[2:])
    [tried] = room.segment.batches()
    assert (tried["outcome"], len(tried["events"])) == (("sent", 2) if others else ("discarded", 0))
    assert tried["nextAt"] is None


def test_a_regulation_is_forwarded_for_somebody_whom_the_space_does_not_know(room: Room) -> None:
    room.transport.answers = [json_answer(DELETED)]
    assert room.segment.delete("stranger")["deleted"] is False
    assert len(room.transport.requests) == 1


@pytest.mark.parametrize(
    ("given", "reason", "message"),
    [
        (json_answer(REFUSED), "DELETE_FAILED", "Profile deletion was not successful: no scope"),
        (answer(status=503, reason="Service Unavailable"), "503", "Service Unavailable"),
        (TransportError("ECONNRESET", "socket hang up"), "ECONNRESET", "socket hang up"),
    ],
    ids=["userErrors", "status", "silence"],
)
def test_a_deletion_that_was_refused_says_why(room: Room, given: Any, reason: str, message: str) -> None:
    room.transport.answers = [given]
    (asked,) = room.segment.delete("u1")["destinations"]
    assert (asked["outcome"], asked["reason"], asked["message"]) == ("failed", reason, message)
