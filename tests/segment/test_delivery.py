"""From an event to its delivery: triggers, payloads, subscriptions, the journal and the counts."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest

from emulator.errors import NotFound, UserMistake, WorkspaceError
from emulator.events import BatchDelivered
from emulator.segment.delivery.response import segment_code
from tests.segment.conftest import OpenEnv, SegmentEnv
from tests.segment.delivered_events import SYNTAX_ERROR, destination, enter, said


def test_an_event_that_the_trigger_does_not_match_is_discarded(open_env: OpenEnv, document: Any) -> None:
    destination(document)["subscriptions"][0]["trigger"] = 'type = "track"'
    segment_env = open_env(document)
    enter(segment_env, 1)
    identify, track = segment_env.segment.deliveries()
    assert (identify["outcome"], identify["reason"]) == ("discarded", "NO_MATCHING_MAPPING")
    assert identify["message"] == "Payload is either invalid or does not match the subscription"
    assert (identify["batchId"], identify["attempts"], identify["segmentReports"]) == (None, 0, "filtered")
    assert track["outcome"] == "sent"
    assert segment_env.segment.batches()[0]["events"] == [track["messageId"]]


def test_an_invalid_trigger_discards_with_its_error(open_env: OpenEnv, document: Any) -> None:
    destination(document)["subscriptions"][0]["trigger"] = "contains("
    segment_env = open_env(document)
    enter(segment_env, 1)
    assert {delivery["outcome"] for delivery in segment_env.segment.deliveries()} == {"discarded"}
    assert segment_env.segment.deliveries()[0]["message"].startswith("Invalid subscription : ")
    assert segment_env.transport.requests == []


def test_the_2024_trigger_never_matches_an_identify(open_env: OpenEnv, document: Any) -> None:
    destination(document)["subscriptions"][0]["trigger"] = (
        '(type = "track" or type = "identify") and (event = "Audience Entered" or event = "Audience Exited")'
    )
    segment_env = open_env(document)
    enter(segment_env, 1)
    assert segment_env.outcomes() == ["discarded", "sent"]


def test_an_invalid_payload_is_rejected_and_the_rest_is_sent(segment_env: SegmentEnv) -> None:
    calls = [
        {"type": "identify", "userId": "bad", "traits": {"email": "nowhere", "total_spent": 900}},
        {"type": "identify", "userId": "none", "traits": {"total_spent": 900}},
        {"type": "identify", "userId": "good", "traits": {"email": "a@b.co", "total_spent": 900}},
    ]
    segment_env.segment.ingest("batch", {"batch": calls})
    found = {
        (delivery["userId"], delivery["outcome"], delivery["message"]) for delivery in segment_env.segment.deliveries()
    }
    assert found == {
        ("bad", "rejected", "Email must be a valid email address string but it was not."),
        ("none", "rejected", "The root value is missing the required field 'email'."),
        ("good", "sent", None),
    }
    assert segment_env.segment.counts()["reasons"] == {"rejected": {"PAYLOAD_VALIDATION_FAILED": 4}}
    assert len(segment_env.segment.batches()[0]["events"]) == 2


def test_the_published_defaults_find_no_email_on_a_track(open_env: OpenEnv, document: Any) -> None:
    """The destination looks at `traits.email` and `properties.email`, Engage writes `context.traits.email`."""
    del destination(document)["subscriptions"][0]["mapping"]["email"]
    segment_env = open_env(document)
    enter(segment_env, 1)
    assert [(delivery["type"], delivery["outcome"]) for delivery in segment_env.segment.deliveries()] == [
        ("identify", "sent"),
        ("track", "rejected"),
    ]


def test_an_invalid_mapping_rejects_the_whole_batch_once(open_env: OpenEnv, document: Any) -> None:
    destination(document)["subscriptions"][0]["mapping"]["email"] = {"@nothing": 1}
    segment_env = open_env(document)
    enter(segment_env, 2)
    assert segment_env.outcomes() == ["rejected"] * 4
    assert segment_env.transport.requests == []
    [batch] = segment_env.segment.batches()
    assert (batch["outcome"], len(batch["events"]), batch["attempts"]) == ("rejected", 4, 0)
    assert segment_env.segment.batches(failed=True) == []
    segment_env.advance(hours=5)
    assert len(segment_env.segment.batches()) == 1


def test_a_token_that_is_no_valid_header_value_is_masked(open_env: OpenEnv, document: Any) -> None:
    destination(document)["settings"]["apiKey"] = "secret\n1"
    segment_env = open_env(document)
    enter(segment_env, 1)
    assert segment_env.outcomes() == ["rejected"] * 2
    assert "secret" not in json.dumps([segment_env.segment.deliveries(), segment_env.segment.batches()])
    assert "***" in segment_env.segment.deliveries()[0]["message"]


def test_every_event_is_addressed_to_each_subscription(open_env: OpenEnv, document: Any) -> None:
    [first] = destination(document)["subscriptions"]
    destination(document)["subscriptions"] = [
        first | {"name": "identifies", "trigger": 'type = "identify"'},
        first | {"name": "tracks", "trigger": 'type = "track"'},
        first | {"name": "off", "enabled": False},
    ]
    segment_env = open_env(document)
    enter(segment_env, 1)
    assert Counter((row["subscription"], row["type"], row["outcome"]) for row in segment_env.segment.deliveries()) == {
        ("identifies", "identify", "sent"): 1,
        ("identifies", "track", "discarded"): 1,
        ("tracks", "identify", "discarded"): 1,
        ("tracks", "track", "sent"): 1,
        ("off", "identify", "discarded"): 1,
        ("off", "track", "discarded"): 1,
    }
    assert segment_env.segment.counts()["events"] == 2


def test_the_journal_records_each_attempt(segment_env: SegmentEnv) -> None:
    segment_env.transport.answers = [said(503, "", "Later")]
    segment_env.segment.ingest(
        "batch",
        {
            "batch": [
                {"type": "identify", "userId": "u1", "traits": {"total_spent": 900}},
                {"type": "identify", "userId": "u2", "traits": {"email": "a@b.co", "total_spent": 900}},
            ]
        },
    )
    segment_env.advance(minutes=1)
    first, second = segment_env.heard(BatchDelivered)
    assert (first.destination, first.subscription) == ("StackAdapt Acme", "Sync Audience")
    assert (first.outcomes, first.status, first.error) == ({"rejected": 2, "retrying": 2}, 503, "503 Later")
    assert (first.reasons, first.user_ids) == ({"PAYLOAD_VALIDATION_FAILED": 2, "503": 2}, ("u1", "u2"))
    assert len(first.message_ids) == 2
    assert second.message_ids == first.message_ids
    assert (second.outcomes, second.status, second.error) == ({"sent": 2}, 200, None)


def test_an_attempt_without_a_request_has_the_reason_of_its_events(segment_env: SegmentEnv) -> None:
    segment_env.identify("u1", total_spent=900)
    [attempt] = segment_env.heard(BatchDelivered)
    assert (attempt.status, attempt.message_ids) == (None, ())
    assert attempt.error == "The root value is missing the required field 'email'."


def test_every_event_has_one_outcome_and_the_counts_add_up(open_env: OpenEnv, document: Any) -> None:
    from emulator.generator.people import batch, identify, people

    destination(document)["batch"] = {"size": 20, "age": "30s"}
    segment_env = open_env(document)
    segment_env.transport.answers = [said(200, SYNTAX_ERROR), said(503), said(401)]
    population = list(people(3, 200))
    for start in range(0, 200, 50):
        segment_env.segment.ingest("batch", batch(identify(person) for person in population[start : start + 50]))
    for _ in range(3):
        segment_env.advance(minutes=2)
    counts = segment_env.segment.counts()
    members = [person for person in population if person.traits["total_spent"] >= 500]
    assert counts["calls"] == {"accepted": 200, "failed": {}}
    assert counts["events"] == 2 * len(members) == sum(counts["outcomes"].values())
    assert set(counts["outcomes"]) == {"sent", "rejected", "failed"}
    carried = [message_id for sent in segment_env.segment.batches() for message_id in sent["events"]]
    assert len(carried) == len(set(carried)) == counts["outcomes"]["sent"] + counts["outcomes"]["failed"]


def test_deliveries_are_paged_and_filtered(segment_env: SegmentEnv) -> None:
    enter(segment_env, 3)
    everything = segment_env.segment.deliveries()
    assert segment_env.segment.deliveries(limit=2, offset=3) == everything[3:5]
    assert segment_env.segment.deliveries(outcome="failed") == []
    assert segment_env.segment.deliveries(destination="StackAdapt Acme") == everything
    for listed in (segment_env.segment.deliveries, segment_env.segment.dead_letters):
        with pytest.raises(NotFound, match="unknown destination instance.*Did you mean 'StackAdapt Acme'"):
            listed(destination="StackAdapt Acne")


def test_reset_deletes_everything(segment_env: SegmentEnv) -> None:
    enter(segment_env, 1)
    segment_env.segment.reset()
    assert segment_env.segment.deliveries() == segment_env.segment.batches() == segment_env.segment.profiles() == []
    assert segment_env.segment.counts() == {
        "calls": {"accepted": 0, "failed": {}},
        "events": 0,
        "outcomes": {},
        "reasons": {},
    }
    enter(segment_env, 1)
    assert segment_env.outcomes() == ["sent"] * 2


@pytest.mark.parametrize(
    ("change", "error", "text"),
    [
        ({"action": "forwardAudience"}, WorkspaceError, "forwardAudienceEvent"),
        ({"name": "Twice"}, WorkspaceError, "Twice"),
    ],
)
def test_an_error_in_a_subscription_names_it(
    open_env: OpenEnv, document: Any, change: dict[str, str], error: type[Exception], text: str
) -> None:
    [first] = destination(document)["subscriptions"]
    destination(document)["subscriptions"] = [first | {"name": "Twice"}, first | change]
    with pytest.raises(error, match=text):
        open_env(document)


def test_an_unknown_generation_is_rejected(open_env: OpenEnv, document: Any) -> None:
    destination(document)["generation"] = "3.400.0"
    with pytest.raises(UserMistake, match="3.387.0"):
        open_env(document)


@pytest.mark.parametrize(
    ("outcome", "reason", "status", "code"),
    [
        ("retrying", "429", 429, "errors.awaiting-retry.429"),
        ("retrying", "503", 503, "errors.awaiting-retry.5xx"),
        ("retrying", "408", 408, "errors.awaiting-retry.408"),
        ("retrying", "ECONNRESET", None, "errors.awaiting-retry.ECONNRESET"),
        ("failed", "401", 401, "errors.discarded.401"),
        ("failed", "503", 503, "errors.discarded.503"),
        ("rejected", "PAYLOAD_VALIDATION_FAILED", None, "errors.discarded.MESSAGE_REJECTED"),
        ("failed", "GRAPHQL_ERRORS", 200, None),
        ("sent", None, 200, None),
        ("discarded", "NO_MATCHING_MAPPING", None, None),
        (None, None, None, None),
    ],
)
def test_segment_s_error_code_follows_outcome_and_reason(
    outcome: str | None, reason: str | None, status: int | None, code: str | None
) -> None:
    assert segment_code(outcome, reason, status) == code
