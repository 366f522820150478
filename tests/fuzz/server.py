"""A `serve` process to fuzz."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from tests.conftest import ROOT, command, environment


@contextmanager
def served(*arguments: str) -> Iterator[str]:
    """The URL of a server on a free port, which is killed afterwards."""
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
            yield json.loads(line)["url"]
        finally:
            process.kill()
            process.wait()
            process.stdout.close()
            tracebacks = _tracebacks(log)
            if tracebacks:
                print(tracebacks)


def _tracebacks(log: object) -> str:
    """The end of what the server has logged, when there is a traceback in it."""
    assert hasattr(log, "seek")
    log.seek(0)
    text = log.read()  # type: ignore[attr-defined]
    at = text.rfind("Traceback")
    return text[at : at + 6_000] if at >= 0 else ""
