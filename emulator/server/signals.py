"""Waits for the signals that stop a server, without being interrupted by them."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterable
from threading import Thread
from types import FrameType, TracebackType
from typing import Any, Self

STOPPING = (signal.SIGINT, signal.SIGTERM)
_STANDARD_INPUT = 0
_BYTES = 4096


class StopSignals:
    """Handles some signals while it is open: the first ends `wait`, further ones have no effect, then or later.

    A handler that raises could interrupt an orderly shutdown between any two steps, so these write to a pipe. An
    ignored signal is handled too: a script's shell starts jobs in the background with SIGINT ignored. To be opened on
    the main thread.
    """

    def __init__(self, stopping: Iterable[signal.Signals] = STOPPING) -> None:
        self._stopping = stopping

    def __enter__(self) -> Self:
        self._read, self._write = os.pipe()
        os.set_blocking(self._write, False)
        self._stopped = False
        # Written at once, on any thread: a Python handler waits for the main thread, which may be about to read.
        self._woken_before = signal.set_wakeup_fd(self._write, warn_on_full_buffer=False)
        self._before: dict[signal.Signals, Any] = {
            number: signal.signal(number, self._note) for number in self._stopping
        }
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            # A process that is shutting down must not be interrupted by another signal.
            signal.signal(number, signal.SIG_IGN if self._stopped else handler)
        signal.set_wakeup_fd(self._woken_before)
        os.close(self._write)
        os.close(self._read)

    def wait(self) -> None:
        """Returns when a signal has arrived or `wake` was called."""
        os.read(self._read, 1)

    def wake(self) -> None:
        """Ends `wait`, from any thread."""
        try:
            os.write(self._write, b"x")
        except BlockingIOError:
            # The pipe is full: the waiting thread has enough to read.
            return

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        self._stopped = True


def stop_at_end_of_input() -> None:
    """Sends SIGTERM to this process when its standard input ends, whatever comes until then.

    The system closes a pipe when the process that writes to it ends, also by SIGKILL: nothing else reports that.
    """

    def read() -> None:
        # Not through a file object: the interpreter could not shut down while a thread holds its lock.
        while os.read(_STANDARD_INPUT, _BYTES):
            pass
        signal.raise_signal(signal.SIGTERM)

    Thread(target=read, name="stackadapt-emulator-stdin", daemon=True).start()
