"""Random sequences of faults: every event has exactly one outcome, and arrives as often as documented."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from emulator import Emulator, load_workspace
from emulator.clock import Clock
from emulator.harness.funnel import check_balance, funnel
from emulator.segment.delivery.response import FAILED, REJECTED, SENT

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
PASSING: list[dict[str, Any]] = [
    {"fault": "status", "status": 429, "retryAfter": 60},
    {"fault": "status", "status": 500},
    {"fault": "timeout"},
    {"fault": "reset"},
]
FINAL: list[dict[str, Any]] = [
    {"fault": "status", "status": 403},
    {"fault": "notJson"},
    {"fault": "userErrors"},
]
# The request is processed and the response lost: these are retried and processed twice.
RESPONSE_LOST: list[dict[str, Any]] = [
    {"fault": "timeout", "applied": True},
    {"fault": "reset", "applied": True},
    {"fault": "truncated"},
]
FAULTS = [*PASSING, *FINAL, *RESPONSE_LOST]

# A step: how many people enter, how many more without email, the faults of the next requests, its duration.
STEPS = st.lists(
    st.tuples(
        st.integers(0, 3),
        st.integers(0, 1),
        st.lists(st.sampled_from(FAULTS), max_size=4),
        st.sampled_from([0, 7, 600, 3 * 3600]),
    ),
    min_size=1,
    max_size=3,
)
SIZES = st.integers(2, 5)


def run(steps: list[Any], emulator: Emulator) -> int:
    """Runs the steps, then advances until no retry is left; returns how many events were emitted."""
    number = 0
    for with_email, without, faults, seconds in steps:
        for fault in faults:
            emulator.sandbox.faults.add({**fault, "times": 1})
        calls = []
        for position in range(with_email + without):
            number += 1
            email = {"email": f"u{number}@example.com"} if position < with_email else {}
            calls.append({"type": "identify", "userId": f"u{number}", "traits": {**email, "total_spent": 900}})
        emulator.segment.ingest("batch", {"batch": calls})
        emulator.sandbox.clock.advance(timedelta(seconds=seconds))
        emulator.segment.process_due()
        check_balance(funnel(emulator.services))
    for _ in range(16):
        emulator.sandbox.clock.advance(timedelta(minutes=20))
        emulator.segment.process_due()
    return 2 * number


def open_emulator(*, size: int, age_seconds: int) -> Emulator:
    default = load_workspace()
    instance = replace(default.destinations[0], batch_size=size, batch_age=timedelta(seconds=age_seconds))
    return Emulator(replace(default, seed=1, destinations=(instance,)), clock=Clock(frozen_at=NOON))


def arrived(emulator: Emulator) -> Counter[str]:
    """How many records with each email arrived at StackAdapt."""
    return Counter(row["record"]["email"] for row in emulator.stackadapt.records(limit=10_000))


def sent(emulator: Emulator) -> Counter[str]:
    """How many events with each email count as sent."""
    events = [row["payload"] for row in emulator.segment.deliveries(outcome=SENT, limit=10_000)]
    return Counter((event if event["type"] == "identify" else event["context"])["traits"]["email"] for event in events)


@settings(max_examples=25, deadline=None)
@given(steps=STEPS, size=SIZES, age_seconds=st.sampled_from([0, 60]))
def test_every_event_has_one_outcome_and_arrives_once_unless_a_response_was_lost(
    steps: list[Any], size: int, age_seconds: int
) -> None:
    with open_emulator(size=size, age_seconds=age_seconds) as emulator:
        emitted = run(steps, emulator)
        deliveries = emulator.segment.deliveries(limit=10_000)
        assert len({row["messageId"] for row in deliveries}) == len(deliveries) == emitted
        check_balance(funnel(emulator.services))
        outcomes = Counter(row["outcome"] for row in deliveries)
        assert set(outcomes) <= {SENT, REJECTED, FAILED}
        assert outcomes[REJECTED] == 2 * sum(without for _, without, _, _ in steps)
        assert len(emulator.segment.dead_letters(limit=10_000)) == outcomes[REJECTED] + outcomes[FAILED]
        carried = Counter(message for batch in emulator.segment.batches(limit=10_000) for message in batch["events"])
        assert set(carried.values()) <= {1}
        assert sum(carried.values()) == outcomes[SENT] + outcomes[FAILED]

        # At least once: a sender without a response sends again. Nothing else may duplicate an event.
        lost_responses = sum(fault in RESPONSE_LOST for _, _, faults, _ in steps for fault in faults)
        assert not sent(emulator) - arrived(emulator)
        assert (arrived(emulator) - sent(emulator)).total() <= lost_responses * size


@settings(max_examples=10, deadline=None)
@given(steps=STEPS, size=SIZES)
def test_a_replay_without_faults_leaves_only_rejected_payloads(steps: list[Any], size: int) -> None:
    with open_emulator(size=size, age_seconds=0) as emulator:
        emitted = run(steps, emulator)
        emulator.sandbox.faults.clear()
        emulator.segment.replay()
        check_balance(funnel(emulator.services))
        outcomes = emulator.segment.counts()["outcomes"]
        assert set(outcomes) <= {SENT, REJECTED}
        assert sum(outcomes.values()) == emitted
        assert not sent(emulator) - arrived(emulator)


@settings(max_examples=5, deadline=None)
@given(steps=STEPS, size=SIZES)
def test_the_same_seed_has_the_same_result(steps: list[Any], size: int) -> None:
    ends = []
    for _ in range(2):
        with open_emulator(size=size, age_seconds=0) as emulator:
            run(steps, emulator)
            ends.append((emulator.segment.batches(limit=10_000), emulator.segment.deliveries(limit=10_000)))
    assert ends[0] == ends[1]
