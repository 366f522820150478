"""Drives a server that keeps its data in files, so that its memory is everything but the data, and measures it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from tempfile import TemporaryDirectory

import httpx

from tests.bench import documents, servers
from tests.bench.client import Answers, Requests, drive, post
from tests.bench.servers import Server

_PEOPLE = 500
_MANY = 100
_LAST_PARTS = 4
# What every twenty requests are. All are about the same people, so that nothing gets larger but the history of records.
_ONE, _PAGE, _IDENTIFY = "one profile", "page", "identify"
_MIX = (*[_ONE, _PAGE, _ONE, _IDENTIFY, _IDENTIFY] * 3, _ONE, _PAGE, _IDENTIFY, _ONE, "many profiles")


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """Over how many connections, and for how many seconds at a time: the memory is measured in between."""

    connections: int = 64
    part_seconds: float = 15.0
    warm_up_parts: int = 4
    parts: int = 36


@dataclass(slots=True)
class Soaked:
    """What was measured; nothing of the warm-up but its memory and what failed."""

    warm_mebibytes: float = 0.0
    mebibytes: list[float] = field(default_factory=list)
    answers: Answers = field(default_factory=Answers)
    records: int = 0

    @property
    def growth(self) -> float:
        """The memory at the end beside that after the warm-up: 1 for the same. A peak is no growth."""
        return min(self.mebibytes[-_LAST_PARTS:]) / self.warm_mebibytes

    @property
    def spread(self) -> float:
        """The 99th percentile of the time of an answer beside the median."""
        return self.answers.milliseconds(0.99) / self.answers.milliseconds(0.5)

    def add(self, answers: Answers) -> None:
        """Adds those of one part."""
        self.answers.taken += answers.taken
        self.answers.seconds += answers.seconds


def soak(load: Load, report: Callable[[str], None]) -> Soaked:
    """Measures a server of its own. Raises ValueError where it answered nothing."""
    soaked = Soaked()
    requests = mixed()
    with serving() as server:
        for part in range(load.warm_up_parts + load.parts):
            answers = drive(server.port, requests, connections=load.connections, seconds=load.part_seconds)
            soaked.answers.errors += answers.errors
            memory = server.mebibytes()
            warm = part >= load.warm_up_parts
            if warm:
                soaked.add(answers)
                soaked.mebibytes.append(memory)
            else:
                soaked.warm_mebibytes = memory
            report(_line(answers, memory, soaked.answers.errors, "" if warm else ", warming up"))
        soaked.records = _records(server)
    return soaked


def _line(answers: Answers, memory: float, errors: Counter[str], note: str) -> str:
    return (
        f"{answers.rate:5.0f} requests/s, p50 {answers.milliseconds(0.5):4.0f} ms, "
        f"p99 {answers.milliseconds(0.99):4.0f} ms, {memory:.0f} MiB, {errors.total()} failed{note}"
    )


@contextmanager
def serving() -> Iterator[Server]:
    """A server with its data in a folder of its own."""
    with TemporaryDirectory() as folder, servers.emulator("--data", folder) as server:
        yield server


def mixed() -> Requests:
    """Requests without end: the number of those that were sent over all connections chooses the next one."""
    mutations = documents.one_profile(_PEOPLE)
    pages, many = documents.graphql(documents.PAGE), documents.profile_page(0, _MANY)
    numbers = iter(range(10**12))

    def request(_: int) -> bytes:
        number = next(numbers)
        kind = _MIX[number % len(_MIX)]
        if kind == _ONE:
            return mutations[number % _PEOPLE]
        if kind == _IDENTIFY:
            return _identify(number)
        return pages if kind == _PAGE else many

    return request


def _identify(number: int) -> bytes:
    """A call of one of the people, who enters the default audience and leaves it in turn."""
    user = f"u{number % _PEOPLE}"
    spent = 900 if number // _PEOPLE % 2 else 100
    traits = {"email": f"{user}@example.com", "total_spent": spent}
    call = {"userId": user, "messageId": f"m{number}", "traits": traits}
    return post("/v1/identify", documents.WRITE_KEY, json.dumps(call).encode())


def _records(server: Server) -> int:
    counts = httpx.get(f"http://127.0.0.1:{server.port}/_emulator/counts", timeout=60, trust_env=False)
    by_outcome: dict[str, int] = counts.raise_for_status().json()["stackadapt"]["records"]
    return sum(by_outcome.values())


def missed(soaked: Soaked, *, growth: float, spread: float) -> Sequence[str]:
    """What is not as it should be: more memory than `growth` times that after the warm-up, requests that failed, and a
    99th percentile of more than `spread` times the median.
    """
    found = []
    if soaked.growth > growth:
        found.append(f"the memory grew to {soaked.growth:.2f} times that after the warm-up")
    if soaked.answers.errors:
        failed = ", ".join(f"{count} with {name}" for name, count in soaked.answers.errors.items())
        found.append(f"requests failed: {failed}")
    if soaked.spread > spread:
        found.append(f"p99 is {soaked.spread:.1f} times p50")
    return found
