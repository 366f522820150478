"""One-profile mutations on PostgreSQL: beside SQLite files, one worker each, and two workers beside one.

Everything is on disk before it is answered.
"""

from __future__ import annotations

from collections.abc import Sequence
from tempfile import TemporaryDirectory

from tests import postgresql as server_of_tests
from tests.bench import documents, servers
from tests.bench.client import drive
from tests.bench.progress import steps
from tests.bench.rows import Measured, Results
from tests.bench.scale import Scale

_CONNECTIONS = 8


def postgresql(scale: Scale) -> Results:
    """Requests a second, in turn."""
    missing = server_of_tests.missing()
    if missing:
        return {"postgresql": Measured(skipped=missing)}
    sent = documents.one_profile(scale.one_profile_documents)
    rates: dict[str, list[float]] = {"postgresql": [], "sqlite": []}
    with (
        TemporaryDirectory() as folder,
        server_of_tests.server(fsync=True) as database,
        servers.emulator("--database", database.url) as on_postgresql,
        servers.emulator("--data", folder) as on_sqlite,
    ):
        for turn in steps("PostgreSQL, round", range(scale.rounds + 1)):
            for name, server in (("postgresql", on_postgresql), ("sqlite", on_sqlite)):
                first = turn * 997

                def request(number: int, first: int = first) -> bytes:
                    return sent[(first + number) % len(sent)]

                answers = drive(server.port, request, connections=_CONNECTIONS, seconds=scale.seconds)
                rates[name].append(answers.checked().rate)
    # The first turn warms up.
    return {"postgresql": Measured(figures=rates["postgresql"][1:], peers=rates["sqlite"][1:])}


def workers(scale: Scale) -> Results:
    """Requests a second and CPU milliseconds of a request, of two workers in one sandbox beside one, in turn."""
    names = ("workers", "workers-cpu")
    missing = server_of_tests.missing()
    if missing:
        return {name: Measured(skipped=missing) for name in names}
    sent = documents.one_profile(scale.one_profile_documents)
    rates: tuple[list[float], list[float]] = ([], [])
    costs: tuple[list[float], list[float]] = ([], [])
    with (
        server_of_tests.server(fsync=True) as first,
        server_of_tests.server(fsync=True) as second,
        servers.emulator("--database", first.url) as one,
        servers.emulator("--database", second.url, "--workers", "2") as two,
    ):
        for turn in steps("workers, round", range(scale.rounds + 1)):
            for kept, (rate, cost) in enumerate(_measured(each, sent, turn * 997, scale) for each in (one, two)):
                rates[kept].append(rate)
                costs[kept].append(cost)
    # The first turn warms up.
    return {
        name: Measured(figures=of_two[1:], peers=of_one[1:])
        for name, (of_one, of_two) in zip(names, (rates, costs), strict=True)
    }


def _measured(server: servers.Server, sent: Sequence[bytes], first: int, scale: Scale) -> tuple[float, float]:
    before = server.cpu_seconds()

    def request(number: int) -> bytes:
        return sent[(first + number) % len(sent)]

    answers = drive(server.port, request, connections=_CONNECTIONS, seconds=scale.seconds).checked()
    return answers.rate, (server.cpu_seconds() - before) / len(answers.taken) * 1000
