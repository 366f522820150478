"""Advancing the clock processes everything that is due on the way at its time."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from emulator import Emulator, load_workspace
from emulator.artefacts import fixture
from emulator.clock import Clock
from emulator.errors import InputError
from emulator.workspace import parse_workspace
from emulator.workspace_file import read

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ADA = {"userId": "u1", "traits": {"email": "ada@example.com", "total_spent": 900}}


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator(replace(load_workspace(), seed=1), clock=Clock(frozen_at=NOON)) as emulator:
        yield emulator


def got(emulator: Emulator, path: str) -> Any:
    return emulator.client.get(f"/_emulator/{path}").json


def advance(emulator: Emulator, **body: Any) -> Any:
    return emulator.client.post("/_emulator/clock/advance", json=body)


def test_a_batch_is_retried_at_every_due_time(emulator: Emulator) -> None:
    emulator.client.post("/_emulator/faults", json={"fault": "status", "status": 503, "times": 3})
    emulator.segment.ingest("identify", ADA)
    after = advance(emulator, hours=4).json
    assert datetime.fromisoformat(after["now"]) == NOON + timedelta(hours=4)
    (batch,) = got(emulator, "batches")["batches"]
    assert (batch["outcome"], batch["attempts"]) == ("sent", 4)
    # Three delays of at most 10, 20 and 40 seconds.
    assert NOON < datetime.fromisoformat(batch["lastAt"]) <= NOON + timedelta(seconds=70)
    assert got(emulator, "profiles")["profiles"][0]["visibleAt"] == batch["lastAt"]


def test_a_batch_is_sent_when_it_is_old_enough_not_at_the_end() -> None:
    workspace = load_workspace()
    (destination,) = workspace.destinations
    patient = replace(workspace, destinations=(replace(destination, batch_age=timedelta(minutes=5)),))
    with Emulator(patient, clock=Clock(frozen_at=NOON)) as emulator:
        emulator.segment.ingest("identify", ADA)
        advance(emulator, hours=1)
        (batch,) = got(emulator, "batches")["batches"]
        assert datetime.fromisoformat(batch["firstAt"]) == NOON + timedelta(minutes=5)


def test_advancing_past_the_latest_time_changes_nothing(emulator: Emulator) -> None:
    emulator.client.post("/_emulator/faults", json={"fault": "status", "status": 503})
    emulator.segment.ingest("identify", ADA)
    with pytest.raises(InputError, match="cannot advance past 9000-01-01T00:00:00Z"):
        emulator.services.advance(timedelta(days=3_000_000))
    assert datetime.fromisoformat(got(emulator, "clock")["now"]) == NOON
    assert got(emulator, "batches")["batches"][0]["attempts"] == 1


def recent_buyers(*, computation: str = "realtime", **condition: Any) -> Emulator:
    """An emulator with people who have ordered within 30 days, and a latency of 4 hours."""
    document = json.loads(json.dumps(read(fixture("workspace.yaml")))) | {"seed": 1}
    ordered = {"event": "Order", "within": "30d"}
    document["audiences"] = [
        {"key": "recent", "id": "aud_r", "name": "recent", "computation": computation, "condition": ordered | condition}
    ]
    document["destinations"][0]["audiences"] = [{"key": "recent", "sendTrack": False}]
    document["ingestion"]["latency"] = "4h"
    return Emulator(parse_workspace(document), clock=Clock(frozen_at=NOON))


def after_forty_days(steps: Sequence[timedelta], *, faults: int, computation: str = "realtime") -> Any:
    """The sizes of segments, the profiles and the times of batches after these steps."""
    with recent_buyers(computation=computation) as emulator:
        for number in range(3):
            who = {"userId": f"u{number}"}
            emulator.segment.ingest("identify", who | {"traits": {"email": f"{number}@example.com"}})
            at = (NOON - timedelta(hours=7 * number)).isoformat()
            emulator.segment.ingest("track", who | {"event": "Order", "timestamp": at})
        emulator.services.advance(timedelta(hours=4))
        if faults:
            emulator.client.post("/_emulator/faults", json={"fault": "status", "status": 503, "times": faults})
        for step in steps:
            emulator.services.advance(step)
        rule = {"field": "external_audience_name", "operator": "equals", "value": "recent"}
        sizes = []
        for since in ({}, {"since": {"operator": "within_last", "value": "11d"}}):
            body = {"advertiserId": "1001", "name": f"recent {len(since)}", "rule": rule | since}
            made = emulator.client.post("/_emulator/segments", json=body).json or {}
            sizes.append(got(emulator, f"segments/{made['id']}")["size"])
        batches = [
            (batch["outcome"], batch["firstAt"], batch["lastAt"]) for batch in got(emulator, "batches")["batches"]
        ]
        return sizes, got(emulator, "profiles")["profiles"], batches


@pytest.mark.parametrize("faults", [0, 1])
def test_one_large_step_equals_many_small_ones(faults: int) -> None:
    at_once = after_forty_days([timedelta(days=40)], faults=faults)
    assert at_once[0] == [0, 0]
    assert at_once == after_forty_days([timedelta(hours=8)] * 120, faults=faults)


def test_batch_audiences_change_at_their_hours_in_one_large_step() -> None:
    *_, batches = after_forty_days([timedelta(days=40)], faults=0, computation="batch")
    hours = [(datetime.fromisoformat(first) - NOON) / timedelta(hours=1) for _, first, _ in batches]
    assert hours == [8, *sorted({hour for hour in hours if hour > 8})]
    assert all(hour % 8 == 0 for hour in hours)
    small = after_forty_days([timedelta(hours=3)] * 320, faults=0, computation="batch")
    assert small[-1] == batches


def test_a_change_due_to_time_is_sent_on_time() -> None:
    with recent_buyers() as emulator:
        emulator.segment.ingest("identify", ADA)
        emulator.segment.ingest("track", {"userId": "u1", "event": "Order"})
        advance(emulator, days=40)
        *_, left = got(emulator, "batches")["batches"]
        assert datetime.fromisoformat(left["firstAt"]) == NOON + timedelta(days=30)
        [profile] = got(emulator, "profiles")["profiles"]
        assert profile["audiences"] == []


def test_a_step_over_many_changes_stops_a_hundred_times_and_misses_none() -> None:
    people = 250
    with recent_buyers() as emulator:
        calls: list[dict[str, Any]] = []
        for number in range(people):
            who = {"userId": f"u{number}"}
            at = (NOON - timedelta(seconds=number)).isoformat()
            calls.append(who | {"type": "identify", "traits": {"email": f"{number}@example.com"}})
            calls.append(who | {"type": "track", "event": "Order", "timestamp": at})
        emulator.segment.ingest("batch", {"batch": calls})
        entered = len(emulator.segment.batches())
        advance(emulator, days=40)
        assert emulator.segment.audiences()[0]["size"] == 0
        left = emulator.segment.batches(limit=1_000)[entered:]
        assert 0 < len(left) <= 100
        sent_at = [datetime.fromisoformat(batch["firstAt"]) for batch in left]
        assert sent_at[0] - NOON < timedelta(days=30)
        assert sent_at[-1] == NOON + timedelta(days=30)
        assert sorted(set(sent_at)) == sent_at, "each at its own time"
