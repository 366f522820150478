"""Runs a command that a user gives, with everything that it starts."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import IO, Any

from emulator.errors import UserMistake


def exit_code_of(
    command_line: Sequence[str],
    variables: Mapping[str, str],
    *,
    seconds: float | None,
    output: int | IO[Any] | None,
    errors: int | IO[Any] | None,
) -> int | None:
    """The exit code of a command without standard input, or None when it was stopped after `seconds`.

    It has a process group of its own, so that what it has started ends with it. Raises UserMistake when it cannot run.
    """
    try:
        child = subprocess.Popen(  # noqa: S603 - running the given command is its purpose
            command_line, env=variables, stdin=subprocess.DEVNULL, stdout=output, stderr=errors, process_group=0
        )
    except OSError as error:
        reason = "command not found" if isinstance(error, FileNotFoundError) else f"cannot run: {error.strerror}"
        raise UserMistake(reason, where=command_line[0], hint="Write it after --, as in a shell.") from None
    try:
        return child.wait(seconds)
    except subprocess.TimeoutExpired:
        return None
    finally:
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()
