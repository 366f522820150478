"""When a batch is retried, on the virtual clock: each kind of failure, every delay, the end after four hours."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from emulator.segment.delivery.retry_policy import FIRST_DELAY_MILLIS, LONGEST_DELAY_MILLIS
from emulator.transport import Response, TransportError
from tests.segment.conftest import OpenEnv, SegmentEnv

MILLISECOND = timedelta(milliseconds=1)
FOUR_HOURS = timedelta(hours=4)

LATER = {
    "429": Response(status=429, reason="Too Many Requests", text=""),
    "429 with Retry-After": Response(
        status=429, reason="Too Many Requests", text="", headers={"Retry-After": "3600", "X-RateLimit-Reset": "3600"}
    ),
    "500": Response(status=500, reason="Internal Server Error", text=""),
    "timeout": TransportError("ETIMEDOUT", "Request timed out after 10000ms"),
    "reset": TransportError("ECONNRESET", "socket hang up"),
}


def enter(segment_env: SegmentEnv) -> None:
    segment_env.identify("u1", email="ada@example.com", total_spent=900)


def next_retry(segment_env: SegmentEnv) -> datetime | None:
    [batch] = segment_env.segment.batches()
    return datetime.fromisoformat(batch["nextAt"]) if batch["nextAt"] else None


def retries(segment_env: SegmentEnv) -> list[timedelta]:
    """Lets time pass until nothing is retried; returns how long after the first attempt each retry came."""
    start, times = segment_env.sandbox.clock.now(), []
    while at := next_retry(segment_env):
        done = len(segment_env.transport.requests)
        segment_env.sandbox.clock.advance(at - segment_env.sandbox.clock.now() - MILLISECOND)
        segment_env.segment.process_due()
        assert len(segment_env.transport.requests) == done, "a millisecond too early"
        segment_env.sandbox.clock.advance(MILLISECOND)
        segment_env.segment.process_due()
        assert len(segment_env.transport.requests) == done + 1
        times.append(at - start)
    return times


def delays(times: list[timedelta]) -> list[timedelta]:
    return [after - before for before, after in zip([timedelta(), *times], times, strict=False)]


@pytest.mark.parametrize("failure", LATER.values(), ids=LATER)
def test_delays_at_most_double_and_are_randomized_by_half(segment_env: SegmentEnv, failure: Any) -> None:
    segment_env.transport.answers = [failure] * 1000
    enter(segment_env)
    times = retries(segment_env)
    *backing_off, _rest = delays(times)
    for number, delay in enumerate(backing_off):
        longest = timedelta(milliseconds=min(FIRST_DELAY_MILLIS * 2**number, LONGEST_DELAY_MILLIS))
        assert longest / 2 <= delay <= longest
    assert times[-1] == FOUR_HOURS


@pytest.mark.parametrize(
    ("failure", "reason"),
    list(zip(LATER.values(), ["429", "429", "500", "ETIMEDOUT", "ECONNRESET"], strict=True)),
    ids=LATER,
)
def test_after_four_hours_every_event_failed_and_is_a_dead_letter(
    segment_env: SegmentEnv, failure: Any, reason: str
) -> None:
    segment_env.transport.answers = [failure] * 1000
    enter(segment_env)
    assert segment_env.segment.dead_letters() == []
    attempts = 1 + len(retries(segment_env))
    segment_env.advance(hours=24)
    assert len(segment_env.transport.requests) == attempts
    assert [(letter["type"], letter["outcome"], letter["reason"]) for letter in segment_env.segment.dead_letters()] == [
        ("identify", "failed", reason),
        ("track", "failed", reason),
    ]
    assert {letter["attempts"] for letter in segment_env.segment.dead_letters()} == {attempts}
    assert segment_env.segment.dead_letters() == segment_env.segment.deliveries()


def test_retry_after_does_not_change_the_schedule(open_env: OpenEnv, document: Any) -> None:
    """No published code of the engine or the destination reads the header; the platform sees the status alone."""
    schedules = []
    for failure in (LATER["429"], LATER["429 with Retry-After"]):
        segment_env = open_env(document)
        segment_env.transport.answers = [failure] * 1000
        enter(segment_env)
        schedules.append(retries(segment_env))
    assert schedules[0] == schedules[1]


def test_a_permanent_failure_ends_the_retries(segment_env: SegmentEnv) -> None:
    segment_env.transport.answers = [LATER["500"], LATER["reset"], Response(status=400, reason="Bad Request", text="")]
    enter(segment_env)
    assert len(retries(segment_env)) == 2
    assert {letter["reason"] for letter in segment_env.segment.dead_letters()} == {"400"}


def test_two_batches_are_retried_at_different_times(segment_env: SegmentEnv) -> None:
    segment_env.transport.answers = [LATER["500"]] * 2
    enter(segment_env)
    segment_env.identify("u2", email="bob@example.com", total_spent=900)
    first, second = segment_env.segment.batches()
    assert first["firstAt"] == second["firstAt"]
    assert first["nextAt"] != second["nextAt"]


def test_a_batch_sent_before_a_crash_is_sent_again(segment_env: SegmentEnv, monkeypatch: pytest.MonkeyPatch) -> None:
    """At least once: the sender may crash between the response and its record."""
    answer = segment_env.transport.post

    def answer_and_crash(headers: Any, body: str) -> None:
        answer(headers, body)
        raise KeyboardInterrupt

    monkeypatch.setattr(segment_env.transport, "post", answer_and_crash)
    with pytest.raises(KeyboardInterrupt):
        enter(segment_env)
    monkeypatch.undo()
    assert len(segment_env.transport.requests) == 1
    assert segment_env.outcomes() == ["sent"] * 2
    assert segment_env.transport.requests[0] == segment_env.transport.requests[1]
