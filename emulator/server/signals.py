"""Waiting for the signals that stop a server, without being interrupted by them."""

from __future__ import annotations

import os
import signal
from types import FrameType, TracebackType
from typing import Any, Self

_STOPPING = (signal.SIGINT, signal.SIGTERM)


class StopSignals:
    """Holds SIGINT and SIGTERM while it is open: the first ends `wait`, further ones change nothing.

    A handler that raises can do so between any two steps of an orderly end, so these write to a pipe. One that is
    ignored stays so, as in a shell's background job. To be opened on the main thread.
    """

    def __enter__(self) -> Self:
        self._read, self._write = os.pipe()
        os.set_blocking(self._write, False)
        self._before: dict[signal.Signals, Any] = {
            number: signal.signal(number, self._note)
            for number in _STOPPING
            if signal.getsignal(number) is not signal.SIG_IGN
        }
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        os.close(self._write)
        os.close(self._read)

    def wait(self) -> None:
        """Returns when a signal has come, or `wake` was called."""
        os.read(self._read, 1)

    def wake(self) -> None:
        """Ends `wait`, from any thread."""
        try:
            os.write(self._write, b"x")
        except BlockingIOError:
            # The pipe is full: whoever waits has enough to read.
            return

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        self.wake()
