"""Fixtures that the tests of all packages share."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from emulator.cli import main
from emulator.engines import MEMORY
from emulator.store import Store
from tests import postgresql
from tests.schemas import Schemas
from tests.several_processes import several_processes

# Here a test that lints a broken file is none of the job in which the tests run.
for variable in ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY"):
    os.environ.pop(variable, None)

ROOT = Path(__file__).resolve().parent.parent
READY_SECONDS = 30


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--store",
        choices=["sqlite", "postgresql"],
        default="sqlite",
        help="The store of sandboxes that would otherwise be in memory.",
    )
    parser.addoption(
        "--through-processes",
        type=int,
        default=1,
        help="How many processes on one PostgreSQL database an emulator with a port has, behind a proxy.",
    )
    parser.addoption("--long", action="store_true", help="Draw more cases in the tests with random ones.")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Another store runs what may depend on it."""
    left_out = ["one_store"] if config.getoption("--store") != "sqlite" else []
    left_out += ["one_process"] if config.getoption("--through-processes") > 1 else []
    if left_out:
        without = [item for item in items if any(map(item.get_closest_marker, left_out))]
        items[:] = [item for item in items if item not in without]
        config.hook.pytest_deselected(items=without)


@pytest.fixture
def long(request: pytest.FixtureRequest) -> bool:
    """Whether a test with random cases draws many, for `make check-long`."""
    return bool(request.config.getoption("--long"))


@pytest.fixture(scope="session")
def database() -> Iterator[str]:
    """The URL of a PostgreSQL database; skips where there is no server."""
    why = postgresql.missing()
    if why is not None:
        pytest.skip(why)
    with postgresql.running() as url:
        yield url


@pytest.fixture(scope="session")
def schemas(database: str) -> Iterator[Schemas]:
    """Schemas of that database."""
    with closing(Schemas(database)) as schemas:
        yield schemas


@pytest.fixture(autouse=True)
def chosen_store(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """With --store postgresql, a separate schema for each store that would be in memory."""
    if (processes := request.config.getoption("--through-processes")) > 1:
        with several_processes(request.getfixturevalue("database"), processes, monkeypatch):
            yield
        return
    if request.config.getoption("--store") == "sqlite":
        yield
        return
    schemas: Schemas = request.getfixturevalue("schemas")
    with schemas.stores() as opened:

        def open_store(given: str = MEMORY, **options: Any) -> Store:
            return opened() if given == MEMORY else Store(given, **options)

        for module in ("emulator.sandbox", "emulator.server.stores"):
            monkeypatch.setattr(f"{module}.Store", open_store)
        yield


@dataclass
class Served:
    """A `serve` process that is ready: what it printed, and how to stop it."""

    process: subprocess.Popen[str]
    connection: dict[str, Any]

    @property
    def url(self) -> str:
        return str(self.connection["url"])

    def stop(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(timeout=READY_SECONDS)


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "emulator", *arguments]


def environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("STACKADAPT_EMULATOR_")}
    return {**kept, "PYTHONWARNINGS": "error", "NO_COLOR": "1"}


@pytest.fixture
def run() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs the command line to its end."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command(*arguments), capture_output=True, text=True, timeout=120, env=environment(), cwd=ROOT, check=False
        )

    return run


@pytest.fixture
def call(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Like `run`, in this process, since starting another one takes half a second."""
    for name in os.environ.keys() - environment().keys():
        monkeypatch.delenv(name)
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.chdir(ROOT)

    def call(*arguments: str) -> subprocess.CompletedProcess[str]:
        capsys.readouterr()
        monkeypatch.setattr(sys, "argv", ["stackadapt-emulator", *arguments])
        code = 0
        try:
            main()
        except SystemExit as end:
            code = int(end.code or 0)
        return subprocess.CompletedProcess(arguments, code, *capsys.readouterr())

    return call


@pytest.fixture
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Served]]:
    """Starts `serve` on a free port and waits until it is ready."""
    started: list[subprocess.Popen[str]] = []

    def serve(*arguments: str) -> Served:
        log = tmp_path_factory.mktemp("serve") / "log"
        # A file: a full pipe without a reader would block the server at its next log line.
        with log.open("w") as written:
            process = subprocess.Popen(
                command("serve", "--port", "0", "--json", *arguments),
                stdout=subprocess.PIPE,
                stderr=written,
                text=True,
                env=environment(),
                cwd=ROOT,
            )
        started.append(process)
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, log.read_text()
        process.stderr = log.open()
        return Served(process, json.loads(line))

    yield serve
    for process in started:
        process.kill()
        process.wait()
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stream.close()
