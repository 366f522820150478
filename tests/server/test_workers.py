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

# A signal to every process just after it has begun, before it is known to its parent.
EARLY = CODE.replace(
    "\nrun_workers",
    """
fork = os.fork

def forking():
    worker = fork()
    os.kill(os.getpid(), signal.SIGTERM)
    return worker

os.fork = forking
run_workers""",
)


def test_a_signal_while_processes_are_started_leaves_none_behind() -> None:
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", EARLY], stdout=pipe, stderr=pipe, process_group=0) as process:
        code = process.wait(SECONDS)
        with pytest.raises(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        assert (code, *process.communicate()) == (0, b"", b"")


# The signal that a worker is suspended, to its parent: the system leaves it out when the worker goes on at once.
SUSPENDED = CODE.replace(
    "\nrun_workers",
    """
wait, first = signal.sigwait, [signal.SIGCHLD]
signal.sigwait = lambda awaited: first.pop() if first else wait(awaited)
run_workers""",
)


def test_a_worker_that_is_suspended_is_not_taken_for_one_that_has_ended() -> None:
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", SUSPENDED], stdout=pipe, stderr=pipe, process_group=0) as process:
        assert process.stdout is not None
        assert [process.stdout.readline() for _ in range(2)] == [b"ready\n"] * 2
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=SECONDS)
    assert (process.returncode, errors) == (0, b"")


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
