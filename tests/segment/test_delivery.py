"""From queue to outcome: batches, mapping, responses, retries; the transport returns the given responses."""

from __future__ import annotations

import json
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from graphql import GraphQLSyntaxError, parse

from emulator.errors import NotFound, UserMistake, WorkspaceError
from emulator.events import BatchDelivered
from emulator.segment.delivery.response import segment_code
from emulator.transport import Response, TransportError
from tests.segment.conftest import OpenEnv, SegmentEnv

SYNTAX_ERROR = json.dumps(
    {"errors": [{"message": 'Syntax Error: Unexpected Name "Ace".', "locations": [{"line": 18, "column": 40}]}]}
)
REFUSED = json.dumps(
    {"data": {"upsertProfiles": {"userErrors": [{"message": "Unknown advertiser", "path": ["input", "advertiserId"]}]}}}
)


def destination(document: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = document["destinations"][0]
    return found


def enter(segment_env: SegmentEnv, count: int, *, first: int = 0) -> None:
    """So many people enter the audience in one request."""
    calls = [
        {"type": "identify", "userId": f"u{n}", "traits": {"email": f"u{n}@example.com", "total_spent": 900}}
        for n in range(first, first + count)
    ]
    segment_env.segment.ingest("batch", {"batch": calls})


def enter_large(segment_env: SegmentEnv, count: int, *, first: int = 0) -> None:
    """So many people enter, with two events of some 30 KB each; a call takes no more than 500 KB."""
    people = [
        {
            "type": "identify",
            "userId": f"u{n}",
            "traits": {"email": f"u{n}@b.co", "first_name": "x" * 30_000, "total_spent": 900},
        }
        for n in range(first, first + count)
    ]
    for start in range(0, count, 15):
        segment_env.segment.ingest("batch", {"batch": people[start : start + 15]})


def said(status: int, text: str = "", reason: str = "") -> Response:
    return Response(status=status, reason=reason, text=text)


def test_events_of_one_request_are_sent_in_one_batch(segment_env: SegmentEnv) -> None:
    enter(segment_env, 3)
    assert len(segment_env.transport.requests) == 1
    assert segment_env.outcomes() == ["sent"] * 6
    [batch] = segment_env.segment.batches()
    assert batch["events"] == [delivery["messageId"] for delivery in segment_env.segment.deliveries()]
    assert (batch["outcome"], batch["status"], batch["attempts"], batch["locations"]) == ("sent", 200, 1, [])


def test_the_request_is_the_mapping_engine_s(segment_env: SegmentEnv) -> None:
    segment_env.identify("u1", email="ada@example.com", total_spent=900)
    [(headers, body)] = segment_env.transport.requests
    assert headers["authorization"] == "Bearer sa-local-write"
    assert headers["content-type"] == "application/json"
    document = json.loads(body)["query"]
    parse(document)
    assert "upsertExternalAudienceMapping" in document
    assert document.count("ada@example.com") == 2


def test_the_mapping_is_merged_over_the_published_defaults(open_env: OpenEnv, document: Any) -> None:
    segment_env = open_env(document)
    segment_env.identify("u1", email="ada@example.com", first_name="Ada", street="1 Main St", total_spent=900)
    assert "1 Main St" in segment_env.transport.documents()[0]


def test_without_defaults_only_the_mapping_applies(open_env: OpenEnv, document: Any) -> None:
    destination(document)["subscriptions"][0]["defaults"] = False
    segment_env = open_env(document)
    segment_env.identify("u1", email="ada@example.com", total_spent=900)
    assert segment_env.outcomes() == ["rejected"] * 2
    assert "segment_computation_key" in segment_env.segment.deliveries()[0]["message"]


def test_a_batch_has_at_most_its_size_of_events(open_env: OpenEnv, document: Any) -> None:
    destination(document)["batch"] = {"size": 4, "age": "0s"}
    segment_env = open_env(document)
    enter(segment_env, 5)
    assert [len(batch["events"]) for batch in segment_env.segment.batches()] == [4, 4, 2]
    assert segment_env.outcomes() == ["sent"] * 10


def test_a_batch_has_at_most_4_megabytes(open_env: OpenEnv, document: Any) -> None:
    destination(document)["batch"] = {"size": 1000, "age": "1m"}
    segment_env = open_env(document)
    enter_large(segment_env, 75)
    segment_env.advance(minutes=1)
    first, second = segment_env.segment.batches()
    assert len(first["events"]) + len(second["events"]) == 150
    sizes = {row["messageId"]: len(orjson.dumps(row["payload"])) for row in segment_env.segment.deliveries(limit=1000)}
    limit = 4 * 1024 * 1024
    assert sum(sizes[message] for message in first["events"]) <= limit
    assert sum(sizes[message] for message in [*first["events"], second["events"][0]]) > limit
    assert first["events"] + second["events"] == list(sizes)


def test_a_batch_that_is_full_by_bytes_does_not_wait(open_env: OpenEnv, document: Any) -> None:
    destination(document)["batch"] = {"size": 1000, "age": "1h"}
    segment_env = open_env(document)
    enter_large(segment_env, 60)
    assert segment_env.transport.requests == []
    enter_large(segment_env, 15, first=60)
    [batch] = segment_env.segment.batches()
    waiting = segment_env.outcomes().count("queued")
    assert len(batch["events"]) + waiting == 150
    assert 0 < waiting < 20


def test_a_batch_waits_until_it_is_old_enough(open_env: OpenEnv, document: Any) -> None:
    destination(document)["batch"] = {"size": 1000, "age": "1m"}
    segment_env = open_env(document)
    enter(segment_env, 1)
    assert segment_env.outcomes() == ["queued"] * 2
    segment_env.advance(seconds=30)
    enter(segment_env, 1, first=1)
    segment_env.advance(seconds=29.9)
    assert segment_env.transport.requests == []
    assert segment_env.segment.deliveries(outcome="queued") == segment_env.segment.deliveries()
    segment_env.advance(seconds=0.1)
    assert [len(batch["events"]) for batch in segment_env.segment.batches()] == [4]


def test_a_full_batch_does_not_wait(open_env: OpenEnv, document: Any) -> None:
    destination(document)["batch"] = {"size": 4, "age": "1m"}
    segment_env = open_env(document)
    enter(segment_env, 3)
    assert Counter(segment_env.outcomes()) == {"sent": 4, "queued": 2}


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


def test_a_document_with_graphql_errors_fails_although_segment_reports_it_delivered(segment_env: SegmentEnv) -> None:
    segment_env.transport.answers = [said(200, SYNTAX_ERROR)]
    enter(segment_env, 2)
    [batch] = segment_env.segment.batches(failed=True)
    assert (batch["outcome"], batch["reason"], batch["segmentReports"]) == ("failed", "GRAPHQL_ERRORS", "delivered")
    assert batch["error"] == 'Syntax Error: Unexpected Name "Ace".'
    assert batch["locations"] == [{"line": 18, "column": 40}]
    assert batch["nextAt"] is None
    for delivery in segment_env.segment.deliveries():
        assert (delivery["outcome"], delivery["reason"]) == ("failed", "GRAPHQL_ERRORS")
        assert (delivery["segmentReports"], delivery["status"]) == ("delivered", 200)
        assert delivery["messageId"] in batch["events"]
        assert delivery["messageId"] in batch["summary"]
    assert "line 18 column 40" in batch["summary"]


def test_one_quote_in_a_trait_breaks_the_document_of_the_whole_batch(segment_env: SegmentEnv) -> None:
    calls = [
        {
            "type": "identify",
            "userId": f"u{n}",
            "traits": {"email": f"u{n}@b.co", "first_name": name, "total_spent": 900},
        }
        for n, name in enumerate(["Ada", 'Bob "Ace"', "Cyd"])
    ]
    segment_env.segment.ingest("batch", {"batch": calls})
    with pytest.raises(GraphQLSyntaxError):
        parse(segment_env.transport.documents()[0])


def test_half_of_a_surrogate_pair_in_a_response_becomes_the_replacement_character(segment_env: SegmentEnv) -> None:
    segment_env.transport.answers = [said(200, r'{"errors":[{"message":"bad name: Ada \ud83d"}]}')]
    enter(segment_env, 1)
    assert segment_env.outcomes() == ["failed"] * 2
    assert {row["message"] for row in segment_env.segment.deliveries()} == {"bad name: Ada \ufffd"}
    assert [batch["error"] for batch in segment_env.segment.batches()] == ["bad name: Ada \ufffd"]
    segment_env.segment.process_due()
    assert len(segment_env.transport.requests) == 1


def test_user_errors_in_a_200_fail_the_batch_too(segment_env: SegmentEnv) -> None:
    segment_env.transport.answers = [said(200, REFUSED)]
    enter(segment_env, 1)
    [batch] = segment_env.segment.batches(failed=True)
    assert (batch["reason"], batch["segmentReports"]) == ("USER_ERRORS", "delivered")
    assert batch["error"] == "upsertProfiles: Unknown advertiser (input.advertiserId)"
    assert segment_env.outcomes() == ["failed"] * 2


@pytest.mark.parametrize(("status", "reported"), [(200, "delivered"), (299, "delivered"), (300, "failed")])
def test_segment_takes_every_status_from_200_to_299_for_success(
    segment_env: SegmentEnv, status: int, reported: str
) -> None:
    segment_env.transport.answers = [said(status, "no GraphQL")]
    enter(segment_env, 1)
    [batch] = segment_env.segment.batches(failed=True)
    assert batch["segmentReports"] == reported


@pytest.mark.parametrize("text", ["", "<html>", "[]", "null"])
def test_a_200_without_a_graphql_body_fails(segment_env: SegmentEnv, text: str) -> None:
    segment_env.transport.answers = [said(200, text)]
    enter(segment_env, 1)
    [batch] = segment_env.segment.batches(failed=True)
    assert (batch["reason"], batch["segmentReports"]) == ("NOT_GRAPHQL", "delivered")


@pytest.mark.parametrize("status", [302, 400, 401, 403, 404, 413, 422, 501])
def test_a_final_status_fails_the_batch_at_once(segment_env: SegmentEnv, status: int) -> None:
    segment_env.transport.answers = [said(status, "no", "Because")]
    enter(segment_env, 1)
    segment_env.advance(hours=5)
    assert len(segment_env.transport.requests) == 1
    [batch] = segment_env.segment.batches(failed=True)
    assert (batch["reason"], batch["error"], batch["status"]) == (str(status), f"{status} Because", status)
    assert (batch["segmentReports"], batch["response"]) == ("failed", "no")


@pytest.mark.parametrize(
    "problem",
    [
        *(said(status, "", "Later") for status in (408, 423, 429, 500, 502, 503, 504, 599)),
        TransportError("ECONNRESET", "socket hang up"),
        TransportError("ETIMEDOUT", "Request timed out after 10000ms"),
    ],
    ids=lambda problem: str(getattr(problem, "status", None) or getattr(problem, "code", "")),
)
def test_a_temporary_failure_is_retried_with_the_same_request(segment_env: SegmentEnv, problem: Any) -> None:
    segment_env.transport.answers = [problem, problem]
    enter(segment_env, 2)
    assert segment_env.outcomes() == ["retrying"] * 4
    assert {delivery["segmentReports"] for delivery in segment_env.segment.deliveries()} == {"retrying"}
    segment_env.segment.process_due()
    assert len(segment_env.transport.requests) == 1, "nothing is due yet"
    segment_env.advance(minutes=1)
    segment_env.advance(minutes=1)
    assert len(segment_env.transport.requests) == 3
    assert segment_env.transport.requests[0] == segment_env.transport.requests[1] == segment_env.transport.requests[2]
    assert segment_env.outcomes() == ["sent"] * 4
    [batch] = segment_env.segment.batches()
    assert (batch["attempts"], batch["outcome"], batch["reason"], batch["nextAt"]) == (3, "sent", None, None)
    assert {delivery["attempts"] for delivery in segment_env.segment.deliveries()} == {3}


def test_new_events_do_not_join_a_batch_that_is_retried(segment_env: SegmentEnv) -> None:
    segment_env.transport.answers = [said(503)]
    enter(segment_env, 1)
    enter(segment_env, 1, first=1)
    assert [(batch["outcome"], len(batch["events"])) for batch in segment_env.segment.batches()] == [
        ("retrying", 2),
        ("sent", 2),
    ]
    segment_env.advance(minutes=1)
    assert segment_env.outcomes() == ["sent"] * 4
    assert segment_env.transport.documents()[2] == segment_env.transport.documents()[0]


def test_retries_back_off_and_end_after_four_hours(segment_env: SegmentEnv) -> None:
    segment_env.transport.answers = [said(503, "", "Service Unavailable")] * 1000
    enter(segment_env, 1)
    gaps, before = [], 0
    step = 10
    for second in range(step, 4 * 3600 + 1, step):
        attempts = len(segment_env.transport.requests)
        segment_env.sandbox.clock.advance(timedelta(seconds=step))
        segment_env.segment.process_due()
        if len(segment_env.transport.requests) > attempts:
            gaps.append(second - before)
            before = second
    assert before == 4 * 3600, "the last try falls on the end"
    assert gaps[0] <= step
    assert max(gaps) <= 20 * 60 + step
    assert gaps[3] > gaps[0]
    assert segment_env.outcomes() == ["failed"] * 2
    [batch] = segment_env.segment.batches(failed=True)
    assert (batch["reason"], batch["segmentReports"], batch["attempts"]) == ("503", "failed", len(gaps) + 1)
    requests = len(segment_env.transport.requests)
    segment_env.advance(hours=1)
    assert len(segment_env.transport.requests) == requests


def test_a_clock_jump_makes_the_last_attempt_of_a_batch(segment_env: SegmentEnv) -> None:
    segment_env.transport.answers = [said(503)]
    enter(segment_env, 1)
    segment_env.advance(hours=9)
    assert segment_env.outcomes() == ["sent"] * 2


def test_rejected_events_keep_their_outcome_while_the_rest_is_retried(segment_env: SegmentEnv) -> None:
    segment_env.transport.answers = [said(500)]
    segment_env.identify("u1", total_spent=900)
    segment_env.identify("u2", email="a@b.co", total_spent=900)
    assert Counter(segment_env.outcomes()) == {"rejected": 2, "retrying": 2}
    segment_env.advance(minutes=1)
    assert Counter(segment_env.outcomes()) == {"rejected": 2, "sent": 2}


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


def test_queue_and_retries_survive_a_restart(open_env: OpenEnv, document: Any, tmp_path: Path) -> None:
    before = open_env(document, store=tmp_path / "s.sqlite")
    before.transport.answers = [TransportError("ECONNREFUSED", "connection refused")]
    enter(before, 1)
    after = open_env(document, store=tmp_path / "s.sqlite")
    assert after.outcomes() == ["retrying"] * 2
    after.advance(minutes=1)
    assert after.outcomes() == ["sent"] * 2
    assert after.transport.requests == before.transport.requests


def test_the_token_is_not_stored(open_env: OpenEnv, document: Any, tmp_path: Path) -> None:
    segment_env = open_env(document, store=tmp_path / "s.sqlite")
    segment_env.transport.answers = [
        said(503, "you sent sa-local-write"),
        TransportError("EPROTO", "bad header: Bearer sa-local-write"),
        said(401, "", "no such token: sa-local-write"),
    ]
    for first in range(3):
        enter(segment_env, 1, first=first)
    assert {row["message"] for row in segment_env.segment.deliveries()} == {
        "503",
        "bad header: Bearer ***",
        "401 no such token: ***",
    }
    segment_env.sandbox.close()
    assert b"sa-local-write" not in b"".join(path.read_bytes() for path in tmp_path.iterdir())


def test_a_retried_batch_of_a_changed_subscription_is_closed(open_env: OpenEnv, document: Any, tmp_path: Path) -> None:
    before = open_env(document, store=tmp_path / "s.sqlite")
    before.transport.answers = [said(503)]
    enter(before, 1)
    destination(document)["subscriptions"][0]["trigger"] = 'type = "page"'
    after = open_env(document, store=tmp_path / "s.sqlite")
    after.advance(minutes=1)
    after.advance(minutes=1)
    assert after.outcomes() == ["discarded"] * 2
    assert [(batch["outcome"], batch["attempts"], batch["nextAt"]) for batch in after.segment.batches()] == [
        ("discarded", 1, None)
    ]


def test_closing_a_batch_of_deleted_users_is_not_an_attempt(segment_env: SegmentEnv) -> None:
    segment_env.transport.answers = [said(503)]
    enter(segment_env, 1)
    [person] = {row["userId"] for row in segment_env.segment.deliveries()}
    segment_env.segment.delete(person)
    asked = len(segment_env.transport.requests)
    segment_env.advance(minutes=1)
    assert len(segment_env.transport.requests) == asked
    [batch] = segment_env.segment.batches()
    assert (batch["outcome"], batch["attempts"], batch["nextAt"]) == ("discarded", 1, None)


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
