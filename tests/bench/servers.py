"""The servers that are measured, each a process of its own on a free port."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from emulator.artefacts import contract
from emulator.stackadapt.graphql.schema import API_VERSIONS, LATEST
from tests.conformance.packages import GRAPHQL_YOGA, missing_reason, package_directory

_STUB = Path(__file__).parent / "yoga.cjs"
_STOP_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Server:
    """A running server."""

    process: int
    port: int

    def mebibytes(self) -> float:
        """Its resident memory; Linux only."""
        status = Path(f"/proc/{self.process}/status").read_text(encoding="ascii")
        line = next(each for each in status.splitlines() if each.startswith("VmRSS"))
        return int(line.split()[1]) / 1024

    def cpu_seconds(self) -> float:
        """What it and its workers have computed so far; Linux only."""
        children = Path(f"/proc/{self.process}/task/{self.process}/children").read_text(encoding="ascii").split()
        return sum(_ticks(process) for process in (self.process, *map(int, children))) / os.sysconf("SC_CLK_TCK")


def _ticks(process: int) -> int:
    # After the name, which may have anything in it: user and system time are the 14th and 15th value.
    values = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return int(values[11]) + int(values[12])


def no_yoga() -> str | None:
    """Why the peer cannot run, or None."""
    return missing_reason(GRAPHQL_YOGA)


def environment() -> dict[str, str]:
    """This process's, with modules compiled once, as is the default: a start is not to compile them again."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


@contextmanager
def emulator(*options: str) -> Iterator[Server]:
    """`serve` with these options, in memory unless they say otherwise."""
    with _running([sys.executable, "-m", "emulator", "serve", "--port", "0", "--json", *options]) as server:
        yield server


@contextmanager
def yoga() -> Iterator[Server]:
    schema = contract(API_VERSIONS[LATEST].file)
    with _running(["node", str(_STUB), str(package_directory(GRAPHQL_YOGA)), str(schema)]) as server:
        yield server


@contextmanager
def naive() -> Iterator[Server]:
    with _running([sys.executable, "-m", "tests.bench.naive"]) as server:
        yield server


@contextmanager
def _running(command: Sequence[str]) -> Iterator[Server]:
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, text=True, env=environment(), **streams) as process:
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            if not line:
                raise RuntimeError(f"ended with {process.wait()} before it listened: {' '.join(command)}")
            announced = json.loads(line)
            port = announced["port"] if "port" in announced else int(announced["url"].rpartition(":")[2])
            yield Server(process.pid, port)
        finally:
            process.terminate()
            try:
                process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
