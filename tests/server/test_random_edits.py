"""A workspace changed at run time behaves as one that the emulator was started with; broken ones change nothing."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from emulator import Emulator
from emulator.clock import Clock
from emulator.workspace import parse_workspace
from tests.fuzz.workspace_edits import ORIGINAL, PATH, call, edited, is_valid, run

START = datetime(2026, 6, 1, tzinfo=UTC)
# The long form is `python -m tests.fuzz.workspace_edits --edits 1000`.
EDITS = 60


def behaviour(emulator: Emulator) -> dict[str, Any]:
    """What users see, without the ids that differ from one start to the next."""
    client = emulator.client
    ids = {"messageId", "traceId", "batchId", "response", "payload", "id", "jobId", "requestId"}

    def shown(path: str, key: str) -> list[Any]:
        answer = client.get(f"/_emulator/{path}", query_string={"limit": 1000})
        assert answer.json is not None
        return [{name: value for name, value in each.items() if name not in ids} for each in answer.json[key]]

    found = client.get(PATH).json
    assert found is not None
    return {
        "deliveries": shown("deliveries", "deliveries"),
        "profiles": shown("profiles", "profiles"),
        "space": shown("space/profiles", "profiles"),
        "counts": client.get("/_emulator/counts").json,
        "journeys": emulator.segment.journeys(),
        "findings": found["findings"],
        "workspace": found["workspace"],
    }


def play(emulator: Emulator, seed: int, first: int) -> None:
    chance = random.Random(seed)
    for number in range(first, first + 12):
        call(emulator, chance, number)
        if chance.random() < 0.2:
            emulator.client.post("/_emulator/clock/advance", json={"hours": chance.randrange(1, 30)})


@pytest.mark.parametrize("seed", range(10))
def test_a_change_at_run_time_is_as_a_start_with_the_changed_file(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    first = parse_workspace(edited(ORIGINAL, chance))
    changes = [parse_workspace(edited(ORIGINAL, chance)) for _ in range(2)]
    with Emulator(first, data=tmp_path / "running", clock=Clock(frozen_at=START)) as running:
        play(running, seed, 0)
        for number, change in enumerate(changes, start=1):
            running.change_workspace(change)
            play(running, seed + number, 100 * number)
        changed = behaviour(running)
    at = START
    for number, workspace in enumerate([first, *changes]):
        data = tmp_path / "restarted"
        with Emulator(workspace, data=data, clock=Clock(frozen_at=at), replace_workspace=True) as restarted:
            play(restarted, seed + number, 100 * number)
            at, last = restarted.sandbox.clock.now(), behaviour(restarted)
    assert changed == last


@pytest.mark.parametrize("seed", range(3))
def test_random_edits_are_valid(seed: int) -> None:
    chance = random.Random(seed)
    document = ORIGINAL
    for _ in range(10):
        document = edited(document, chance)
        assert is_valid(document)


@pytest.mark.parametrize("seed", range(2))
def test_the_server_goes_on_after_valid_and_broken_edits(seed: int) -> None:
    counts = run(EDITS, seed)
    assert counts["accepted"] >= EDITS / 2
    assert counts["refused"] > EDITS / 5
