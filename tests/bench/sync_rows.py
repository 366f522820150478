"""Rows of the whole sync: calls at `/v1/batch` until the profiles are visible, many audiences, a jump of the clock."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event, Thread
from time import perf_counter
from typing import Any

import httpx
import yaml

from emulator.artefacts import fixture
from tests.bench import documents, servers
from tests.bench.client import drive, each
from tests.bench.console_rows import first_paints
from tests.bench.rows import Measured, Results
from tests.bench.scale import Scale
from tests.bench.servers import Server

_ORDER = "Order Completed"
_AUDIENCES = 50
_HEALTH_PAUSE_SECONDS = 0.02


def batch(scale: Scale) -> Results:
    """People a second from the first call until the last profile is visible, and the memory that one takes."""
    warm_up = documents.identify_calls(scale.warm_up_people, seed=4)
    calls = documents.identify_calls(scale.people)
    rates: dict[str, list[float]] = {}
    grown: dict[str, float] = {}
    with ExitStack() as opened:
        folder = opened.enter_context(TemporaryDirectory())
        started = {
            "memory": opened.enter_context(servers.emulator()),
            "data": opened.enter_context(servers.emulator("--data", folder)),
            "stub": opened.enter_context(servers.yoga()),
        }
        for name, server in started.items():
            _until_visible(server, warm_up, scale.warm_up_people)
            before = server.mebibytes()
            seconds = _until_visible(server, calls, scale.warm_up_people + scale.people)
            rates[name] = [scale.people / seconds]
            grown[name] = server.mebibytes() - before
    return {
        "batch-memory": Measured(figures=rates["memory"], peers=rates["stub"]),
        "batch-data": Measured(figures=rates["data"], peers=rates["stub"]),
        "memory": Measured(figures=[grown["memory"] * 1024 / scale.people]),
    }


def audiences(scale: Scale) -> Results:
    """The same with 50 audiences that everyone enters, beside one."""
    calls = documents.identify_calls(scale.audience_people)
    rates = []
    for count in (_AUDIENCES, 1):
        with _serving(_with_audiences(count)) as server:
            rates.append([scale.audience_people / _until_visible(server, calls, scale.audience_people)])
    return {"audiences": Measured(figures=rates[0], peers=rates[1])}


def clock(scale: Scale) -> Results:
    """A jump past the window of an audience, which everyone leaves, with health asked for meanwhile; the console."""
    with _serving(_with_a_window()) as server:
        calls = [call for number in range(scale.clock_people) for call in _identify_and_order(number)]
        _until_visible(server, documents.batches(calls), scale.clock_people)
        with httpx.Client(base_url=f"http://127.0.0.1:{server.port}", timeout=600, trust_env=False) as client:
            assert _members(client) == scale.clock_people
            stop, longest = Event(), [0.0]
            watching = Thread(target=_watch_health, args=(server, stop, longest))
            watching.start()
            started = perf_counter()
            client.post("/_emulator/clock/advance", json={"days": 31}).raise_for_status()
            elapsed = perf_counter() - started
            stop.set()
            watching.join()
            assert _members(client) == 0
        # Each member has entered and left by now, and all of them have profiles.
        paints = first_paints(server)
    return {"clock": Measured(figures=[elapsed]), "clock-health": Measured(figures=[longest[0] * 1000]), **paints}


def _until_visible(server: Server, calls: Sequence[bytes], expected: int) -> float:
    """Seconds from the first call until so many profiles are visible."""
    started = perf_counter()
    drive(server.port, each(calls)).checked()
    with httpx.Client(base_url=f"http://127.0.0.1:{server.port}", timeout=60, trust_env=False) as client:
        while (visible := _size(client)) < expected:
            if perf_counter() - started > 600:
                raise RuntimeError(f"{visible} of {expected} profiles visible after 10 minutes")
    return perf_counter() - started


def _size(client: httpx.Client) -> int:
    answer = client.post("/graphql", json={"query": documents.SIZE}, headers={"authorization": documents.TOKEN})
    size: int = answer.raise_for_status().json()["data"]["cdpProfiles"]["size"]
    return size


def _members(client: httpx.Client) -> int:
    [audience] = client.get("/_emulator/audiences").raise_for_status().json()["audiences"]
    size: int = audience["size"]
    return size


def _watch_health(server: Server, stop: Event, longest: list[float]) -> None:
    with httpx.Client(base_url=f"http://127.0.0.1:{server.port}", timeout=600, trust_env=False) as client:
        while not stop.wait(_HEALTH_PAUSE_SECONDS):
            started = perf_counter()
            client.get("/_emulator/health").raise_for_status()
            longest[0] = max(longest[0], perf_counter() - started)


def _identify_and_order(number: int) -> Iterator[str]:
    user = f"u{number}"
    yield json.dumps({"type": "identify", "userId": user, "traits": {"email": f"{user}@example.com"}})
    yield json.dumps({"type": "track", "userId": user, "event": _ORDER, "properties": {"total": 5}})


def _with_audiences(count: int) -> dict[str, Any]:
    """The default workspace with so many audiences that every generated member of the default one enters."""
    workspace = _default()
    condition = {"trait": "total_spent", "operator": "at_least"}
    workspace["audiences"] = [
        {"key": f"a{number}", "id": f"aud_{number}", "name": f"A {number}", "condition": {**condition, "value": number}}
        for number in range(count)
    ]
    [destination] = workspace["destinations"]
    [connection] = destination["audiences"]
    # One event for each audience and person.
    destination["audiences"] = [{**connection, "key": f"a{number}", "sendTrack": False} for number in range(count)]
    return workspace


def _with_a_window() -> dict[str, Any]:
    workspace = _default()
    [audience] = workspace["audiences"]
    audience["condition"] = {"event": _ORDER, "within": "30d"}
    return workspace


def _default() -> dict[str, Any]:
    workspace: dict[str, Any] = yaml.safe_load(fixture("workspace.yaml").read_text(encoding="utf-8"))
    return workspace


@contextmanager
def _serving(workspace: dict[str, Any]) -> Iterator[Server]:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "workspace.json"
        path.write_text(json.dumps(workspace), encoding="utf-8")
        with servers.emulator("--workspace", str(path)) as server:
            yield server
