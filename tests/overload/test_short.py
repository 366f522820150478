"""The short form of `make overload`: who is answered before whom, how many files are open, how long the log is."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.overload.run import Figures, Load, ask, loaded, new_connection

FILES = 96
# Nothing that holds on to the server ends within the test.
LOAD = Load(endpoints=5, endpoint_seconds=600, delayed=4, delay_seconds=30, half_open=200, trickling=20, calling=4)


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="the open files of a process are listed in /proc")
def test_health_is_answered_before_everything_that_holds_on_to_the_server() -> None:
    figures = Figures()
    began = time.monotonic()
    with loaded(LOAD, files=FILES) as server, new_connection(server) as kept:
        for _ in range(20):
            with new_connection(server) as new:
                ask(new, figures.new)
            ask(kept, figures.kept)
            server.observe(figures)
        # The delayed requests are answered after 30 s at the earliest.
        assert time.monotonic() - began < LOAD.delay_seconds
        assert server.process.poll() is None
    assert (len(figures.new.taken), len(figures.kept.taken)) == (20, 20)
    assert figures.files < FILES
    assert figures.lines < 100


def test_a_measurement_without_answers_is_missed() -> None:
    assert Figures().new.longest > 1000
