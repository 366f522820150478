"""The short form of `make soak`: what is sent and how it is judged. Times depend on the machine, so none is checked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.bench.client import Answers
from tests.soak.run import Load, Soaked, missed, mixed, soak


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the memory of a process is shown in /proc")
def test_mixed_load_fails_nowhere_and_ends_with_the_memory_that_it_had() -> None:
    lines: list[str] = []
    soaked = soak(Load(connections=8, part_seconds=0.5, warm_up_parts=2, parts=2), lines.append)
    assert not soaked.answers.errors
    assert [line.endswith("warming up") for line in lines] == [True, True, False, False]
    assert len(soaked.mebibytes) == 2
    assert soaked.records > 0
    assert missed(soaked, growth=1.5, spread=float("inf")) == []


def test_every_kind_of_request_is_sent() -> None:
    requests = mixed()
    paths = Counter(requests(0).split(b" ", 2)[1] for _ in range(20))
    assert paths == {b"/graphql": 13, b"/v1/identify": 7}
    bodies = Counter(b"upsertProfiles" in requests(0) for _ in range(20))
    assert bodies == {True: 9, False: 11}


@pytest.mark.parametrize(
    ("warm", "last", "errors", "slowest", "said"),
    [
        (100.0, 104.0, {}, 2.9, []),
        (100.0, 106.0, {}, 1.0, ["the memory grew to 1.06 times that after the warm-up"]),
        (100.0, 100.0, {"status 503": 2}, 1.0, ["requests failed: 2 with status 503"]),
        (100.0, 100.0, {}, 3.1, ["p99 is 3.1 times p50"]),
    ],
)
def test_a_run_is_judged_by_memory_failures_and_the_slowest_answers(
    warm: float, last: float, errors: Mapping[str, int], slowest: float, said: list[str]
) -> None:
    answers = Answers(taken=[1.0] * 98 + [slowest] * 2, seconds=1.0, errors=Counter(errors))
    soaked = Soaked(warm_mebibytes=warm, mebibytes=[90.0, 200.0, last, 200.0, last, last], answers=answers)
    assert missed(soaked, growth=1.05, spread=3.0) == said
