"""Signals that end this process, so that what it has started ends with it."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

# As shells count: the exit code of a command that a signal ended is this and the number of the signal.
SIGNALLED: Final = 128
_ENDING = (signal.SIGTERM, signal.SIGHUP)


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """Within the block a signal that ends this process is an exception, so that a command is stopped as well."""

    def end(number: int, _frame: FrameType | None) -> None:
        raise SystemExit(SIGNALLED + number)

    with _handled(_ENDING, end):
        yield


@contextmanager
def signals_held() -> Iterator[None]:
    """Signals that end this process reach it at the end of the block, also when that raises."""
    came: list[int] = []
    try:
        with _handled((signal.SIGINT, *_ENDING), lambda number, _frame: came.append(number)):
            yield
    finally:
        for each in came:
            signal.raise_signal(each)


@contextmanager
def _handled(numbers: Iterable[signal.Signals], handler: Callable[[int, FrameType | None], object]) -> Iterator[None]:
    """Handles signals within the block, but for those that are ignored: the command is to ignore them, too."""
    before = {number: signal.getsignal(number) for number in numbers}
    before = {number: own for number, own in before.items() if own is not signal.SIG_IGN}
    try:
        for number in before:
            signal.signal(number, handler)
        yield
    finally:
        for number, own in before.items():
            signal.signal(number, own)
