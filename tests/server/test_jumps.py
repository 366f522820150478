"""A jump of the clock stops wherever something is due, so that it happens at its time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from emulator import Emulator, load_workspace
from emulator.clock import Clock

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


def test_a_batch_is_tried_again_at_every_moment_on_the_way(emulator: Emulator) -> None:
    emulator.client.post("/_emulator/faults", json={"fault": "status", "status": 503, "times": 3})
    emulator.segment.receive("identify", ADA)
    after = advance(emulator, hours=4).json
    assert datetime.fromisoformat(after["now"]) == NOON + timedelta(hours=4)
    (batch,) = got(emulator, "batches")["batches"]
    assert (batch["outcome"], batch["attempts"]) == ("sent", 4)
    # Three delays of at most 10, 20 and 40 seconds.
    assert NOON < datetime.fromisoformat(batch["lastAt"]) <= NOON + timedelta(seconds=70)
    assert got(emulator, "profiles")["profiles"][0]["visibleAt"] == batch["lastAt"]


def test_a_batch_goes_out_when_it_is_old_enough_not_when_the_jump_ends() -> None:
    workspace = load_workspace()
    (destination,) = workspace.destinations
    patient = replace(workspace, destinations=(replace(destination, batch_age=timedelta(minutes=5)),))
    with Emulator(patient, clock=Clock(frozen_at=NOON)) as emulator:
        emulator.segment.receive("identify", ADA)
        advance(emulator, hours=1)
        (batch,) = got(emulator, "batches")["batches"]
        assert datetime.fromisoformat(batch["firstAt"]) == NOON + timedelta(minutes=5)


def test_a_jump_past_the_end_of_time_moves_nothing(emulator: Emulator) -> None:
    emulator.client.post("/_emulator/faults", json={"fault": "status", "status": 503})
    emulator.segment.receive("identify", ADA)
    refused = advance(emulator, duration="99999999d")
    assert (refused.status_code, refused.json["message"]) == (400, "time ends there.")
    assert datetime.fromisoformat(got(emulator, "clock")["now"]) == NOON
    assert got(emulator, "batches")["batches"][0]["attempts"] == 1
