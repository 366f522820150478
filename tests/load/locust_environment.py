"""Locust in its own virtual environment, with the emulator and the packages of this one beside it."""

from __future__ import annotations

import os
import site
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.conformance.python_packages import LOCUST, command, missing_reason

ROOT = Path(__file__).resolve().parents[2]


def missing() -> str | None:
    """Why Locust cannot be used; None if it can."""
    return missing_reason(LOCUST)


def load(*arguments: str, output: int | None = subprocess.PIPE) -> subprocess.Popen[str]:
    """`stackadapt-emulator load` with these arguments; a master and workers are its child processes."""
    return _python(["-m", "emulator", "load", *arguments], output)


def locust(*arguments: str) -> subprocess.Popen[str]:
    """`locust` with these arguments."""
    return _python(["-m", "locust", *arguments], subprocess.PIPE)


def _python(arguments: Sequence[str], output: int | None) -> subprocess.Popen[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("STACKADAPT_", "LOCUST_"))}
    folders = [path for path in (*site.getsitepackages(), str(ROOT)) if path.startswith((sys.prefix, str(ROOT)))]
    environment = {**kept, "PYTHONPATH": os.pathsep.join(folders)}
    return subprocess.Popen([command(LOCUST), *arguments], stdout=output, text=True, env=environment, cwd=ROOT)
