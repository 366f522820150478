"""The script of the documentation that generates shards on a Dask cluster, with real processes on loopback."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from emulator.artefacts import fixture

from .python_packages import DASK, command

SCRIPT = "shards_with_dask.py"
SHARDS = 8
SECONDS = 60
OPTIONS = ("--count", "16000", "--seed", "7", "--churn", "0.2", "--duplicates", "0.05")


@contextmanager
def running(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A process of the cluster, killed at the end; its log is its output."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    with subprocess.Popen(
        arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env={**os.environ, "PATH": path}
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def lines_until(process: subprocess.Popen[str], wanted: str) -> str:
    """Reads the log up to the line with these words, and returns it."""
    assert process.stdout is not None
    read = []
    for line in process.stdout:
        read.append(line)
        if wanted in line:
            return line
    raise AssertionError("".join(read))


@pytest.fixture
def cluster() -> Iterator[tuple[str, list[subprocess.Popen[str]]]]:
    """The address of a scheduler, and two workers without anything that restarts them."""
    dask = command(DASK, "dask")
    with ExitStack() as stack:
        here = ("--host", "127.0.0.1", "--no-dashboard")
        scheduler = stack.enter_context(running(dask, "scheduler", *here, "--port", "0"))
        address = lines_until(scheduler, "Scheduler at:").split()[-1]
        alone = ("--host", "127.0.0.1", "--no-dashboard", "--no-nanny", "--nthreads", "1")
        workers = [stack.enter_context(running(dask, "worker", address, *alone)) for _ in range(2)]
        for worker in workers:
            lines_until(worker, "Registered to:")
        yield address, workers


@pytest.mark.python_client(DASK)
def test_the_shards_are_those_of_one_run_although_a_worker_is_killed(
    python_client: None,
    cluster: tuple[str, list[subprocess.Popen[str]]],
    run: Callable[..., subprocess.CompletedProcess[str]],
    tmp_path: Path,
) -> None:
    address, workers = cluster
    shards = tmp_path / "shards"
    arguments = (command(DASK), str(fixture(SCRIPT)), address, str(shards), str(SHARDS), *OPTIONS)
    with running(*arguments) as script:
        lines_until(script, f"1 of {SHARDS}")
        workers[0].kill()
        lines_until(script, f"{SHARDS} of {SHARDS}")
        assert script.wait(SECONDS) == 0
    joined, whole = tmp_path / "joined.jsonl.gz", tmp_path / "whole.jsonl.gz"
    run("generate", "join", *map(str, sorted(shards.glob("[0-9]*.gz"))), "-o", str(joined)).check_returncode()
    run("generate", "identifies", *OPTIONS, "-o", str(whole)).check_returncode()
    assert joined.read_bytes() == whole.read_bytes()
