"""From queue to outcome: batches, verdicts, answers, retries. The mapping engine is the real one, the other side a
transport that answers what it is told to."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from graphql import GraphQLSyntaxError, parse

from emulator.errors import NotFound, UserMistake, WorkspaceError
from emulator.events import BatchDelivered
from emulator.transport import Response, TransportError

SYNTAX_ERROR = json.dumps(
    {"errors": [{"message": 'Syntax Error: Unexpected Name "Ace".', "locations": [{"line": 18, "column": 40}]}]}
)
REFUSED = json.dumps(
    {"data": {"upsertProfiles": {"userErrors": [{"message": "Unknown advertiser", "path": ["input", "advertiserId"]}]}}}
)


def destination(document: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = document["destinations"][0]
    return found


def enter(room: Any, count: int, *, first: int = 0) -> None:
    """So many people enter the audience in one request."""
    calls = [
        {"type": "identify", "userId": f"u{n}", "traits": {"email": f"u{n}@example.com", "total_spent": 900}}
        for n in range(first, first + count)
    ]
    room.segment.ingest("batch", {"batch": calls})


def enter_large(room: Any, count: int, *, first: int = 0) -> None:
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
        room.segment.ingest("batch", {"batch": people[start : start + 15]})


def said(status: int, text: str = "", reason: str = "") -> Response:
    return Response(status=status, reason=reason, text=text)


def test_events_of_one_request_go_out_in_one_batch_at_its_end(room: Any) -> None:
    enter(room, 3)
    assert len(room.transport.requests) == 1
    assert room.outcomes() == ["sent"] * 6
    [batch] = room.segment.batches()
    assert batch["events"] == [delivery["messageId"] for delivery in room.segment.deliveries()]
    assert (batch["outcome"], batch["status"], batch["attempts"], batch["locations"]) == ("sent", 200, 1, [])


def test_the_request_is_the_mapping_engine_s(room: Any) -> None:
    room.identify("u1", email="ada@example.com", total_spent=900)
    [(headers, body)] = room.transport.requests
    assert headers["authorization"] == "Bearer sa-local-write"
    assert headers["content-type"] == "application/json"
    document = json.loads(body)["query"]
    parse(document)
    assert "upsertExternalAudienceMapping" in document
    assert document.count("ada@example.com") == 2


def test_published_defaults_lie_under_the_workspace_s_mapping(open_room: Callable[..., Any], document: Any) -> None:
    room = open_room(document)
    room.identify("u1", email="ada@example.com", first_name="Ada", street="1 Main St", total_spent=900)
    assert "1 Main St" in room.transport.documents()[0]


def test_without_defaults_the_mapping_stands_alone(open_room: Callable[..., Any], document: Any) -> None:
    destination(document)["subscriptions"][0]["defaults"] = False
    room = open_room(document)
    room.identify("u1", email="ada@example.com", total_spent=900)
    assert room.outcomes() == ["rejected"] * 2
    assert "segment_computation_key" in room.segment.deliveries()[0]["message"]


def test_a_batch_holds_no_more_events_than_its_size(open_room: Callable[..., Any], document: Any) -> None:
    destination(document)["batch"] = {"size": 4, "age": "0s"}
    room = open_room(document)
    enter(room, 5)
    assert [len(batch["events"]) for batch in room.segment.batches()] == [4, 4, 2]
    assert room.outcomes() == ["sent"] * 10


def test_a_batch_holds_no_more_than_4_megabytes(open_room: Callable[..., Any], document: Any) -> None:
    destination(document)["batch"] = {"size": 1000, "age": "1m"}
    room = open_room(document)
    enter_large(room, 75)
    room.advance(minutes=1)
    first, second = room.segment.batches()
    assert len(first["events"]) + len(second["events"]) == 150
    sizes = {row["messageId"]: len(json.dumps(row["payload"])) for row in room.segment.deliveries(limit=1000)}
    limit = 4 * 1024 * 1024
    assert sum(sizes[message] for message in first["events"]) <= limit
    assert sum(sizes[message] for message in [*first["events"], second["events"][0]]) > limit
    assert first["events"] + second["events"] == list(sizes)


def test_a_batch_that_is_full_by_bytes_does_not_wait(open_room: Callable[..., Any], document: Any) -> None:
    destination(document)["batch"] = {"size": 1000, "age": "1h"}
    room = open_room(document)
    enter_large(room, 60)
    assert room.transport.requests == []
    enter_large(room, 15, first=60)
    [batch] = room.segment.batches()
    waiting = room.outcomes().count("queued")
    assert len(batch["events"]) + waiting == 150
    assert 0 < waiting < 20


def test_a_batch_waits_until_it_is_old_enough(open_room: Callable[..., Any], document: Any) -> None:
    destination(document)["batch"] = {"size": 1000, "age": "1m"}
    room = open_room(document)
    enter(room, 1)
    assert room.outcomes() == ["queued"] * 2
    room.advance(seconds=30)
    enter(room, 1, first=1)
    room.advance(seconds=29.9)
    assert room.transport.requests == []
    assert room.segment.deliveries(outcome="queued") == room.segment.deliveries()
    room.advance(seconds=0.1)
    assert [len(batch["events"]) for batch in room.segment.batches()] == [4]


def test_a_full_batch_does_not_wait(open_room: Callable[..., Any], document: Any) -> None:
    destination(document)["batch"] = {"size": 4, "age": "1m"}
    room = open_room(document)
    enter(room, 3)
    assert Counter(room.outcomes()) == {"sent": 4, "queued": 2}


def test_an_event_that_the_trigger_refuses_is_discarded(open_room: Callable[..., Any], document: Any) -> None:
    destination(document)["subscriptions"][0]["trigger"] = 'type = "track"'
    room = open_room(document)
    enter(room, 1)
    identify, track = room.segment.deliveries()
    assert (identify["outcome"], identify["reason"]) == ("discarded", "NO_MATCHING_MAPPING")
    assert identify["message"] == "Payload is either invalid or does not match the subscription"
    assert (identify["batchId"], identify["attempts"], identify["segmentReports"]) == (None, 0, "filtered")
    assert track["outcome"] == "sent"
    assert room.segment.batches()[0]["events"] == [track["messageId"]]


def test_a_broken_trigger_discards_with_its_complaint(open_room: Callable[..., Any], document: Any) -> None:
    destination(document)["subscriptions"][0]["trigger"] = "contains("
    room = open_room(document)
    enter(room, 1)
    assert {delivery["outcome"] for delivery in room.segment.deliveries()} == {"discarded"}
    assert room.segment.deliveries()[0]["message"].startswith("Invalid subscription : ")
    assert room.transport.requests == []


def test_the_2024_trigger_never_lets_an_identify_through(open_room: Callable[..., Any], document: Any) -> None:
    destination(document)["subscriptions"][0]["trigger"] = (
        '(type = "track" or type = "identify") and (event = "Audience Entered" or event = "Audience Exited")'
    )
    room = open_room(document)
    enter(room, 1)
    assert room.outcomes() == ["discarded", "sent"]


def test_a_payload_that_does_not_fit_is_rejected_and_the_rest_goes_out(room: Any) -> None:
    calls = [
        {"type": "identify", "userId": "bad", "traits": {"email": "nowhere", "total_spent": 900}},
        {"type": "identify", "userId": "none", "traits": {"total_spent": 900}},
        {"type": "identify", "userId": "good", "traits": {"email": "a@b.co", "total_spent": 900}},
    ]
    room.segment.ingest("batch", {"batch": calls})
    found = {(delivery["userId"], delivery["outcome"], delivery["message"]) for delivery in room.segment.deliveries()}
    assert found == {
        ("bad", "rejected", "Email must be a valid email address string but it was not."),
        ("none", "rejected", "The root value is missing the required field 'email'."),
        ("good", "sent", None),
    }
    assert room.segment.counts()["reasons"] == {"rejected": {"PAYLOAD_VALIDATION_FAILED": 4}}
    assert len(room.segment.batches()[0]["events"]) == 2


def test_the_published_defaults_find_no_email_on_a_track(open_room: Callable[..., Any], document: Any) -> None:
    """The destination looks at `traits.email` and `properties.email`, Engage writes `context.traits.email`."""
    del destination(document)["subscriptions"][0]["mapping"]["email"]
    room = open_room(document)
    enter(room, 1)
    assert [(delivery["type"], delivery["outcome"]) for delivery in room.segment.deliveries()] == [
        ("identify", "sent"),
        ("track", "rejected"),
    ]


def test_a_broken_mapping_rejects_the_whole_batch_once(open_room: Callable[..., Any], document: Any) -> None:
    destination(document)["subscriptions"][0]["mapping"]["email"] = {"@nothing": 1}
    room = open_room(document)
    enter(room, 2)
    assert room.outcomes() == ["rejected"] * 4
    assert room.transport.requests == []
    [batch] = room.segment.batches()
    assert (batch["outcome"], len(batch["events"]), batch["attempts"]) == ("rejected", 4, 0)
    assert room.segment.batches(failed=True) == []
    room.advance(hours=5)
    assert len(room.segment.batches()) == 1


def test_a_token_that_cannot_stand_in_a_header_is_not_shown(open_room: Callable[..., Any], document: Any) -> None:
    destination(document)["settings"]["apiKey"] = "secret\n1"
    room = open_room(document)
    enter(room, 1)
    assert room.outcomes() == ["rejected"] * 2
    assert "secret" not in json.dumps([room.segment.deliveries(), room.segment.batches()])
    assert "***" in room.segment.deliveries()[0]["message"]


def test_a_document_that_graphql_refuses_fails_although_segment_reports_it_delivered(room: Any) -> None:
    room.transport.answers = [said(200, SYNTAX_ERROR)]
    enter(room, 2)
    [batch] = room.segment.batches(failed=True)
    assert (batch["outcome"], batch["reason"], batch["segmentReports"]) == ("failed", "GRAPHQL_ERRORS", "delivered")
    assert batch["error"] == 'Syntax Error: Unexpected Name "Ace".'
    assert batch["locations"] == [{"line": 18, "column": 40}]
    assert batch["nextAt"] is None
    for delivery in room.segment.deliveries():
        assert (delivery["outcome"], delivery["reason"]) == ("failed", "GRAPHQL_ERRORS")
        assert (delivery["segmentReports"], delivery["status"]) == ("delivered", 200)
        assert delivery["messageId"] in batch["events"]
        assert delivery["messageId"] in batch["summary"]
    assert "line 18 column 40" in batch["summary"]


def test_one_quote_in_a_trait_breaks_the_document_of_the_whole_batch(room: Any) -> None:
    calls = [
        {
            "type": "identify",
            "userId": f"u{n}",
            "traits": {"email": f"u{n}@b.co", "first_name": name, "total_spent": 900},
        }
        for n, name in enumerate(["Ada", 'Bob "Ace"', "Cyd"])
    ]
    room.segment.ingest("batch", {"batch": calls})
    with pytest.raises(GraphQLSyntaxError):
        parse(room.transport.documents()[0])


def test_half_of_a_surrogate_pair_in_an_answer_is_kept_as_a_replacement_character(room: Any) -> None:
    room.transport.answers = [said(200, r'{"errors":[{"message":"bad name: Ada \ud83d"}]}')]
    enter(room, 1)
    assert room.outcomes() == ["failed"] * 2
    assert {row["message"] for row in room.segment.deliveries()} == {"bad name: Ada \ufffd"}
    assert [batch["error"] for batch in room.segment.batches()] == ["bad name: Ada \ufffd"]
    room.segment.process_due()
    assert len(room.transport.requests) == 1


def test_user_errors_in_a_200_fail_the_batch_too(room: Any) -> None:
    room.transport.answers = [said(200, REFUSED)]
    enter(room, 1)
    [batch] = room.segment.batches(failed=True)
    assert (batch["reason"], batch["segmentReports"]) == ("USER_ERRORS", "delivered")
    assert batch["error"] == "upsertProfiles: Unknown advertiser (input.advertiserId)"
    assert room.outcomes() == ["failed"] * 2


@pytest.mark.parametrize(("status", "reported"), [(200, "delivered"), (299, "delivered"), (300, "failed")])
def test_segment_takes_every_status_from_200_to_299_for_success(room: Any, status: int, reported: str) -> None:
    room.transport.answers = [said(status, "no GraphQL")]
    enter(room, 1)
    [batch] = room.segment.batches(failed=True)
    assert batch["segmentReports"] == reported


@pytest.mark.parametrize("text", ["", "<html>", "[]", "null"])
def test_a_200_that_is_no_graphql_answer_is_no_success(room: Any, text: str) -> None:
    room.transport.answers = [said(200, text)]
    enter(room, 1)
    [batch] = room.segment.batches(failed=True)
    assert (batch["reason"], batch["segmentReports"]) == ("NOT_GRAPHQL", "delivered")


@pytest.mark.parametrize("status", [302, 400, 401, 403, 404, 413, 422, 501])
def test_a_final_status_fails_the_batch_at_once(room: Any, status: int) -> None:
    room.transport.answers = [said(status, "no", "Because")]
    enter(room, 1)
    room.advance(hours=5)
    assert len(room.transport.requests) == 1
    [batch] = room.segment.batches(failed=True)
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
def test_what_may_pass_is_tried_again_with_the_same_request(room: Any, problem: Any) -> None:
    room.transport.answers = [problem, problem]
    enter(room, 2)
    assert room.outcomes() == ["retrying"] * 4
    assert {delivery["segmentReports"] for delivery in room.segment.deliveries()} == {"retrying"}
    room.segment.process_due()
    assert len(room.transport.requests) == 1, "nothing is due yet"
    room.advance(minutes=1)
    room.advance(minutes=1)
    assert len(room.transport.requests) == 3
    assert room.transport.requests[0] == room.transport.requests[1] == room.transport.requests[2]
    assert room.outcomes() == ["sent"] * 4
    [batch] = room.segment.batches()
    assert (batch["attempts"], batch["outcome"], batch["reason"], batch["nextAt"]) == (3, "sent", None, None)
    assert {delivery["attempts"] for delivery in room.segment.deliveries()} == {3}


def test_new_events_do_not_join_a_batch_that_is_retried(room: Any) -> None:
    room.transport.answers = [said(503)]
    enter(room, 1)
    enter(room, 1, first=1)
    assert [(batch["outcome"], len(batch["events"])) for batch in room.segment.batches()] == [
        ("retrying", 2),
        ("sent", 2),
    ]
    room.advance(minutes=1)
    assert room.outcomes() == ["sent"] * 4
    assert room.transport.documents()[2] == room.transport.documents()[0]


def test_retries_back_off_and_end_after_four_hours(room: Any) -> None:
    room.transport.answers = [said(503, "", "Service Unavailable")] * 1000
    enter(room, 1)
    gaps, before = [], 0
    step = 10
    for second in range(step, 4 * 3600 + 1, step):
        attempts = len(room.transport.requests)
        room.sandbox.clock.advance(timedelta(seconds=step))
        room.segment.process_due()
        if len(room.transport.requests) > attempts:
            gaps.append(second - before)
            before = second
    assert before == 4 * 3600, "the last try falls on the end"
    assert gaps[0] <= step
    assert max(gaps) <= 20 * 60 + step
    assert gaps[3] > gaps[0]
    assert room.outcomes() == ["failed"] * 2
    [batch] = room.segment.batches(failed=True)
    assert (batch["reason"], batch["segmentReports"], batch["attempts"]) == ("503", "failed", len(gaps) + 1)
    requests = len(room.transport.requests)
    room.advance(hours=1)
    assert len(room.transport.requests) == requests


def test_a_jump_of_the_clock_gives_a_batch_its_last_try(room: Any) -> None:
    room.transport.answers = [said(503)]
    enter(room, 1)
    room.advance(hours=9)
    assert room.outcomes() == ["sent"] * 2


def test_refused_events_keep_their_verdict_while_the_rest_is_retried(room: Any) -> None:
    room.transport.answers = [said(500)]
    room.identify("u1", total_spent=900)
    room.identify("u2", email="a@b.co", total_spent=900)
    assert Counter(room.outcomes()) == {"rejected": 2, "retrying": 2}
    room.advance(minutes=1)
    assert Counter(room.outcomes()) == {"rejected": 2, "sent": 2}


def test_each_enabled_subscription_is_offered_every_event(open_room: Callable[..., Any], document: Any) -> None:
    [first] = destination(document)["subscriptions"]
    destination(document)["subscriptions"] = [
        first | {"name": "identifies", "trigger": 'type = "identify"'},
        first | {"name": "tracks", "trigger": 'type = "track"'},
        first | {"name": "off", "enabled": False},
    ]
    room = open_room(document)
    enter(room, 1)
    assert Counter((row["subscription"], row["type"], row["outcome"]) for row in room.segment.deliveries()) == {
        ("identifies", "identify", "sent"): 1,
        ("identifies", "track", "discarded"): 1,
        ("tracks", "identify", "discarded"): 1,
        ("tracks", "track", "sent"): 1,
    }
    assert room.segment.counts()["events"] == 2


def test_the_journal_tells_of_each_attempt(room: Any) -> None:
    room.transport.answers = [said(503, "", "Later")]
    room.segment.ingest(
        "batch",
        {
            "batch": [
                {"type": "identify", "userId": "u1", "traits": {"total_spent": 900}},
                {"type": "identify", "userId": "u2", "traits": {"email": "a@b.co", "total_spent": 900}},
            ]
        },
    )
    room.advance(minutes=1)
    first, second = room.heard(BatchDelivered)
    assert (first.destination, first.subscription) == ("StackAdapt Acme", "Sync Audience")
    assert (first.outcomes, first.status, first.error) == ({"rejected": 2, "retrying": 2}, 503, "503 Later")
    assert (second.outcomes, second.status, second.error) == ({"sent": 2}, 200, None)


def test_queue_and_retries_survive_a_restart(open_room: Callable[..., Any], document: Any, tmp_path: Path) -> None:
    before = open_room(document, store=tmp_path / "s.sqlite")
    before.transport.answers = [TransportError("ECONNREFUSED", "nobody there")]
    enter(before, 1)
    after = open_room(document, store=tmp_path / "s.sqlite")
    assert after.outcomes() == ["retrying"] * 2
    after.advance(minutes=1)
    assert after.outcomes() == ["sent"] * 2
    assert after.transport.requests == before.transport.requests


def test_nothing_that_is_stored_holds_the_token(open_room: Callable[..., Any], document: Any, tmp_path: Path) -> None:
    room = open_room(document, store=tmp_path / "s.sqlite")
    room.transport.answers = [
        said(503, "you sent sa-local-write"),
        TransportError("EPROTO", "bad header: Bearer sa-local-write"),
        said(401, "", "no such token: sa-local-write"),
    ]
    for first in range(3):
        enter(room, 1, first=first)
    assert {row["message"] for row in room.segment.deliveries()} == {
        "503",
        "bad header: Bearer ***",
        "401 no such token: ***",
    }
    room.sandbox.close()
    assert b"sa-local-write" not in b"".join(path.read_bytes() for path in tmp_path.iterdir())


def test_a_retried_batch_of_a_changed_subscription_is_closed(
    open_room: Callable[..., Any], document: Any, tmp_path: Path
) -> None:
    before = open_room(document, store=tmp_path / "s.sqlite")
    before.transport.answers = [said(503)]
    enter(before, 1)
    destination(document)["subscriptions"][0]["trigger"] = 'type = "page"'
    after = open_room(document, store=tmp_path / "s.sqlite")
    after.advance(minutes=1)
    after.advance(minutes=1)
    assert after.outcomes() == ["discarded"] * 2
    assert [(batch["outcome"], batch["attempts"], batch["nextAt"]) for batch in after.segment.batches()] == [
        ("discarded", 1, None)
    ]


def test_attempts_count_requests_and_not_the_closing_of_a_batch_whose_people_were_deleted(room: Any) -> None:
    room.transport.answers = [said(503)]
    enter(room, 1)
    [person] = {row["userId"] for row in room.segment.deliveries()}
    room.segment.delete(person)
    asked = len(room.transport.requests)
    room.advance(minutes=1)
    assert len(room.transport.requests) == asked
    [batch] = room.segment.batches()
    assert (batch["outcome"], batch["attempts"], batch["nextAt"]) == ("discarded", 1, None)


def test_every_event_has_one_outcome_and_the_counts_add_up(open_room: Callable[..., Any], document: Any) -> None:
    from emulator.generator.people import batch, identify, people

    destination(document)["batch"] = {"size": 20, "age": "30s"}
    room = open_room(document)
    room.transport.answers = [said(200, SYNTAX_ERROR), said(503), said(401)]
    crowd = list(people(3, 200))
    for start in range(0, 200, 50):
        room.segment.ingest("batch", batch(identify(person) for person in crowd[start : start + 50]))
    for _ in range(3):
        room.advance(minutes=2)
    counts = room.segment.counts()
    members = [person for person in crowd if person.traits["total_spent"] >= 500]
    assert counts["calls"] == {"accepted": 200, "failed": {}}
    assert counts["events"] == 2 * len(members) == sum(counts["outcomes"].values())
    assert set(counts["outcomes"]) == {"sent", "rejected", "failed"}
    carried = [message_id for sent in room.segment.batches() for message_id in sent["events"]]
    assert len(carried) == len(set(carried)) == counts["outcomes"]["sent"] + counts["outcomes"]["failed"]


def test_deliveries_are_paged_and_filtered(room: Any) -> None:
    enter(room, 3)
    everything = room.segment.deliveries()
    assert room.segment.deliveries(limit=2, offset=3) == everything[3:5]
    assert room.segment.deliveries(outcome="failed") == []
    assert room.segment.deliveries(destination="StackAdapt Acme") == everything
    for listed in (room.segment.deliveries, room.segment.dead_letters):
        with pytest.raises(NotFound, match="no such destination instance.*Did you mean 'StackAdapt Acme'"):
            listed(destination="StackAdapt Acne")


def test_reset_forgets_everything_and_starts_anew(room: Any) -> None:
    enter(room, 1)
    room.segment.reset()
    assert room.segment.deliveries() == room.segment.batches() == room.segment.profiles() == []
    assert room.segment.counts() == {"calls": {"accepted": 0, "failed": {}}, "events": 0, "outcomes": {}, "reasons": {}}
    enter(room, 1)
    assert room.outcomes() == ["sent"] * 2


@pytest.mark.parametrize(
    ("change", "error", "text"),
    [
        ({"action": "forwardAudience"}, WorkspaceError, "forwardAudienceEvent"),
        ({"name": "Twice"}, WorkspaceError, "Twice"),
    ],
)
def test_a_subscription_that_makes_no_sense_is_named(
    open_room: Callable[..., Any], document: Any, change: dict[str, str], error: type[Exception], text: str
) -> None:
    [first] = destination(document)["subscriptions"]
    destination(document)["subscriptions"] = [first | {"name": "Twice"}, first | change]
    with pytest.raises(error, match=text):
        open_room(document)


def test_an_unknown_generation_is_named(open_room: Callable[..., Any], document: Any) -> None:
    destination(document)["generation"] = "3.400.0"
    with pytest.raises(UserMistake, match="3.387.0"):
        open_room(document)
