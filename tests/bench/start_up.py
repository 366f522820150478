"""From the start of the process until the first mutation is answered, beside the stub."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from time import perf_counter

from tests.bench import documents, servers
from tests.bench.client import drive, each
from tests.bench.progress import steps
from tests.bench.rows import Measured, Results
from tests.bench.scale import Scale
from tests.bench.servers import Server


def start(scale: Scale) -> Results:
    """In turn; the first start of each fills the caches of the system and is not counted."""
    sent = documents.one_profile(scale.starts + 1, seed=5)
    mine, peers = [], []
    for mutation in steps("start", sent):
        mine.append(_until_answered(servers.emulator, mutation))
        peers.append(_until_answered(servers.yoga, mutation))
    return {"start": Measured(figures=mine[1:], peers=peers[1:])}


def _until_answered(server: Callable[[], AbstractContextManager[Server]], mutation: bytes) -> float:
    started = perf_counter()
    with server() as running:
        drive(running.port, each([mutation])).checked()
        return (perf_counter() - started) * 1000
