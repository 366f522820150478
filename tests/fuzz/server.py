"""A `serve` process to fuzz."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO

from tests.conftest import ROOT, command, environment

_SHOWN = 6_000


@dataclass
class Server:
    """A server that is ready, and what it logs."""

    url: str
    log: IO[str]

    def traceback(self) -> str:
        """The last traceback in the log and what follows it; empty when there is none."""
        self.log.seek(0)
        _, found, rest = self.log.read().rpartition("Traceback")
        return found and (found + rest)[:_SHOWN]


@contextmanager
def served(*arguments: str) -> Iterator[Server]:
    """A server on a free port, which is killed afterwards."""
    with tempfile.TemporaryFile("w+") as log:
        process = subprocess.Popen(
            command("serve", "--port", "0", "--json", *arguments),
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env=environment(),
            cwd=ROOT,
        )
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            if not line:
                log.seek(0)
                raise RuntimeError(log.read())
            yield Server(json.loads(line)["url"], log)
        finally:
            process.kill()
            process.wait()
            process.stdout.close()
