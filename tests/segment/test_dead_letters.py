"""What could not be delivered: listed with the reason, sent once more when asked."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from emulator.errors import NotFound
from emulator.transport import Response

REFUSED = json.dumps({"data": {"upsertProfiles": {"userErrors": [{"message": "No.", "path": []}]}}})
FORBIDDEN = Response(status=403, reason="Forbidden", text="")


def enter(room: Any, *user_ids: str) -> None:
    calls = [
        {"type": "identify", "userId": name, "traits": {"email": f"{name}@example.com", "total_spent": 900}}
        for name in user_ids
    ]
    room.segment.ingest("batch", {"batch": calls})


def letters(room: Any, **chosen: Any) -> list[tuple[str, str, str]]:
    return [(letter["userId"], letter["type"], letter["reason"]) for letter in room.segment.dead_letters(**chosen)]


def test_a_dead_letter_holds_the_event_and_what_was_said_of_it(room: Any) -> None:
    room.transport.answers = [FORBIDDEN]
    enter(room, "ada")
    letter, _track = room.segment.dead_letters()
    assert (letter["outcome"], letter["reason"], letter["message"]) == ("failed", "403", "403 Forbidden")
    assert letter["payload"]["traits"]["email"] == "ada@example.com"
    assert letter["payload"]["messageId"] == letter["messageId"]
    assert letter["segmentReports"] == "failed"


def test_what_segment_would_report_as_delivered_is_a_dead_letter_all_the_same(room: Any) -> None:
    room.transport.answers = [Response(status=200, reason="OK", text=REFUSED)]
    enter(room, "ada")
    assert [(letter["reason"], letter["segmentReports"]) for letter in room.segment.dead_letters()] == [
        ("USER_ERRORS", "delivered")
    ] * 2


def test_refused_payloads_are_dead_letters_and_filtered_events_are_none(
    open_room: Callable[..., Any], document: Any
) -> None:
    document["destinations"][0]["subscriptions"][0]["trigger"] = 'type = "track"'
    room = open_room(document)
    room.identify("grace", total_spent=900)
    assert room.outcomes() == ["discarded", "rejected"]
    assert letters(room) == [("grace", "track", "PAYLOAD_VALIDATION_FAILED")]


def test_nothing_that_was_sent_waits_or_is_tried_again_is_a_dead_letter(
    open_room: Callable[..., Any], document: Any
) -> None:
    document["destinations"][0]["batch"] = {"size": 2, "age": "1m"}
    room = open_room(document)
    room.transport.answers = [Response(status=503, reason="", text="")]
    enter(room, "ada", "bob")
    room.segment.ingest("track", {"userId": "ada", "event": "Seen"})
    room.identify("cyd", email="cyd@example.com", first_name="C", total_spent=900)
    assert set(room.outcomes()) == {"retrying", "sent"}
    assert letters(room) == []


def test_dead_letters_are_chosen_by_destination_and_reason_and_paged(room: Any) -> None:
    room.transport.answers = [FORBIDDEN]
    enter(room, "ada")
    room.identify("grace", total_spent=900)
    assert letters(room, reason="403") == [("ada", "identify", "403"), ("ada", "track", "403")]
    assert letters(room, reason="40") == letters(room, reason="500") == []
    assert letters(room, limit=1, offset=2) == [("grace", "identify", "PAYLOAD_VALIDATION_FAILED")]
    assert len(letters(room, destination="StackAdapt Acme")) == 4


def test_a_replay_sends_the_same_events_again_and_each_still_has_one_outcome(room: Any) -> None:
    room.transport.answers = [FORBIDDEN]
    enter(room, "ada", "bob")
    before = room.payloads()
    assert room.segment.replay() == 4
    assert room.payloads() == before
    assert room.outcomes() == ["sent"] * 4
    assert letters(room) == []
    assert room.transport.requests[0] == room.transport.requests[1]
    assert room.segment.replay() == 0


def test_a_batch_whose_events_were_replayed_says_so(room: Any) -> None:
    room.transport.answers = [FORBIDDEN]
    enter(room, "ada")
    room.segment.replay()
    failed, sent = room.segment.batches()
    assert (failed["outcome"], failed["events"]) == ("failed", [])
    assert "its events replayed or deleted since: failed, 403" in failed["summary"]
    assert (sent["outcome"], len(sent["events"])) == ("sent", 2)


def test_a_replay_may_be_narrowed(room: Any) -> None:
    room.transport.answers = [FORBIDDEN]
    enter(room, "ada")
    room.identify("grace", total_spent=900)
    identify, track = (letter["messageId"] for letter in room.segment.dead_letters(reason="403"))
    assert room.segment.replay(message_ids=[]) == room.segment.replay(message_ids=["another"]) == 0
    assert room.segment.replay(message_ids=[track], destination="StackAdapt Acme") == 1
    assert room.segment.replay(reason="403") == 1
    assert [row["messageId"] for row in room.segment.deliveries(outcome="sent")] == [identify, track]
    assert letters(room) == [("grace", kind, "PAYLOAD_VALIDATION_FAILED") for kind in ("identify", "track")]


def test_a_replay_that_fails_again_is_a_dead_letter_again(room: Any) -> None:
    room.transport.answers = [FORBIDDEN, Response(status=401, reason="Unauthorized", text="")]
    enter(room, "ada")
    room.segment.replay()
    assert letters(room) == [("ada", "identify", "401"), ("ada", "track", "401")]


def test_a_replay_waits_for_a_full_batch_like_any_event(open_room: Callable[..., Any], document: Any) -> None:
    document["destinations"][0]["batch"] = {"size": 2, "age": "1m"}
    room = open_room(document)
    room.transport.answers = [FORBIDDEN]
    enter(room, "ada")
    room.advance(hours=1)
    room.segment.replay(message_ids=[room.segment.dead_letters()[0]["messageId"]])
    assert room.outcomes() == ["queued", "failed"]
    waiting, _ = room.segment.deliveries()
    assert (waiting["reason"], waiting["message"], waiting["at"]) == (None, None, "2026-03-01T13:00:00.000Z")
    room.advance(minutes=1)
    assert room.outcomes() == ["sent", "failed"]


def test_a_replay_after_the_mapping_was_mended_meets_the_mapping_of_today(
    open_room: Callable[..., Any], document: Any, tmp_path: Path
) -> None:
    [subscription] = document["destinations"][0]["subscriptions"]
    mended = dict(subscription["mapping"])
    del subscription["mapping"]["email"]
    before = open_room(document, store=tmp_path / "s.sqlite")
    enter(before, "ada")
    assert letters(before) == [("ada", "track", "PAYLOAD_VALIDATION_FAILED")]
    subscription["mapping"] = mended
    after = open_room(document, store=tmp_path / "s.sqlite")
    assert after.segment.replay() == 1
    assert after.outcomes() == ["sent"] * 2


def test_dead_letters_of_a_subscription_that_is_gone_stay(
    open_room: Callable[..., Any], document: Any, tmp_path: Path
) -> None:
    before = open_room(document, store=tmp_path / "s.sqlite")
    before.transport.answers = [FORBIDDEN]
    enter(before, "ada")
    document["destinations"][0]["subscriptions"][0]["name"] = "Another name"
    after = open_room(document, store=tmp_path / "s.sqlite")
    assert after.segment.replay() == 0
    assert len(letters(after)) == 2


def test_a_replay_to_an_unknown_destination_is_refused(room: Any) -> None:
    with pytest.raises(NotFound, match="no such destination instance.*Did you mean 'StackAdapt Acme'"):
        room.segment.replay(destination="Stackadapt Acme")
