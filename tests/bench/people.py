"""People and events a second, compared with a plain Faker loop in the same run, and the memory for a million events.

`BENCH_EVENTS` sets another number.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from time import perf_counter

from faker import Faker

from emulator.generator.event_stream import EventStream, IdentifyCalls, members, membership_events
from emulator.generator.job import Job
from emulator.generator.people import Population, identify, people
from emulator.workspace import load_workspace
from tests.bench.million import peak_mebibytes

EVENTS = int(os.environ.get("BENCH_EVENTS", "1000000"))
OURS = 50_000
PLAIN = 2_000
READ_AT_ONCE = 1 << 20


def lines() -> Iterator[str]:
    """The figures as lines, as they come."""
    list(people(1, 1))
    mine = _rate(OURS, lambda count: [identify(person) for person in people(1, count)])
    fake = Faker("en_US")
    plain = _rate(PLAIN, lambda count: [_plain(fake) for _ in range(count)])
    yield f"people identified: {mine:,.0f} a second"
    yield f"people, a plain Faker loop over the same traits: {plain:,.0f} a second"
    yield f"people, ratio: {mine / plain:.1f}"
    calls = EventStream(population=Population(seed=1), source=IdentifyCalls())
    events = EventStream(population=members(Population(seed=1)), source=membership_events(load_workspace()))
    for name, stream in (("identify calls", calls), ("audience events", events)):
        rate = _rate(OURS, partial(_written, stream))
        yield f"{name} as JSON lines: {rate:,.0f} a second"
    for processes in (1, 2):
        elapsed, mebibytes = _generated(processes)
        yield f"{EVENTS:,} identify calls by command, --processes {processes}: {elapsed:.1f} s, {mebibytes} MiB"


def _rate(count: int, make: Callable[[int], object]) -> float:
    started = perf_counter()
    make(count)
    return count / (perf_counter() - started)


def _written(stream: EventStream, count: int) -> int:
    job = Job(stream=stream, count=count)
    return sum(len(job.chunk(number)) for number in job.blocks())


def _generated(processes: int) -> tuple[float, int]:
    command = [sys.executable, "-m", "emulator", "generate", "identifies"]
    options = ["--count", str(EVENTS), "--processes", str(processes)]
    peak = 0
    started = perf_counter()
    with subprocess.Popen([*command, *options], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        while len(process.stdout.read(READ_AT_ONCE)) == READ_AT_ONCE:
            peak = peak_mebibytes(process.pid)
    assert process.returncode == 0
    return perf_counter() - started, peak


def _plain(fake: Faker) -> dict[str, str]:
    return {
        "email": fake.email(),
        "first_name": fake.first_name(),
        "last_name": fake.last_name(),
        "phone": fake.phone_number(),
        "street": fake.street_address(),
        "city": fake.city(),
        "state": fake.state_abbr(),
        "postal_code": fake.postcode(),
        "timezone": fake.timezone(),
        "birthday": fake.date_of_birth().isoformat(),
    }
