"""The emulator as a process that can be killed, on files or on PostgreSQL."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any, Protocol

from tests import postgresql
from tests.several_processes import RoundRobin

_ROOT = Path(__file__).resolve().parent.parent.parent
_SCHEMA = "stackadapt_emulator_default"
_WORKERS = 2


class Process:
    """A `serve` process with its workers; `start` starts it again after `kill`."""

    def __init__(self, log: Path, *options: str) -> None:
        self._log = log
        self._options = options
        self._process: subprocess.Popen[str] | None = None
        self.url = ""

    @property
    def running(self) -> bool:
        return self._process is not None

    def start(self) -> None:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("STACKADAPT_EMULATOR_")}
        command = [sys.executable, "-m", "emulator", "serve", "--port", "0", "--json", *self._options]
        with self._log.open("a") as log:
            self._process = subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=log, text=True, env=kept, cwd=_ROOT, start_new_session=True
            )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, self._log.read_text()[-2000:]
        self.url = json.loads(line)["url"]

    def kill(self) -> None:
        """Ends all of its processes at once, as losing the machine would."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            if self._process.stdout:
                self._process.stdout.close()
            self._process = None

    def kill_worker(self, random: Random) -> None:
        """Ends one worker; the others and their parent end by themselves."""
        assert self._process is not None
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()
        os.kill(int(random.choice(children)), signal.SIGKILL)
        self._process.wait(timeout=60)
        self.kill_rest()

    def kill_rest(self) -> None:
        """Forgets a process that has ended."""
        if self._process is not None and self._process.stdout:
            self._process.stdout.close()
        self._process = None


class Target(Protocol):
    """What is killed: `strike` leaves it running again and says what it has done.

    `shared`: journal and faults are in its store.
    """

    shared: bool

    @property
    def url(self) -> str: ...

    def start(self) -> None: ...

    def strike(self, number: int, random: Random) -> str: ...

    def recover(self) -> None: ...

    def kill(self) -> None: ...

    def query(self, statement: str) -> Sequence[tuple[Any, ...]]: ...


class OnFiles:
    """SQLite files in a folder; `options` are further ones of `serve`."""

    shared = False

    def __init__(self, folder: Path, *options: str) -> None:
        self._file = folder / "data" / "default.sqlite"
        self._process = Process(folder / "log", "--data", str(folder / "data"), *options)

    @property
    def url(self) -> str:
        return self._process.url

    def start(self) -> None:
        self._process.start()

    def strike(self, _number: int, _random: Random) -> str:
        self._process.kill()
        return "emulator"

    def recover(self) -> None:
        self._process.start()

    def kill(self) -> None:
        self._process.kill()

    def query(self, statement: str) -> Sequence[tuple[Any, ...]]:
        with closing(sqlite3.connect(self._file)) as connection:
            return connection.execute(statement).fetchall()


class OnPostgreSQL:
    """Two hosts on a PostgreSQL server, one of them with workers, behind a proxy.

    In turn, a strike ends all of them, the server, one worker (whose host ends with it), or the other host.
    """

    shared = True

    def __init__(self, folder: Path, server: postgresql.Server, *options: str) -> None:
        self._server = server
        self._struck = ""
        database = ("--database", server.url, *options)
        self._many = Process(folder / "log", *database, "--workers", str(_WORKERS))
        self._single = Process(folder / "single-log", *database)
        self._proxy = RoundRobin([])

    @property
    def url(self) -> str:
        return self._proxy.url

    def start(self) -> None:
        for process in (self._many, self._single):
            if not process.running:
                process.start()
        self._proxy.replace([self._many.url, self._single.url])

    def strike(self, number: int, random: Random) -> str:
        self._struck = ("emulator", "database", "worker", "host")[number % 4]
        if self._struck == "emulator":
            self._many.kill()
            self._single.kill()
        elif self._struck == "database":
            self._server.stop("immediate")
        elif self._struck == "worker":
            self._many.kill_worker(random)
        else:
            self._single.kill()
        return self._struck

    def recover(self) -> None:
        if self._struck == "database":
            self._server.start()
        self.start()

    def kill(self) -> None:
        self._many.kill()
        self._single.kill()
        self._proxy.close()

    def query(self, statement: str) -> Sequence[tuple[Any, ...]]:
        import psycopg

        with psycopg.connect(self._server.url.replace("+psycopg", "")) as connection:
            connection.execute(f"SET search_path TO {_SCHEMA}")
            return connection.execute(statement).fetchall()


@contextmanager
def opened(store: str) -> Iterator[Target]:
    """A target that runs, on `sqlite` or `postgresql`."""
    with TemporaryDirectory(prefix="durability-") as name:
        folder = Path(name)
        if store == "sqlite":
            yield from _running(OnFiles(folder))
            return
        with postgresql.server() as server:
            yield from _running(OnPostgreSQL(folder, server))


def _running(target: Target) -> Iterator[Target]:
    target.start()
    try:
        yield target
    finally:
        target.kill()
