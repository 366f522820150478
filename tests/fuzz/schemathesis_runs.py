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
    """Runs the tests of `openapi` or `graphql`; their failures are printed."""
    started = time.monotonic()
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
    return Run(sent, time.monotonic() - started, failed=code != 0)
