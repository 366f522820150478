"""Fixtures that every room's tests share."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
READY_SECONDS = 30


@dataclass
class Served:
    """A `serve` process that is ready: what it printed, and how to stop it."""

    process: subprocess.Popen[str]
    connection: dict[str, Any]

    @property
    def url(self) -> str:
        return str(self.connection["url"])

    def stop(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(timeout=READY_SECONDS)


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "emulator", *arguments]


def environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("STACKADAPT_EMULATOR_")}
    return {**kept, "PYTHONWARNINGS": "error", "NO_COLOR": "1"}


@pytest.fixture
def run() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs the command line to its end."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command(*arguments), capture_output=True, text=True, timeout=120, env=environment(), cwd=ROOT, check=False
        )

    return run


@pytest.fixture
def serve() -> Iterator[Callable[..., Served]]:
    """Starts `serve` on a free port and waits for the line that says it is ready."""
    started: list[subprocess.Popen[str]] = []

    def serve(*arguments: str) -> Served:
        process = subprocess.Popen(
            command("serve", "--port", "0", "--json", *arguments),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment(),
            cwd=ROOT,
        )
        started.append(process)
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, process.stderr.read() if process.stderr else ""
        return Served(process, json.loads(line))

    yield serve
    for process in started:
        process.kill()
        process.communicate()
