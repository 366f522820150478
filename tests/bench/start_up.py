"""Start-up times: help, a server until its first response, an emulator in process, one round trip."""

from __future__ import annotations

import json
import subprocess
import sys
from statistics import median
from time import perf_counter

import httpx
from flask import Flask
from sqlalchemy import create_engine
from sqlalchemy.pool import StaticPool

from emulator import Emulator
from emulator.pytest_plugin.targets import InProcess
from emulator.segment.tables import TABLES as SEGMENT
from emulator.stackadapt.tables import STACKADAPT

PROCESSES = 5
ROUNDS = 200
TESTS = 100
QUERY = {"query": "{ user { email } }"}
TOKEN = {"authorization": "Bearer sa-local-write"}


def lines() -> list[str]:
    """The figures as lines, median milliseconds, with a bare Flask application for comparison."""
    return [
        f"start, --help: {median(_command('--help') for _ in range(PROCESSES)):.0f} ms",
        f"start, serve until its first response: {median(_until_responding() for _ in range(PROCESSES)):.0f} ms",
        f"start, python -c 'import flask': {median(_bare_import() for _ in range(PROCESSES)):.0f} ms",
        f"emulator in process: {median(_own() for _ in range(PROCESSES * 4)):.1f} ms",
        f"isolation, an emulator for each test: {median(_isolated() for _ in range(TESTS)):.1f} ms",
        f"isolation, a bare Flask app with the same tables: {median(_bare_isolated() for _ in range(TESTS)):.1f} ms",
        f"sandbox on a running server: {_sandbox():.1f} ms",
        f"round trip over loopback, GraphQL: {_round_trip():.2f} ms",
        f"round trip over loopback, a bare Flask view: {_bare_round_trip():.2f} ms",
    ]


def _command(*arguments: str) -> float:
    started = perf_counter()
    subprocess.run([sys.executable, "-m", "emulator", *arguments], check=True, capture_output=True)
    return (perf_counter() - started) * 1000


def _bare_import() -> float:
    started = perf_counter()
    subprocess.run([sys.executable, "-c", "import flask"], check=True)
    return (perf_counter() - started) * 1000


def _until_responding() -> float:
    started = perf_counter()
    command = [sys.executable, "-m", "emulator", "serve", "--port", "0", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        url = json.loads(process.stdout.readline())["url"]
        httpx.get(f"{url}/_emulator/health", trust_env=False).raise_for_status()
        elapsed = (perf_counter() - started) * 1000
        process.terminate()
    return elapsed


def _own() -> float:
    started = perf_counter()
    with Emulator():
        return (perf_counter() - started) * 1000


def _isolated() -> float:
    """The overhead of the plugin's fixture around a test."""
    started = perf_counter()
    with InProcess().isolated(None, {}):
        pass
    return (perf_counter() - started) * 1000


def _bare_isolated() -> float:
    """An application and an in-memory database with its tables for each test."""
    started = perf_counter()
    app = Flask("bare")
    app.add_url_rule("/graphql", view_func=lambda: {"data": {}}, methods=["POST"])
    engine = create_engine("sqlite://", poolclass=StaticPool)
    for tables in (STACKADAPT, SEGMENT):
        tables.create_all(engine)
    app.test_client()
    engine.dispose()
    return (perf_counter() - started) * 1000


def _sandbox() -> float:
    with Emulator() as emulator, httpx.Client(base_url=emulator.start(), trust_env=False) as client:
        times = []
        for _ in range(PROCESSES * 4):
            started = perf_counter()
            client.post("/_emulator/sandboxes", json={}).raise_for_status()
            times.append((perf_counter() - started) * 1000)
    return median(times)


def _round_trip() -> float:
    with Emulator() as emulator, httpx.Client(base_url=emulator.start(), headers=TOKEN, trust_env=False) as client:
        return _rounds(client)


def _bare_round_trip() -> float:
    from emulator.server.listener import Listener

    app = Flask("bare")
    app.add_url_rule("/graphql", view_func=lambda: {"data": {}}, methods=["POST"])
    listener = Listener(app)
    listener.start()
    with httpx.Client(base_url=listener.url, trust_env=False) as client:
        elapsed = _rounds(client)
    listener.stop()
    return elapsed


def _rounds(client: httpx.Client) -> float:
    times = []
    for _ in range(ROUNDS):
        started = perf_counter()
        client.post("/graphql", json=QUERY).raise_for_status()
        times.append((perf_counter() - started) * 1000)
    return median(times)
