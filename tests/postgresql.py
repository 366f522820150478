"""A temporary PostgreSQL server for tests, on a free loopback port, run by an unprivileged user."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

UNPRIVILEGED = "nobody"  # wording: exempt - the name of the system user
_DEBIAN = Path("/usr/lib/postgresql")


def missing() -> str | None:
    """Why no server can be started here, or None."""
    if _binaries() is None:
        return "no PostgreSQL server is installed (Debian: apt-get install postgresql)"
    try:
        import psycopg  # noqa: F401 - whether it is installed
    except ImportError:
        return "the driver is not installed (pip install '.[postgres]')"
    return None


@dataclass(frozen=True, slots=True)
class Server:
    """A server that can be stopped and started again, with the same data."""

    url: str
    _control: Callable[..., None]

    def stop(self, mode: str = "fast") -> None:
        """`immediate` ends it as a crash would."""
        self._control("-m", mode, "stop")

    def start(self) -> None:
        self._control("start")


@contextmanager
def running() -> Iterator[str]:
    """Starts a server and yields the URL of its database."""
    with server() as started:
        yield started.url


@contextmanager
def server(*, fsync: bool = False) -> Iterator[Server]:
    """Starts a server; the end of the block stops it, if it runs."""
    binaries = _binaries()
    assert binaries is not None, missing()
    user = UNPRIVILEGED if os.geteuid() == 0 else None
    with TemporaryDirectory(prefix="postgresql-") as folder:
        if user:
            shutil.chown(folder, user)
        data = Path(folder) / "data"
        initialise = [binaries / "initdb", "-D", data, "-U", "tests", "-A", "trust", "-E", "UTF8", "--no-sync"]
        _run(initialise, user, folder)
        port = _free_port()
        sync = "on" if fsync else "off"
        options = f"-p {port} -k {folder} -h 127.0.0.1 -c fsync={sync} -c max_connections=300"

        def control(*words: str) -> None:
            command = [binaries / "pg_ctl", "-D", data, "-w", "-o", options, "-l", Path(folder) / "log", *words]
            _run(command, user, folder)

        started = Server(f"postgresql+psycopg://tests@127.0.0.1:{port}/postgres", control)
        started.start()
        try:
            yield started
        finally:
            if (data / "postmaster.pid").exists():
                started.stop("immediate")


def _binaries() -> Path | None:
    found = shutil.which("initdb")
    if found:
        return Path(found).resolve().parent
    versions = sorted(_DEBIAN.glob("*/bin/initdb"), key=lambda path: int(path.parent.parent.name))
    return versions[-1].parent if versions else None


def _run(command: list[str | Path], user: str | None, folder: str) -> None:
    done = subprocess.run(
        command, user=user, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
