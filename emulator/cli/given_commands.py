"""Runs a command that a user gives, with everything that it starts."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from selectors import EVENT_READ, DefaultSelector
from typing import Final

from emulator.clock import stopwatch
from emulator.ending_signals import SIGNALLED, signals_held
from emulator.errors import UserMistake

# Of what a command prints; the rest is read and dropped.
MOST_BYTES: Final = 4 * 1024 * 1024
# How often to look whether a command has ended whose output another process keeps open.
_LOOK_SECONDS = 0.05
# As much as a pipe can hold.
_READ_BYTES = 1024 * 1024
_SECONDS_TO_END = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a command ended, and the first `MOST_BYTES` of each output. `code` is None for one that was stopped."""

    code: int | None
    output: bytes
    errors: bytes


def exit_code_of(
    command_line: Sequence[str],
    variables: Mapping[str, str],
    *,
    seconds: float | None,
    output: int | None,
    errors: int | None,
) -> int | None:
    """The exit code of a command without standard input, or None when it was stopped after `seconds`.

    It has a process group of its own, so that what it has started ends with it. Raises UserMistake when it cannot run.
    """
    with _running(command_line, variables, output=output, errors=errors) as child:
        return _code_of(child, seconds)


def ended(command_line: Sequence[str], variables: Mapping[str, str], *, seconds: float) -> Ended:
    """The same, with what it printed."""
    with _running(command_line, variables, output=subprocess.PIPE, errors=subprocess.PIPE) as child:
        elapsed_ms = stopwatch()
        output, errors = _printed(child, seconds)
        code = _code_of(child, max(0.0, seconds - elapsed_ms() / 1000))
    return Ended(code=code, output=output, errors=errors)


@contextmanager
def _running(
    command_line: Sequence[str], variables: Mapping[str, str], *, output: int | None, errors: int | None
) -> Iterator[subprocess.Popen[bytes]]:
    child: subprocess.Popen[bytes] | None = None
    try:
        # A signal between the start of a command and the assignment would leave it running.
        with signals_held():
            child = _started(command_line, variables, output=output, errors=errors)
        yield child
    finally:
        if child is not None:
            # A second signal, as of an impatient user, would leave it running as well.
            with signals_held():
                _end(child, command_line[0])


def _started(
    command_line: Sequence[str], variables: Mapping[str, str], *, output: int | None, errors: int | None
) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(  # noqa: S603 - running the given command is its purpose
            command_line, env=variables, stdin=subprocess.DEVNULL, stdout=output, stderr=errors, process_group=0
        )
    except OSError as error:
        reason = "command not found" if isinstance(error, FileNotFoundError) else f"cannot run: {error.strerror}"
        raise UserMistake(reason, where=command_line[0], hint="Write it after --, as in a shell.") from None


def _end(child: subprocess.Popen[bytes], name: str) -> None:
    for stream in filter(None, (child.stdout, child.stderr)):
        stream.close()
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)
    # It may have left its process group.
    with suppress(PermissionError):
        child.kill()
    try:
        child.wait(_SECONDS_TO_END)
    except subprocess.TimeoutExpired:
        raise UserMistake("the command cannot be stopped", where=name, hint="It may run as another user.") from None


def _code_of(child: subprocess.Popen[bytes], seconds: float | None) -> int | None:
    try:
        code = child.wait(seconds)
    except subprocess.TimeoutExpired:
        return None
    return code if code >= 0 else SIGNALLED - code


def _printed(child: subprocess.Popen[bytes], seconds: float) -> tuple[bytes, bytes]:
    """Both outputs until the command has ended or closed them, or the time is over.

    Processes that it leaves behind may keep them open and go on printing.
    """
    assert child.stdout is not None and child.stderr is not None  # noqa: S101, PT018 - they are pipes
    kept = {stream.fileno(): bytearray() for stream in (child.stdout, child.stderr)}
    elapsed_ms = stopwatch()
    with DefaultSelector() as selector:
        for number in kept:
            selector.register(number, EVENT_READ)
        is_over = False
        while selector.get_map() and not is_over:
            # Looked up before the last reading, which then has all that it printed.
            is_over = child.poll() is not None or elapsed_ms() / 1000 >= seconds
            for key, _ in selector.select(0 if is_over else _LOOK_SECONDS):
                chunk = os.read(key.fd, _READ_BYTES)
                if not chunk:
                    selector.unregister(key.fd)
                kept[key.fd] += chunk[: MOST_BYTES - len(kept[key.fd])]
    output, errors = (bytes(each) for each in kept.values())
    return output, errors
