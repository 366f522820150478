"""The Schemathesis tests of `tests/contract/`, with more cases and another seed than in the ordinary suite."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import ROOT
from tests.contract.conftest import CASES, COUNT_FILE

NAMES = ("openapi", "graphql")


@dataclass(frozen=True)
class Run:
    """How many cases were sent, how long it took, and whether a test failed."""

    cases: int
    seconds: float
    failed: bool


def run(name: str, *, cases: int, seed: int) -> Run:
    """Runs the tests of `openapi` or `graphql` until so many cases were sent; their failures are printed.

    An operation without arguments has few cases, so that one run may send less than was asked for.
    """
    started, sent, failed = time.monotonic(), 0, False
    while sent < cases and not failed:
        more, failed = _run_once(name, cases - sent, seed)
        sent, seed = sent + more, seed + 1
    return Run(sent, time.monotonic() - started, failed=failed)


def _run_once(name: str, cases: int, seed: int) -> tuple[int, bool]:
    """How many cases were sent, and whether a test failed. Without any case it failed."""
    with tempfile.TemporaryDirectory() as folder:
        count = Path(folder, "count")
        tests = f"tests/contract/test_schemathesis_{name}.py"
        code = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--hypothesis-seed={seed}", tests],
            env={**os.environ, CASES: str(cases), COUNT_FILE: str(count)},
            cwd=ROOT,
            stdout=sys.stderr,
            check=False,
        ).returncode
        sent = int(count.read_text()) if count.exists() else 0
    return sent, code != 0 or not sent
