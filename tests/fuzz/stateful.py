"""Lanes of operations, each in a sandbox of its own, at the same time against one server.

A lane plays sections: it creates its sandbox, runs `STEPS` operations, checks the invariants, and deletes the sandbox.
A step takes its random numbers from the seed, lane, section and number of the step alone, so that a section can be
played again, whole or with steps left out. Only what threads do to each other, in the shared sandboxes, is left to
chance.
"""

from __future__ import annotations

import contextlib
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from random import Random
from threading import Event, Lock
from typing import Any

from tests.fuzz import invariants
from tests.fuzz.connection import Connection, Violation, secrets_of
from tests.fuzz.operations import OPERATIONS, prepare

STEPS = 120
CHECK_EVERY = 40
# Some sections have records that wait, and mistakes that are reported.
_INGESTION: tuple[Any, ...] = (None, None, {"latency": "1h"}, {"latency": "1h", "reportRejections": "user_errors"})

Progress = Callable[["Figures"], None]


@dataclass(frozen=True)
class Section:
    """What is played: written as `SEED/LANE/NUMBER`, with `:STEP,STEP` when it is not all of it."""

    seed: int
    lane: int
    number: int
    steps: tuple[int, ...] = tuple(range(STEPS))

    @classmethod
    def read(cls, text: str) -> Section:
        numbers, _, steps = text.partition(":")
        seed, lane, number = map(int, numbers.split("/"))
        return cls(seed, lane, number, tuple(map(int, steps.split(","))) if steps else cls.steps)

    def __str__(self) -> str:
        whole = f"{self.seed}/{self.lane}/{self.number}"
        return whole if self.steps == Section.steps else f"{whole}:{','.join(map(str, self.steps))}"


@dataclass(frozen=True)
class Failure:
    """A violation, the section that leads to it, and its last requests."""

    section: Section
    violation: str
    requests: Sequence[str]


@dataclass
class Figures:
    """What has been done so far."""

    requests: int = 0
    checks: int = 0
    sections: int = 0
    slowest: float = 0.0
    statuses: Counter[int] = field(default_factory=Counter)
    operations: Counter[str] = field(default_factory=Counter)
    failures: list[Failure] = field(default_factory=list)


def play(url: str, section: Section, figures: Figures, skip: Collection[str] = ()) -> Failure | None:
    """Plays a section; the failure that it ends with, if any."""
    with Connection(url) as to:
        try:
            _create(to, section)
            for step in section.steps:
                _step(to, section, step, figures, skip)
                if step % CHECK_EVERY == CHECK_EVERY - 1:
                    invariants.check(to)
                    figures.checks += 1
            invariants.check(to)
            figures.checks += 1
            to.send("DELETE", f"/_emulator/sandboxes/{to.sandbox}")
            return None
        except Violation as violation:
            return Failure(section, str(violation), to.log[-15:])
        finally:
            figures.requests += sum(to.statuses.values())
            figures.statuses.update(to.statuses)
            figures.slowest = max(figures.slowest, to.slowest)


def _create(to: Connection, section: Section) -> None:
    name = f"lane-{section.lane}"
    to.send("DELETE", f"/_emulator/sandboxes/{name}")
    workspace = to.send("GET", "/_emulator/workspace").json()["workspace"]
    ingestion = Random(f"{section.seed}/{section.lane}/{section.number}").choice(_INGESTION)
    body = {"name": name, **({"workspace": {**workspace, "ingestion": ingestion}} if ingestion else {})}
    response = to.send("POST", "/_emulator/sandboxes", json=body)
    if response.status_code != 201:
        raise to.violation("the sandbox of a lane was refused", response)
    for attribute, value in secrets_of(response.json()).items():
        setattr(to, attribute, value)
    prepare(to)


def _step(to: Connection, section: Section, step: int, figures: Figures, skip: Collection[str]) -> None:
    random = Random(f"{section.seed}/{section.lane}/{section.number}/{step}")
    (operation,) = random.choices(OPERATIONS, [each.weight for each in OPERATIONS])
    if operation.name in skip:
        return
    to.log.append(f"-- step {step}: {operation.name}")
    figures.operations[operation.name] += 1
    operation.run(to, random)


def run(
    url: str, *, seed: int, requests: int, lanes: int, skip: Collection[str] = (), progress: Progress | None = None
) -> Figures:
    """Plays sections in every lane until there were enough requests, or a failure in one lane."""
    figures, lock, ended = Figures(), Lock(), Event()

    def lane(number: int) -> None:
        for section in _sections(seed, number):
            own = Figures()
            failure = play(url, section, own, skip)
            with lock:
                _add(figures, own)
                if failure:
                    figures.failures.append(failure)
                if figures.failures or figures.requests >= requests:
                    ended.set()
                if progress:
                    progress(figures)
            if ended.is_set():
                return

    with ThreadPoolExecutor(lanes) as pool:
        for done in [pool.submit(lane, number) for number in range(lanes)]:
            done.result()
    return figures


def _sections(seed: int, lane: int) -> Iterator[Section]:
    number = 0
    while True:
        yield Section(seed, lane, number)
        number += 1


def _add(figures: Figures, more: Figures) -> None:
    figures.requests += more.requests
    figures.checks += more.checks
    figures.sections += 1
    figures.slowest = max(figures.slowest, more.slowest)
    figures.statuses.update(more.statuses)
    figures.operations.update(more.operations)


def shortened(failure: Failure, replay: Callable[[Section], Failure | None], *, seconds: float) -> Failure:
    """The same violation with as many steps left out as can be found in this time."""
    deadline, size = time.monotonic() + seconds, max(1, len(failure.section.steps) // 2)
    while size:
        steps = failure.section.steps
        for start in reversed(range(0, len(steps), size)):
            if time.monotonic() > deadline:
                return failure
            steps = failure.section.steps
            fewer = replace(failure.section, steps=steps[:start] + steps[start + size :])
            with contextlib.suppress(OSError):
                again = replay(fewer)
                if again and kind_of(again) == kind_of(failure):
                    failure = again
        size //= 2
    return failure


def kind_of(failure: Failure) -> str:
    """The first words of a violation, which name it; the numbers that follow may differ."""
    return failure.violation.partition("\n")[0][:40]
