"""Retried requests with other events than before: "Stream batching" in Segment's "Destinations Overview"."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from emulator.segment.delivery.grouping import grouped
from emulator.segment.delivery.queue import BATCH_BYTES, Batch
from emulator.segment.delivery.queued_events import QueuedEvent
from emulator.transport import Response
from tests.segment.conftest import OpenEnv, SegmentEnv

LATER = Response(status=503, reason="Service Unavailable", text="")


@pytest.fixture
def regrouping(open_env: OpenEnv, document: dict[str, Any]) -> SegmentEnv:
    document["destinations"][0]["batch"] = {"retries": "regroup"}
    document["destinations"][0]["audiences"][0]["sendTrack"] = False
    return open_env(document)


def enter(segment_env: SegmentEnv, *users: str) -> None:
    for user in users:
        segment_env.identify(user, email=f"{user}@example.com", total_spent=900)


def users_in(document: str) -> list[str]:
    return [user for user in ("u1", "u2", "u3") if f"{user}@example.com" in document]


def test_everything_that_waits_goes_along_with_a_retry_in_the_order_of_the_queue(regrouping: SegmentEnv) -> None:
    regrouping.transport.answers = [LATER, LATER]
    enter(regrouping, "u1", "u2")
    assert regrouping.outcomes() == ["retrying", "retrying"]
    regrouping.advance(minutes=1)
    assert [users_in(document) for document in regrouping.transport.documents()] == [["u1"], ["u2"], ["u1", "u2"]]
    last = regrouping.transport.documents()[-1]
    assert last.index("u1@example.com") < last.index("u2@example.com")
    assert regrouping.outcomes() == ["sent", "sent"]
    assert [(batch["outcome"], batch["attempts"], batch["nextAt"]) for batch in regrouping.segment.batches()] == [
        ("sent", 2, None),
        ("sent", 2, None),
    ]


def test_a_new_event_does_not_wait_for_a_retry(regrouping: SegmentEnv) -> None:
    regrouping.transport.answers = [LATER]
    enter(regrouping, "u1", "u2")
    assert [users_in(document) for document in regrouping.transport.documents()] == [["u1"], ["u2"]]
    assert regrouping.outcomes() == ["retrying", "sent"]


def test_each_batch_keeps_its_own_attempts_and_its_own_four_hours(regrouping: SegmentEnv) -> None:
    regrouping.transport.answers = [LATER] * 10_000
    enter(regrouping, "u1")
    for _ in range(3 * 60):
        regrouping.advance(minutes=1)
    enter(regrouping, "u2")
    for _ in range(60):
        regrouping.advance(minutes=1)
    first, second = regrouping.segment.batches()
    assert (first["outcome"], second["outcome"]) == ("failed", "retrying")
    assert first["attempts"] > second["attempts"] > 1
    for _ in range(3 * 60):
        regrouping.advance(minutes=1)
    assert regrouping.outcomes() == ["failed", "failed"]


def test_an_event_that_the_mapping_rejects_leaves_the_others_alone(open_env: OpenEnv, document: dict[str, Any]) -> None:
    document["destinations"][0]["batch"] = {"retries": "regroup"}
    segment_env = open_env(document)
    segment_env.transport.answers = [LATER, LATER]
    enter(segment_env, "u1")
    segment_env.segment.set_membership("vip_customers", entered=True, user_id="u2")
    enter(segment_env, "u3")
    segment_env.advance(minutes=1)
    outcomes = Counter((each["userId"], each["outcome"]) for each in segment_env.segment.deliveries())
    assert outcomes == {("u1", "sent"): 2, ("u2", "rejected"): 2, ("u3", "sent"): 2}


def batch(number: int, size: int = 1) -> Batch:
    return Batch(events=tuple(QueuedEvent(index, {}) for index in range(number)), size=size)


@pytest.mark.parametrize(
    ("batches", "together"),
    [
        ([], []),
        ([batch(3)], [1]),
        ([batch(3), batch(2), batch(1)], [2, 1]),
        ([batch(5), batch(1)], [1, 1]),
        ([batch(9), batch(1)], [1, 1]),
        ([batch(1, BATCH_BYTES), batch(1), batch(1)], [1, 2]),
    ],
)
def test_whole_batches_are_put_together_as_long_as_they_fit(batches: list[Batch], together: list[int]) -> None:
    groups = list(grouped(batches, 5))
    assert [len(group) for group in groups] == together
    assert [each for group in groups for each in group] == batches
