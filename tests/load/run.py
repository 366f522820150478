"""Load in which a process is killed, and what of it is missing afterwards."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from socket import socket
from tempfile import TemporaryDirectory
from typing import Any

from emulator.clock import polls
from emulator.load.people_sequence import PeopleSequence
from emulator.load.person_request import SEGMENT
from emulator.load.worker_ledger import ACKNOWLEDGED, Tally
from emulator.workspace import load_workspace
from tests import postgresql
from tests.durability.targets import OnFiles, OnPostgreSQL, Target
from tests.load.locust_environment import load

SEED = 17
_WAIT_SECONDS = 600.0
# The number of the strike of `OnPostgreSQL` that ends one of its hosts.
_ONE_HOST = 3
_MESSAGES = "SELECT message_id FROM segment_messages"


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """A run: so many workers, `options` such as `--for 3m`; the kill comes after so many acknowledged requests."""

    workers: int
    options: Sequence[str]
    acknowledged_before: int = 1000


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What `load` printed, the acknowledged messages that Segment does not have, and what is wrong."""

    shown: dict[str, Any]
    lost_messages: list[str]
    wrong: list[str] = field(default_factory=list)


def nothing(_target: Target, _loading: int) -> None:
    """No kill."""


def kill_sender(_target: Target, loading: int) -> None:
    """Kills the first worker of Locust."""
    os.kill(next(_workers(loading)), signal.SIGKILL)


def kill_server(target: Target, _loading: int) -> None:
    """Kills the emulator, or one of its hosts, and starts it again at the same address."""
    target.strike(_ONE_HOST, Random(SEED))
    target.recover()


def on_files(given: Given, strike: Callable[[Target, int], None]) -> Outcome:
    """A run on an emulator with its data in a file."""
    with _folder() as folder:
        return _outcome(OnFiles(folder, "--port", str(_free_port())), folder, given, strike)


def on_postgresql(given: Given, strike: Callable[[Target, int], None]) -> Outcome:
    """A run on several hosts of the emulator with their data in one PostgreSQL database."""
    with _folder() as folder, postgresql.server() as server:
        return _outcome(OnPostgreSQL(folder, server), folder, given, strike)


def _outcome(target: Target, folder: Path, given: Given, strike: Callable[[Target, int], None]) -> Outcome:
    output = folder / "output"
    target.start()
    try:
        shared = ("--url", target.url, "--seed", str(SEED), "--workers", str(given.workers))
        with load(*shared, "--output", str(output), "--json", *given.options) as loading:
            try:
                _wait_for(Tally(output / "ledgers"), given.acknowledged_before, loading)
                strike(target, loading.pid)
                printed, _ = loading.communicate(timeout=_WAIT_SECONDS)
            finally:
                loading.terminate()
        assert printed, [path.read_text() for path in output.glob("*.log")]
        have = {message for (message,) in target.query(_MESSAGES)}
    finally:
        target.kill()
    outcome = Outcome(
        shown=json.loads(printed), lost_messages=sorted(_acknowledged_messages(output / "ledgers") - have)
    )
    outcome.wrong = [*_wrong(outcome, expect_ended=strike is kill_sender)]
    return outcome


def _wrong(outcome: Outcome, *, expect_ended: bool) -> Iterator[str]:
    ended = "worker 1 of"
    problems = outcome.shown["problems"]
    yield from (each for each in problems if not (expect_ended and _is_expected(each, ended)))
    if expect_ended and not any(each.startswith(ended) for each in problems):
        yield "the worker that was killed is not named"
    if outcome.lost_messages:
        yield f"{len(outcome.lost_messages)} acknowledged messages are missing, such as {outcome.lost_messages[0]}"


def _is_expected(problem: str, ended: str) -> bool:
    """Whether a problem is that of a killed worker: it has ended, and its last requests were never answered."""
    return problem.startswith(ended) or problem.endswith("never answered")


def _acknowledged_messages(ledgers: Path) -> set[str]:
    """The ids of the calls in acknowledged requests, from what is sent for these people."""
    acknowledged = {
        (int(fields[0]), fields[1])
        for path in ledgers.iterdir()
        for line in path.read_text().splitlines()
        if (fields := line.split("\t"))[4] == ACKNOWLEDGED
    }
    last = max((person for person, _ in acknowledged), default=-1)
    people = PeopleSequence(seed=SEED, workspace=load_workspace(), advertiser="1001", count=last + 1)
    requests = (each for sent in people.of_worker(SEGMENT, worker=0, workers=1) for each in sent)
    bodies = (json.loads(each.body) for each in requests if (each.person, each.name) in acknowledged)
    return {call["messageId"] for body in bodies for call in body.get("batch", [body])}


def _wait_for(tally: Tally, acknowledged: int, loading: subprocess.Popen[str]) -> None:
    for _ in polls(_WAIT_SECONDS, every=0.1):
        tally.update()
        if tally.ends[ACKNOWLEDGED] >= acknowledged:
            return
        if loading.poll() is not None:
            break
    raise AssertionError(f"only {tally.ends[ACKNOWLEDGED]} requests were acknowledged")


def _workers(loading: int) -> Iterator[int]:
    """The processes of the workers of a run, by the list of its children that Linux has."""
    for child in Path(f"/proc/{loading}/task/{loading}/children").read_text().split():
        if b"--worker" in Path(f"/proc/{child}/cmdline").read_bytes().split(b"\0"):
            yield int(child)


@contextmanager
def _folder() -> Iterator[Path]:
    with TemporaryDirectory(prefix="load-") as name:
        yield Path(name)


def _free_port() -> int:
    with socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port
