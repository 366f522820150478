"""Runs a command that a user gives, with everything that it starts."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from types import FrameType
from typing import IO, Any

from emulator.errors import UserMistake

_ENDING = (signal.SIGTERM, signal.SIGHUP)


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
    child = None
    try:
        # A signal while it starts would leave it behind.
        with _signals_later():
            child = subprocess.Popen(  # noqa: S603 - running the given command is its purpose
                command_line, env=variables, stdin=subprocess.DEVNULL, stdout=output, stderr=errors, process_group=0
            )
        return child.wait(seconds)
    except OSError as error:
        reason = "command not found" if isinstance(error, FileNotFoundError) else f"cannot run: {error.strerror}"
        raise UserMistake(reason, where=command_line[0], hint="Write it after --, as in a shell.") from None
    except subprocess.TimeoutExpired:
        return None
    finally:
        if child is not None:
            with suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            child.wait()


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """Within the block a signal that ends this process is an exception, so that the command is stopped as well."""

    def end(number: int, _frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    with _handled(_ENDING, end):
        yield


@contextmanager
def _signals_later() -> Iterator[None]:
    """Signals that arrive within the block have their effect at its end."""
    arrived: list[int] = []
    with _handled((signal.SIGINT, *_ENDING), lambda number, _frame: arrived.append(number)):
        yield
    for number in arrived:
        signal.raise_signal(number)


@contextmanager
def _handled(numbers: Iterable[signal.Signals], handler: Callable[[int, FrameType | None], object]) -> Iterator[None]:
    """Handles signals that are not ignored within the block; the command is to ignore what this process does."""
    before = {number: signal.getsignal(number) for number in numbers}
    before = {number: own for number, own in before.items() if own is not signal.SIG_IGN}
    try:
        for number in before:
            signal.signal(number, handler)
        yield
    finally:
        for number, own in before.items():
            signal.signal(number, own)
