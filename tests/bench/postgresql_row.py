"""One-profile mutations on PostgreSQL beside SQLite files, one worker each; both sync before they answer."""

from __future__ import annotations

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
