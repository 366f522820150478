"""Scenarios from text, and emulators to play them in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from emulator import Emulator
from emulator.harness.client import Endpoint, SegmentClient, in_process
from emulator.harness.funnel import check_balance
from emulator.harness.scenarios import Result, Scenario, Target, play, read_scenarios, separate_emulators
from emulator.workspace import Workspace


@contextmanager
def new_emulator(workspace: Workspace) -> Iterator[Endpoint]:
    with Emulator(workspace) as emulator, in_process(emulator.app) as endpoint:
        yield endpoint
        # Whatever a scenario does, nothing gets lost on the way.
        check_balance(SegmentClient(endpoint).funnel())


@pytest.fixture
def target() -> Target:
    return separate_emulators(new_emulator)


@pytest.fixture
def written(tmp_path: Path) -> Callable[[str], Path]:
    """Writes a scenario to a file."""

    def write(text: str) -> Path:
        path = tmp_path / "scenario.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.fixture
def scenario(written: Callable[[str], Path]) -> Callable[[str], Scenario]:
    """Reads the first scenario in a string."""
    return lambda text: read_scenarios([written(text)])[0]


@pytest.fixture
def played(scenario: Callable[[str], Scenario], target: Target) -> Callable[[str], Result]:
    """Plays a scenario."""
    return lambda text: play(scenario(text), target)
