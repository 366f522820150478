"""When a batch is tried again, on the virtual clock: each kind of failure, every moment, the end after four hours."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from emulator.segment.delivery.retry_policy import FIRST_DELAY_MILLIS, LONGEST_DELAY_MILLIS
from emulator.transport import Response, TransportError

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


def enter(room: Any) -> None:
    room.identify("u1", email="ada@example.com", total_spent=900)


def next_moment(room: Any) -> datetime | None:
    [batch] = room.segment.batches()
    return datetime.fromisoformat(batch["nextAt"]) if batch["nextAt"] else None


def tries(room: Any) -> list[timedelta]:
    """Lets time pass until nothing is tried any more; how long after the first try each later one came."""
    start, moments = room.sandbox.clock.now(), []
    while moment := next_moment(room):
        done = len(room.transport.requests)
        room.sandbox.clock.advance(moment - room.sandbox.clock.now() - MILLISECOND)
        room.segment.process_due()
        assert len(room.transport.requests) == done, "a millisecond too early"
        room.sandbox.clock.advance(MILLISECOND)
        room.segment.process_due()
        assert len(room.transport.requests) == done + 1
        moments.append(moment - start)
    return moments


def delays(moments: list[timedelta]) -> list[timedelta]:
    return [after - before for before, after in zip([timedelta(), *moments], moments, strict=False)]


@pytest.mark.parametrize("failure", LATER.values(), ids=LATER)
def test_each_delay_is_at_most_twice_the_one_before_and_random_by_half(room: Any, failure: Any) -> None:
    room.transport.answers = [failure] * 1000
    enter(room)
    moments = tries(room)
    *backing_off, _rest = delays(moments)
    for number, delay in enumerate(backing_off):
        longest = timedelta(milliseconds=min(FIRST_DELAY_MILLIS * 2**number, LONGEST_DELAY_MILLIS))
        assert longest / 2 <= delay <= longest
    assert moments[-1] == FOUR_HOURS


@pytest.mark.parametrize(
    ("failure", "reason"),
    list(zip(LATER.values(), ["429", "429", "500", "ETIMEDOUT", "ECONNRESET"], strict=True)),
    ids=LATER,
)
def test_after_four_hours_every_event_failed_and_is_a_dead_letter(room: Any, failure: Any, reason: str) -> None:
    room.transport.answers = [failure] * 1000
    enter(room)
    assert room.segment.dead_letters() == []
    attempts = 1 + len(tries(room))
    room.advance(hours=24)
    assert len(room.transport.requests) == attempts
    assert [(letter["type"], letter["outcome"], letter["reason"]) for letter in room.segment.dead_letters()] == [
        ("identify", "failed", reason),
        ("track", "failed", reason),
    ]
    assert {letter["attempts"] for letter in room.segment.dead_letters()} == {attempts}
    assert room.segment.dead_letters() == room.segment.deliveries()


def test_retry_after_changes_no_moment(open_room: Callable[..., Any], document: Any) -> None:
    """No published code of the engine or the destination reads the header; the platform sees the status alone."""
    schedules = []
    for failure in (LATER["429"], LATER["429 with Retry-After"]):
        room = open_room(document)
        room.transport.answers = [failure] * 1000
        enter(room)
        schedules.append(tries(room))
    assert schedules[0] == schedules[1]


def test_a_failure_that_does_not_pass_ends_the_tries(room: Any) -> None:
    room.transport.answers = [LATER["500"], LATER["reset"], Response(status=400, reason="Bad Request", text="")]
    enter(room)
    assert len(tries(room)) == 2
    assert {letter["reason"] for letter in room.segment.dead_letters()} == {"400"}


def test_two_batches_are_not_tried_again_in_step(room: Any) -> None:
    room.transport.answers = [LATER["500"]] * 2
    enter(room)
    room.identify("u2", email="bob@example.com", total_spent=900)
    first, second = room.segment.batches()
    assert first["firstAt"] == second["firstAt"]
    assert first["nextAt"] != second["nextAt"]


def test_what_was_sent_when_the_sender_broke_down_is_sent_again(room: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """At least once: between the answer and its record the sender may die, and the receiver cannot tell."""
    answer = room.transport.post

    def answer_and_break_down(headers: Any, body: str) -> None:
        answer(headers, body)
        raise KeyboardInterrupt

    monkeypatch.setattr(room.transport, "post", answer_and_break_down)
    with pytest.raises(KeyboardInterrupt):
        enter(room)
    monkeypatch.undo()
    assert room.outcomes() == ["queued"] * 2
    room.segment.process_due()
    assert room.outcomes() == ["sent"] * 2
    assert room.transport.requests[0] == room.transport.requests[1]
