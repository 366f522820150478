"""What could not be delivered: listed with the reason, sent once more when asked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from emulator.errors import NotFound
from emulator.transport import Response
from tests.segment.conftest import OpenEnv, SegmentEnv

REFUSED = json.dumps({"data": {"upsertProfiles": {"userErrors": [{"message": "No.", "path": []}]}}})
FORBIDDEN = Response(status=403, reason="Forbidden", text="")


def enter(segment_env: SegmentEnv, *user_ids: str) -> None:
    calls = [
        {"type": "identify", "userId": name, "traits": {"email": f"{name}@example.com", "total_spent": 900}}
        for name in user_ids
    ]
    segment_env.segment.ingest("batch", {"batch": calls})


def letters(segment_env: SegmentEnv, **chosen: Any) -> list[tuple[str, str, str]]:
    return [
        (letter["userId"], letter["type"], letter["reason"]) for letter in segment_env.segment.dead_letters(**chosen)
    ]


def test_a_dead_letter_has_the_event_and_the_reason(segment_env: SegmentEnv) -> None:
    segment_env.transport.answers = [FORBIDDEN]
    enter(segment_env, "ada")
    letter, _track = segment_env.segment.dead_letters()
    assert (letter["outcome"], letter["reason"], letter["message"]) == ("failed", "403", "403 Forbidden")
    assert letter["payload"]["traits"]["email"] == "ada@example.com"
    assert letter["payload"]["messageId"] == letter["messageId"]
    assert letter["segmentReports"] == "failed"


def test_an_event_that_segment_reports_as_delivered_can_be_a_dead_letter(segment_env: SegmentEnv) -> None:
    segment_env.transport.answers = [Response(status=200, reason="OK", text=REFUSED)]
    enter(segment_env, "ada")
    assert [(letter["reason"], letter["segmentReports"]) for letter in segment_env.segment.dead_letters()] == [
        ("USER_ERRORS", "delivered")
    ] * 2


def test_rejected_payloads_are_dead_letters_and_discarded_events_are_not(open_env: OpenEnv, document: Any) -> None:
    document["destinations"][0]["subscriptions"][0]["trigger"] = 'type = "track"'
    segment_env = open_env(document)
    segment_env.identify("grace", total_spent=900)
    assert segment_env.outcomes() == ["discarded", "rejected"]
    assert letters(segment_env) == [("grace", "track", "PAYLOAD_VALIDATION_FAILED")]


def test_sent_queued_and_retrying_events_are_not_dead_letters(open_env: OpenEnv, document: Any) -> None:
    document["destinations"][0]["batch"] = {"size": 2, "age": "1m"}
    segment_env = open_env(document)
    segment_env.transport.answers = [Response(status=503, reason="", text="")]
    enter(segment_env, "ada", "bob")
    segment_env.segment.ingest("track", {"userId": "ada", "event": "Seen"})
    segment_env.identify("cyd", email="cyd@example.com", first_name="C", total_spent=900)
    assert set(segment_env.outcomes()) == {"retrying", "sent"}
    assert letters(segment_env) == []


def test_dead_letters_are_filtered_and_paged(segment_env: SegmentEnv) -> None:
    segment_env.transport.answers = [FORBIDDEN]
    enter(segment_env, "ada")
    segment_env.identify("grace", total_spent=900)
    assert letters(segment_env, reason="403") == [("ada", "identify", "403"), ("ada", "track", "403")]
    assert letters(segment_env, reason="40") == letters(segment_env, reason="500") == []
    assert letters(segment_env, limit=1, offset=2) == [("grace", "identify", "PAYLOAD_VALIDATION_FAILED")]
    assert len(letters(segment_env, destination="StackAdapt Acme")) == 4


def test_a_replay_sends_the_same_events_again_and_each_still_has_one_outcome(segment_env: SegmentEnv) -> None:
    segment_env.transport.answers = [FORBIDDEN]
    enter(segment_env, "ada", "bob")
    before = segment_env.payloads()
    assert segment_env.segment.replay() == 4
    assert segment_env.payloads() == before
    assert segment_env.outcomes() == ["sent"] * 4
    assert letters(segment_env) == []
    assert segment_env.transport.requests[0] == segment_env.transport.requests[1]
    assert segment_env.segment.replay() == 0


def test_a_batch_whose_events_were_replayed_says_so(segment_env: SegmentEnv) -> None:
    segment_env.transport.answers = [FORBIDDEN]
    enter(segment_env, "ada")
    segment_env.segment.replay()
    failed, sent = segment_env.segment.batches()
    assert (failed["outcome"], failed["events"]) == ("failed", [])
    assert "its events replayed or deleted since: failed, 403" in failed["summary"]
    assert (sent["outcome"], len(sent["events"])) == ("sent", 2)


def test_a_replay_can_be_filtered(segment_env: SegmentEnv) -> None:
    segment_env.transport.answers = [FORBIDDEN]
    enter(segment_env, "ada")
    segment_env.identify("grace", total_spent=900)
    identify, track = (letter["messageId"] for letter in segment_env.segment.dead_letters(reason="403"))
    assert segment_env.segment.replay(message_ids=[]) == segment_env.segment.replay(message_ids=["another"]) == 0
    assert segment_env.segment.replay(message_ids=[track], destination="StackAdapt Acme") == 1
    assert segment_env.segment.replay(reason="403") == 1
    assert [row["messageId"] for row in segment_env.segment.deliveries(outcome="sent")] == [identify, track]
    assert letters(segment_env) == [("grace", kind, "PAYLOAD_VALIDATION_FAILED") for kind in ("identify", "track")]


def test_a_replay_that_fails_again_is_a_dead_letter_again(segment_env: SegmentEnv) -> None:
    segment_env.transport.answers = [FORBIDDEN, Response(status=401, reason="Unauthorized", text="")]
    enter(segment_env, "ada")
    segment_env.segment.replay()
    assert letters(segment_env) == [("ada", "identify", "401"), ("ada", "track", "401")]


def test_a_replay_waits_for_a_full_batch_like_any_event(open_env: OpenEnv, document: Any) -> None:
    document["destinations"][0]["batch"] = {"size": 2, "age": "1m"}
    segment_env = open_env(document)
    segment_env.transport.answers = [FORBIDDEN]
    enter(segment_env, "ada")
    segment_env.advance(hours=1)
    segment_env.segment.replay(message_ids=[segment_env.segment.dead_letters()[0]["messageId"]])
    assert segment_env.outcomes() == ["queued", "failed"]
    waiting, _ = segment_env.segment.deliveries()
    assert (waiting["reason"], waiting["message"], waiting["at"]) == (None, None, "2026-03-01T13:00:00.000Z")
    segment_env.advance(minutes=1)
    assert segment_env.outcomes() == ["sent", "failed"]


def test_a_replay_uses_the_corrected_mapping(open_env: OpenEnv, document: Any, tmp_path: Path) -> None:
    [subscription] = document["destinations"][0]["subscriptions"]
    corrected = dict(subscription["mapping"])
    del subscription["mapping"]["email"]
    before = open_env(document, store=tmp_path / "s.sqlite")
    enter(before, "ada")
    assert letters(before) == [("ada", "track", "PAYLOAD_VALIDATION_FAILED")]
    subscription["mapping"] = corrected
    after = open_env(document, store=tmp_path / "s.sqlite")
    assert after.segment.replay() == 1
    assert after.outcomes() == ["sent"] * 2


def test_dead_letters_of_a_removed_subscription_are_kept(open_env: OpenEnv, document: Any, tmp_path: Path) -> None:
    before = open_env(document, store=tmp_path / "s.sqlite")
    before.transport.answers = [FORBIDDEN]
    enter(before, "ada")
    document["destinations"][0]["subscriptions"][0]["name"] = "Another name"
    after = open_env(document, store=tmp_path / "s.sqlite")
    assert after.segment.replay() == 0
    assert len(letters(after)) == 2


def test_a_replay_to_an_unknown_destination_is_rejected(segment_env: SegmentEnv) -> None:
    with pytest.raises(NotFound, match="unknown destination instance.*Did you mean 'StackAdapt Acme'"):
        segment_env.segment.replay(destination="Stackadapt Acme")
