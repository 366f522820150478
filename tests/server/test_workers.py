"""Several processes: the signals that stop them together."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

SECONDS = 60
CODE = """
import os, signal
from emulator.server.signals import StopSignals
from emulator.server.workers import STOPPED_BY, run_workers

def work():
    with StopSignals(STOPPED_BY) as signals:
        os.write(1, b"ready\\n")
        signals.wait()

# As the shell of a script starts a command with &.
signal.signal(signal.SIGINT, signal.SIG_IGN)
run_workers(2, work)
"""


@pytest.mark.parametrize(
    ("number", "everyone"), [(signal.SIGINT, False), (signal.SIGINT, True), (signal.SIGTERM, False)]
)
def test_a_signal_to_the_parent_or_from_a_terminal_stops_all(number: signal.Signals, everyone: bool) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", CODE], stdout=subprocess.PIPE, stderr=subprocess.PIPE, process_group=0
    ) as process:
        assert process.stdout is not None
        assert [process.stdout.readline() for _ in range(2)] == [b"ready\n"] * 2
        (os.killpg if everyone else os.kill)(process.pid, number)
        _, errors = process.communicate(timeout=SECONDS)
    assert (process.returncode, errors) == (0, b"")
