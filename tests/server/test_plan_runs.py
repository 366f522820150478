"""The process of a run of a plan ends without an error when its parent does."""

from __future__ import annotations

import signal
from datetime import timedelta
from typing import Any

import pytest

from emulator.harness.plan import generated_people
from emulator.server import plan_runs
from emulator.workspace import load_workspace


class Closed:
    """A pipe whose other end is closed once so many messages were sent."""

    def __init__(self, error: Exception, messages: int) -> None:
        self._error = error
        self._left = messages

    def send(self, _message: object) -> None:
        if not self._left:
            raise self._error
        self._left -= 1

    def recv(self) -> object:
        raise self._error


@pytest.mark.parametrize(
    ("error", "messages"), [(BrokenPipeError(), 0), (ConnectionResetError(), 1), (EOFError(), 1)], ids=repr
)
def test_a_parent_that_ends_is_no_error(error: Exception, messages: int) -> None:
    before = signal.getsignal(signal.SIGINT)
    pipe: Any = Closed(error, messages)
    try:
        plan_runs._run(pipe, load_workspace(), generated_people(2, 1), timedelta())
    finally:
        signal.signal(signal.SIGINT, before)
