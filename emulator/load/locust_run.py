"""Runs Locust on this machine: one master and its workers, each a process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from typing import Any

from emulator.ending_signals import signals_held
from emulator.errors import EmulatorDefect, UserMistake
from emulator.text_files import read_text

LOCUSTFILE = Path(__file__).parent / "locustfile.py"

_LOOPBACK = "127.0.0.1"
_START_SECONDS = 60
_STOP_SECONDS = 60
_GRACE_SECONDS = 15
_LOG_LINES = 5
_PERCENTILES = (50, 95, 99)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A run: how many users and workers, for how long (`seconds`) or for how many people, and what they send where.

    `rate` is in requests a second over all workers. `folder` is for the ledgers and logs, `workspace` the file of the
    emulator's workspace.
    """

    url: str
    token: str
    write_key: str
    advertiser: str
    workspace: Path
    folder: Path
    users: int
    workers: int
    seed: int
    start: int
    rate: float | None
    seconds: float | None
    people: int | None

    @property
    def ledgers(self) -> Path:
        """The folder of what each worker has sent."""
        return self.folder / "ledgers"

    def options(self) -> list[str]:
        """The options of the master, which passes on to the workers what they need."""
        given: dict[str, Any] = {
            "host": self.url,
            "users": self.users,
            "spawn-rate": self.users,
            "expect-workers": self.workers,
            "expect-workers-max-wait": _START_SECONDS,
            "run-time": None if self.seconds is None else f"{max(round(self.seconds), 1)}s",
            "stop-timeout": _STOP_SECONDS,
            "seed": self.seed,
            "start": self.start,
            "people": self.people,
            "rate": self.rate,
            "advertiser": self.advertiser,
            "workspace": self.workspace,
            "ledger": self.ledgers,
            "json-file": self.folder / "statistics",
            "exit-code-on-error": 0,
        }
        return [text for name, value in given.items() if value is not None for text in (f"--{name}", str(value))]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """The statistics of requests of one name; times in milliseconds by percentile, `rate` in requests a second."""

    name: str
    percentiles: Mapping[int, int]
    rate: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LocustRun:
    """What Locust measured, by name and in total, and the numbers of workers that ended before the master, from 1."""

    rows: Sequence[Row]
    total: Row
    ended_early: Sequence[int]


def check_installed() -> None:
    """Raises UserMistake unless Locust is installed. Does not import it."""
    if find_spec("locust") is None:
        raise UserMistake(
            "Locust is not installed", where="load", hint="Install it with: pip install 'stackadapt-emulator[load]'"
        )


def run(plan: Plan) -> LocustRun:
    """Runs Locust until the time is over or every person is sent. Raises EmulatorDefect when Locust fails."""
    plan.ledgers.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        binding = ("--master", "--master-bind-host", _LOOPBACK, "--master-bind-port", "0", "--only-summary")
        master = stack.enter_context(_process(plan, "master", *binding, *plan.options(), stdout=subprocess.PIPE))
        port = (master.stdout or BytesIO()).readline().decode().strip()
        if not port:
            raise _failed(plan)
        joining = ("--worker", "--master-host", _LOOPBACK, "--master-port", port)
        workers = [
            stack.enter_context(_process(plan, f"worker-{number}", *joining, stdout=subprocess.DEVNULL))
            for number in range(1, plan.workers + 1)
        ]
        if master.wait():
            raise _failed(plan)
        ended_early = [number for number, worker in enumerate(workers, start=1) if _wait(worker)]
    return _measured(plan, ended_early)


def _wait(worker: subprocess.Popen[bytes]) -> int:
    try:
        return worker.wait(_GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        # It has not noticed that the master has ended.
        worker.kill()
        return worker.wait()


@contextmanager
def _process(plan: Plan, name: str, *options: str, stdout: int) -> Iterator[subprocess.Popen[bytes]]:
    """A process of Locust with a log of its own, killed at the end; only the given options apply to it."""
    # Configuration files of Locust are looked for in the working directory.
    command = [sys.executable, "-m", "locust", "-f", str(LOCUSTFILE), "--headless"]
    log = ["--logfile", str(plan.folder / f"{name}.log")]
    kept = {key: value for key, value in os.environ.items() if not key.startswith("LOCUST_")}
    secrets = {"WRITE_KEY": plan.write_key, "TOKEN": plan.token}
    environment = {**kept, **{f"STACKADAPT_EMULATOR_LOAD_{key}": value for key, value in secrets.items()}}
    process: subprocess.Popen[bytes] | None = None
    try:
        with (plan.folder / f"{name}.err").open("wb") as errors, signals_held():
            process = subprocess.Popen(  # noqa: S603 - the arguments are ours
                [*command, *log, *options],
                cwd=plan.folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=errors,
            )
        yield process
    finally:
        if process is not None:
            # Leaving it closes its output and waits for its end. A second signal would leave it running.
            with signals_held(), process:
                process.kill()


def _failed(plan: Plan) -> EmulatorDefect:
    """The last lines that Locust wrote, as the error to raise."""
    written = [
        line
        for path in sorted((*plan.folder.glob("*.err"), *plan.folder.glob("*.log")))
        for line in read_text(path).splitlines()[-_LOG_LINES:]
    ]
    return EmulatorDefect("Locust failed", where="load", found=" | ".join(written) or None)


def _measured(plan: Plan, ended_early: Sequence[int]) -> LocustRun:
    entries = json.loads(read_text(plan.folder / "statistics.json"))
    rows = [_row(entry["name"], [entry]) for entry in sorted(entries, key=lambda entry: str(entry["name"]))]
    return LocustRun(rows=rows, total=_row("all", entries), ended_early=ended_early)


def _row(name: str, entries: Sequence[Mapping[str, Any]]) -> Row:
    times: dict[float, int] = {}
    for entry in entries:
        for time, number in entry["response_times"].items():
            times[float(time)] = times.get(float(time), 0) + number
    requests = sum(entry["num_requests"] for entry in entries)
    began = min((entry["start_time"] for entry in entries), default=0.0)
    ended = max((entry["last_request_timestamp"] or began for entry in entries), default=0.0)
    return Row(
        name=name,
        percentiles={percent: round(_percentile(times, percent / 100)) for percent in _PERCENTILES},
        rate=round(requests / (ended - began), 1) if ended > began else float(requests),
    )


def _percentile(times: Mapping[float, int], share: float) -> float:
    """The shortest time within which this share was answered; 0 where nothing was."""
    left = share * sum(times.values())
    for time, number in sorted(times.items()):
        left -= number
        if left <= 0:
            return time
    return 0.0
