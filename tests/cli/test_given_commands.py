"""Commands that a user gives end with the process that runs them, whenever a signal arrives."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import Any

import pytest

from emulator.cli import given_commands
from emulator.cli.given_commands import ended_by_signals, exit_code_of

LONG = (sys.executable, "-c", "import time; time.sleep(600)")


def run(command: tuple[str, ...], *, seconds: float | None = None) -> int | None:
    return exit_code_of(command, os.environ, seconds=seconds, output=None, errors=None)


@pytest.mark.parametrize(
    ("number", "ends_by"),
    [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, SystemExit), (signal.SIGHUP, SystemExit)],
)
def test_a_signal_while_the_command_starts_ends_it(
    number: signal.Signals, ends_by: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[subprocess.Popen[Any]] = []

    class Interrupted(subprocess.Popen[Any]):
        def __init__(self, *given: Any, **named: Any) -> None:
            super().__init__(*given, **named)
            begun.append(self)
            signal.raise_signal(number)

    before = signal.getsignal(number)
    monkeypatch.setattr(given_commands.subprocess, "Popen", Interrupted)
    with pytest.raises((KeyboardInterrupt, SystemExit)), ended_by_signals():
        run(LONG)
    # Whether it has been waited for.
    assert begun[0].returncode == -signal.SIGKILL
    assert signal.getsignal(number) == before


def test_a_command_has_its_own_exit_code_or_none_when_it_is_stopped() -> None:
    assert run((sys.executable, "-c", "raise SystemExit(7)")) == 7
    assert run(LONG, seconds=0) is None
