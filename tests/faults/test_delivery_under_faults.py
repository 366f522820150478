"""Segment's delivery under each fault, in process and over HTTP: no event is lost, none arrives twice without need."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from emulator import Emulator, load_workspace, transport
from emulator.clock import Clock
from emulator.rate_limit import parse_rate_limit

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
PEOPLE = 3
# Each person's entry is one identify and one track.
EVENTS = 2 * PEOPLE


@dataclass
class Pair:
    """Segment in one emulator, StackAdapt in the same or another one."""

    sender: Emulator
    receiver: Emulator
    wait_for_responses: Callable[[float], None]

    def fail(self, **definition: Any) -> None:
        # Segment waits ten seconds for a response: too long for a test in which none comes, too short for a busy
        # machine on which one does.
        if definition["fault"] == "timeout":
            self.wait_for_responses(5 if definition.get("applied") else 1)
        self.receiver.sandbox.faults.add(definition)

    def repair(self) -> None:
        self.wait_for_responses(120)
        self.receiver.sandbox.faults.clear()

    def people_enter(self) -> None:
        calls = [
            {"type": "identify", "userId": f"u{n}", "traits": {"email": f"u{n}@example.com", "total_spent": 900}}
            for n in range(PEOPLE)
        ]
        self.sender.segment.ingest("batch", {"batch": calls})

    def advance(self, **duration: float) -> None:
        for emulator in dict.fromkeys((self.sender, self.receiver)):
            emulator.sandbox.clock.advance(timedelta(**duration))
        self.sender.segment.process_due()

    def outcomes(self) -> dict[str, int]:
        return Counter(row["outcome"] for row in self.sender.segment.deliveries(limit=1000))

    def reasons(self) -> dict[str | None, int]:
        return Counter(row["reason"] for row in self.sender.segment.deliveries(limit=1000))

    def batch(self) -> dict[str, Any]:
        (batch,) = self.sender.segment.batches()
        return batch

    def records(self) -> int:
        """How often a record arrived, a second time counted."""
        return len(self.receiver.stackadapt.records(limit=1000))

    def emails(self) -> list[str]:
        return sorted(profile["email"] for profile in self.receiver.stackadapt.profiles())


ALL = [f"u{n}@example.com" for n in range(PEOPLE)]


@pytest.fixture(params=["in process", "over a socket"])
def open_pair(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Pair]]:
    """Opens a pair; `workspace` are changes of the receiver's."""

    def wait_for_responses(seconds: float) -> None:
        monkeypatch.setattr(transport, "TIMEOUT_SECONDS", seconds)

    wait_for_responses(120)
    with ExitStack() as opened:

        def open_(**workspace: Any) -> Pair:
            default = replace(load_workspace(), seed=1)
            receiving = replace(default, **workspace)
            receiver = opened.enter_context(Emulator(receiving, clock=Clock(frozen_at=NOON)))
            if request.param == "in process":
                return Pair(receiver, receiver, wait_for_responses)
            url = receiver.start()
            # The first request is the slowest: what it prepares must not count against the time limit of a test.
            httpx.post(f"{url}/graphql", json={"query": "{ __typename }"}, trust_env=False, timeout=120)
            destination = replace(default.destinations[0], endpoint=f"{url}/graphql")
            sending = replace(default, destinations=(destination,))
            sender = opened.enter_context(Emulator(sending, clock=Clock(frozen_at=NOON)))
            return Pair(sender, receiver, wait_for_responses)

        yield open_


@pytest.fixture
def pair(open_pair: Callable[..., Pair]) -> Pair:
    return open_pair()


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ({"fault": "status", "status": 429}, "429"),
        ({"fault": "status", "status": 500}, "500"),
        ({"fault": "status", "status": 502}, "502"),
        ({"fault": "status", "status": 503}, "503"),
        ({"fault": "notJson", "status": 503}, "503"),
        ({"fault": "reset"}, "ECONNRESET"),
        ({"fault": "timeout"}, "ETIMEDOUT"),
    ],
    ids=lambda value: value if isinstance(value, str) else value["fault"],
)
def test_a_temporary_failure_is_retried_until_every_event_has_arrived_once(
    pair: Pair, fault: dict[str, Any], reason: str
) -> None:
    pair.fail(**fault, times=2)
    pair.people_enter()
    assert pair.outcomes() == {"retrying": EVENTS}
    assert pair.reasons() == {reason: EVENTS}
    assert pair.records() == 0
    pair.advance(minutes=1)
    assert pair.outcomes() == {"retrying": EVENTS}
    pair.wait_for_responses(120)
    pair.advance(minutes=1)
    assert pair.outcomes() == {"sent": EVENTS}
    assert pair.batch()["attempts"] == 3
    assert (pair.records(), pair.emails()) == (EVENTS, ALL)
    pair.advance(hours=5)
    assert pair.records() == EVENTS


@pytest.mark.parametrize(
    "fault",
    [{"fault": "reset", "applied": True}, {"fault": "timeout", "applied": True}, {"fault": "truncated"}],
    ids=lambda fault: str(fault["fault"]),
)
def test_a_response_lost_after_processing_makes_one_profile_of_two_deliveries(
    pair: Pair, fault: dict[str, Any]
) -> None:
    """Segment documents at-least-once delivery: after a lost response it sends again, and the receiver must handle the
    duplicate. There are two records for each event, but their content is applied once."""
    pair.fail(**fault, times=1)
    pair.people_enter()
    assert pair.outcomes() == {"retrying": EVENTS}
    assert (pair.records(), pair.emails()) == (EVENTS, ALL)
    before = pair.receiver.stackadapt.profiles()
    pair.wait_for_responses(120)
    pair.advance(minutes=1)
    assert pair.outcomes() == {"sent": EVENTS}
    assert (pair.records(), pair.emails()) == (2 * EVENTS, ALL)
    after = pair.receiver.stackadapt.profiles()
    assert [_said(profile) for profile in after] == [_said(profile) for profile in before]


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ({"fault": "status", "status": 429}, "429"),
        ({"fault": "status", "status": 429, "retryAfter": 30}, "429"),
        ({"fault": "status", "status": 500}, "500"),
        ({"fault": "timeout"}, "ETIMEDOUT"),
        ({"fault": "reset"}, "ECONNRESET"),
    ],
    ids=["429", "429 with Retry-After", "500", "timeout", "reset"],
)
def test_a_failure_of_four_hours_makes_a_dead_letter_that_arrives_once_when_replayed(
    pair: Pair, fault: dict[str, Any], reason: str
) -> None:
    pair.fail(**fault)
    pair.people_enter()
    pair.advance(minutes=1)
    pair.advance(hours=3, minutes=58)
    assert pair.outcomes() == {"retrying": EVENTS}
    pair.advance(minutes=1)
    assert pair.outcomes() == {"failed": EVENTS}
    assert Counter(letter["reason"] for letter in pair.sender.segment.dead_letters()) == {reason: EVENTS}
    pair.repair()
    pair.advance(hours=24)
    assert pair.records() == 0
    assert pair.sender.segment.replay() == EVENTS
    assert pair.outcomes() == {"sent": EVENTS}
    assert (pair.records(), pair.emails()) == (EVENTS, ALL)


def test_a_retried_entry_that_arrives_after_the_exit_leaves_the_profile_in_the_audience(pair: Pair) -> None:
    """Segment's actions have no control of order: nothing holds later batches back while one waits for its retry."""
    pair.fail(fault="status", status=503, times=1)
    pair.people_enter()
    pair.sender.segment.ingest("batch", {"batch": _exits()})
    assert pair.outcomes() == {"retrying": EVENTS, "sent": EVENTS}
    pair.advance(minutes=1)
    assert pair.outcomes() == {"sent": 2 * EVENTS}
    memberships = [profile["audiences"] for profile in pair.receiver.stackadapt.profiles()]
    assert [[audience["id"] for audience in audiences] for audiences in memberships] == [["aud_local_vip"]] * PEOPLE
    assert pair.sender.segment.audiences()[0]["size"] == 0


def _said(profile: dict[str, Any]) -> dict[str, Any]:
    return {key: profile[key] for key in ("email", "externalIds", "properties")} | {
        "audiences": [audience["id"] for audience in profile["audiences"]]
    }


@pytest.mark.parametrize("status", [400, 401, 403, 404])
def test_a_permanent_status_fails_every_event_with_that_reason(pair: Pair, status: int) -> None:
    pair.fail(fault="status", status=status, times=1)
    pair.people_enter()
    pair.advance(hours=5)
    assert pair.outcomes() == {"failed": EVENTS}
    assert pair.reasons() == {str(status): EVENTS}
    assert pair.records() == 0


@pytest.mark.parametrize(
    ("fault", "reason"),
    [({"fault": "userErrors", "message": "No."}, "USER_ERRORS"), ({"fault": "notJson"}, "NOT_GRAPHQL")],
    ids=["userErrors", "notJson"],
)
def test_an_error_with_status_200_fails_while_segment_reports_success(
    pair: Pair, fault: dict[str, Any], reason: str
) -> None:
    pair.fail(**fault, times=1)
    pair.people_enter()
    assert pair.outcomes() == {"failed": EVENTS}
    assert pair.reasons() == {reason: EVENTS}
    assert pair.batch()["segmentReports"] == "delivered"
    assert pair.records() == 0


def test_a_late_response_is_a_success(pair: Pair) -> None:
    pair.fail(fault="latency", milliseconds=5_000)
    pair.people_enter()
    assert pair.outcomes() == {"sent": EVENTS}
    assert (pair.records(), pair.emails()) == (EVENTS, ALL)


def test_a_partial_failure_is_delivered_and_is_among_the_rejections(pair: Pair) -> None:
    pair.fail(fault="partial", email="u1@*", times=1)
    pair.people_enter()
    assert pair.outcomes() == {"sent": EVENTS}
    assert pair.emails() == ["u0@example.com", "u2@example.com"]
    rejections = pair.receiver.stackadapt.rejections()
    assert [(rejection["reason"], rejection["record"]["email"]) for rejection in rejections] == [
        ("INJECTED", "u1@example.com")
    ] * 2


def test_a_rate_limit_delays_batches_and_loses_none(open_pair: Callable[..., Pair]) -> None:
    pair = open_pair(rate_limit=parse_rate_limit({"requests": 1, "per": "1m"}))
    for _ in range(3):
        pair.people_enter()
        pair.sender.segment.ingest("batch", {"batch": _exits()})
    assert pair.outcomes()["retrying"] > 0
    for _ in range(60):
        pair.advance(minutes=1)
    assert set(pair.outcomes()) == {"sent"}
    assert pair.records() == pair.outcomes()["sent"]


def _exits() -> list[dict[str, Any]]:
    return [{"type": "identify", "userId": f"u{n}", "traits": {"total_spent": 1}} for n in range(PEOPLE)]
