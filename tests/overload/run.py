"""Starts a server and what holds on to it, and measures the server meanwhile."""

from __future__ import annotations

import json
import resource
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

import httpx
import yaml

from emulator.artefacts import fixture
from tests.overload import clients, endpoints

_HEALTH = "/_emulator/health"
_PAUSE_SECONDS = 0.05
_SETTLE_SECONDS = 5.0
_REPORT_SECONDS = 5.0
_GIVE_UP_SECONDS = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What holds on to the server."""

    endpoints: int = 20
    endpoint_seconds: float = 9.0
    delayed: int = 8
    delay_seconds: int = 20
    half_open: int = 2100
    trickling: int = 100
    calling: int = 10


@dataclass(slots=True)
class Answers:
    """How long health took, in milliseconds."""

    name: str
    taken: list[float] = field(default_factory=list)
    failed: int = 0

    @property
    def longest(self) -> float:
        """The longest, or how long was waited in vain."""
        return _GIVE_UP_SECONDS * 1000 if self.failed or not self.taken else max(self.taken)

    def __str__(self) -> str:
        ordered = sorted(self.taken) or [float("nan")]
        p50, p99 = (ordered[int(len(ordered) * share)] for share in (0.5, 0.99))
        return (
            f"health, {self.name}: {len(self.taken)} answers, p50 {p50:.1f} ms, p99 {p99:.1f} ms, "
            f"longest {ordered[-1]:.1f} ms, {self.failed} without"
        )


@dataclass(slots=True)
class Figures:
    """What was measured. `megabytes` and `files` are the highest values."""

    new: Answers = field(default_factory=lambda: Answers("new connections"))
    kept: Answers = field(default_factory=lambda: Answers("kept connection"))
    megabytes: float = 0.0
    files: int = 0
    lines: int = 0


@dataclass(frozen=True, slots=True)
class Server:
    """A `serve` process that may open few files."""

    process: subprocess.Popen[str]
    url: str
    log: Path

    @property
    def address(self) -> tuple[str, int]:
        host, port = self.url.removeprefix("http://").split(":")
        return host, int(port)

    def observe(self, figures: Figures) -> None:
        """Notes its memory, its open files and the lines of its log."""
        about = Path(f"/proc/{self.process.pid}")
        peak = next(line for line in (about / "status").read_text().splitlines() if line.startswith("VmHWM"))
        figures.megabytes = int(peak.split()[1]) / 1024
        figures.files = max(figures.files, sum(1 for _ in (about / "fd").iterdir()))
        figures.lines = self.log.read_bytes().count(b"\n")


def measure(load: Load, *, files: int, seconds: float, report: Callable[[str], None]) -> Figures:
    """Asks for health for so long, on a new connection and on a kept one in turn."""
    figures = Figures()
    with loaded(load, files=files) as server, ExitStack() as opened:
        kept = opened.enter_context(new_connection(server))
        report(f"{_SETTLE_SECONDS:.0f} s until everything is on its way")
        time.sleep(_SETTLE_SECONDS)
        end = time.monotonic() + seconds
        next_report = time.monotonic() + _REPORT_SECONDS
        while time.monotonic() < end:
            with new_connection(server) as new:
                ask(new, figures.new)
            ask(kept, figures.kept)
            time.sleep(_PAUSE_SECONDS)
            if time.monotonic() >= next_report:
                next_report += _REPORT_SECONDS
                server.observe(figures)
                report(f"{max(end - time.monotonic(), 0):3.0f} s left; {figures.new}; {figures.kept}")
        server.observe(figures)
    return figures


def ask(connection: HTTPConnection, answers: Answers) -> None:
    """Notes how long the answer takes, with connecting; a connection that was closed meanwhile is opened again."""
    started = time.perf_counter()
    while time.perf_counter() - started < _GIVE_UP_SECONDS:
        with suppress(OSError, HTTPException):
            connection.request("GET", _HEALTH)
            if connection.getresponse().read():
                answers.taken.append((time.perf_counter() - started) * 1000)
                return
        connection.close()
    answers.failed += 1


@contextmanager
def loaded(load: Load, *, files: int) -> Iterator[Server]:
    """A server that may open so many files, with everything that holds on to it."""
    with ExitStack() as opened:
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory()))
        listening = opened.enter_context(socket.create_server(("127.0.0.1", 0), backlog=load.endpoints))
        processes = [endpoints.start(listening, load.endpoint_seconds)]
        opened.callback(lambda: [process.terminate() for process in processes])
        workspace = folder / "workspace.json"
        workspace.write_text(json.dumps(_workspace(load, listening.getsockname()[1])))
        server = opened.enter_context(_serving(load, workspace, folder / "log", files))
        for client, number in (
            (clients.delayed, load.delayed),
            (clients.identify, load.calling),
            (clients.half_open, load.half_open),
            (clients.trickle, load.trickling),
        ):
            processes.append(clients.start(client, server.address, number))
        yield server


def _workspace(load: Load, port: int) -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(fixture("workspace.yaml").read_text(encoding="utf-8"))
    [destination] = document["destinations"]
    document["destinations"] = [
        {**destination, "name": f"slow-{number}", "endpoint": f"http://127.0.0.1:{port}/{number}"}
        for number in range(load.endpoints)
    ]
    return document


@contextmanager
def _serving(load: Load, workspace: Path, log: Path, files: int) -> Iterator[Server]:
    command = [sys.executable, "-m", "emulator", "serve", "--port", "0", "--json", "--workspace", str(workspace)]

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))

    with log.open("w") as written:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=written, text=True, preexec_fn=limit)
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        assert line, log.read_text()
        server = Server(process, json.loads(line)["url"], log)
        fault = {"fault": "latency", "milliseconds": load.delay_seconds * 1000, "operation": "user"}
        httpx.post(f"{server.url}/_emulator/faults", json=fault, trust_env=False).raise_for_status()
        yield server
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@contextmanager
def new_connection(server: Server) -> Iterator[HTTPConnection]:
    """A client that opens its connection with its first request."""
    connection = HTTPConnection(*server.address, timeout=_GIVE_UP_SECONDS)
    try:
        yield connection
    finally:
        connection.close()
