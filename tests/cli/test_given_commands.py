"""Commands that a user gives: their code and output. They keep no caller waiting, and end with it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from select import select
from typing import Any

import pytest

from emulator.cli import given_commands
from emulator.cli.given_commands import Ended, ended, exit_code_of
from emulator.ending_signals import ended_by_signals, signals_held
from emulator.errors import UserMistake

ENVIRONMENT = {"PATH": os.environ["PATH"]}


def shell(code: str, seconds: float = 60) -> Ended:
    return ended(["sh", "-c", code], ENVIRONMENT, seconds=seconds)


def python(code: str, seconds: float = 60) -> Ended:
    return ended([sys.executable, "-c", code], ENVIRONMENT, seconds=seconds)


def ends(number: int) -> bool:
    """Whether a process ends; a killed one may need its turn for that."""
    try:
        descriptor = os.pidfd_open(number)
    except ProcessLookupError:
        return True
    try:
        return bool(select([descriptor], [], [], 60)[0])
    finally:
        os.close(descriptor)


def test_both_outputs_and_the_code() -> None:
    assert shell("printf out; printf err >&2; exit 3") == Ended(code=3, output=b"out", errors=b"err")
    assert shell("kill -TERM $$").code == 128 + signal.SIGTERM
    assert shell("cat").code == 0
    assert shell("exec >&- 2>&-; exit 4") == Ended(code=4, output=b"", errors=b"")


def test_output_beyond_a_limit_is_dropped_and_the_command_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(given_commands, "MOST_BYTES", 1000)
    done = shell("head -c 3000000 /dev/zero; head -c 3000000 /dev/zero >&2; exit 5")
    assert (done.code, len(done.output), len(done.errors)) == (5, 1000, 1000)


@pytest.mark.parametrize(
    "code",
    [
        "exec sleep 600",
        "exec yes",
        "trap '' TERM INT HUP; sleep 600; sleep 600",
        "exec >&- 2>&-; sleep 600",
        "kill -STOP $$",
    ],
)
def test_a_command_that_does_not_end_is_stopped(code: str) -> None:
    done = shell(f"echo begun; {code}", seconds=0.3)
    assert done.code is None
    assert done.output.startswith(b"begun") or not done.output


def test_a_command_that_leaves_its_process_group_is_stopped() -> None:
    leave = "import os, signal; os.setpgid(0, os.getpgid(os.getppid())); print(os.getpid(), flush=True); signal.pause()"
    done = python(leave, seconds=1)
    assert done.code is None
    # A busy machine may not have let it come that far.
    assert not done.output or ends(int(done.output))


@pytest.mark.parametrize("printing", ["sleep 600", "yes"])
def test_what_a_command_leaves_behind_ends_with_it(printing: str) -> None:
    done = shell(f"{printing} & printf $! >&2; exit 6")
    assert done.code == 6
    assert ends(int(done.errors))


def test_a_process_in_a_session_of_its_own_keeps_nothing_waiting() -> None:
    code = "import subprocess, sys; print(subprocess.Popen(['sleep', '600'], start_new_session=True).pid); sys.exit(7)"
    done = python(code)
    assert done.code == 7
    os.kill(int(done.output), signal.SIGKILL)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_while_the_command_starts_ends_it(number: signal.Signals, monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[subprocess.Popen[Any]] = []

    class Interrupted(subprocess.Popen[Any]):
        def __init__(self, *given: Any, **named: Any) -> None:
            super().__init__(*given, **named)
            begun.append(self)
            signal.raise_signal(number)

    before = signal.getsignal(number)
    monkeypatch.setattr(given_commands.subprocess, "Popen", Interrupted)
    with pytest.raises((KeyboardInterrupt, SystemExit)), ended_by_signals():
        exit_code_of(["sleep", "600"], ENVIRONMENT, seconds=None, output=None, errors=None)
    # Whether it has been waited for.
    assert begun[0].returncode == -signal.SIGKILL
    assert signal.getsignal(number) == before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_another_signal_while_the_command_is_ended_leaves_none_behind(
    number: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[subprocess.Popen[bytes]] = []
    end = given_commands._end

    def interrupted(child: subprocess.Popen[bytes], name: str) -> None:
        begun.append(child)
        signal.raise_signal(number)
        end(child, name)

    monkeypatch.setattr(given_commands, "_end", interrupted)
    with pytest.raises((KeyboardInterrupt, SystemExit)), ended_by_signals():
        exit_code_of(["sleep", "600"], ENVIRONMENT, seconds=0, output=None, errors=None)
    assert begun[0].returncode == -signal.SIGKILL


def test_a_signal_that_is_held_arrives_when_the_block_fails_too() -> None:
    with pytest.raises(SystemExit) as ended_by, ended_by_signals(), signals_held():
        signal.raise_signal(signal.SIGTERM)
        raise UserMistake("cannot run", where="command")
    assert ended_by.value.code == 128 + signal.SIGTERM


def test_a_command_ignores_the_signals_that_its_caller_ignores() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with ended_by_signals():
            assert shell("kill -HUP $$; exit 8").code == 8
    finally:
        signal.signal(signal.SIGHUP, before)
