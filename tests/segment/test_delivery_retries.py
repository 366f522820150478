"""What is sent again, how often, and with what; also after a restart."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from emulator.transport import TransportError
from tests.segment.conftest import OpenEnv, SegmentEnv
from tests.segment.delivered_events import destination, enter, said


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
