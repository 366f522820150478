"""The wheel of this checkout and a clean environment with it, made once for all tests and workers of a run."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
REQUIRED = "STACKADAPT_EMULATOR_REQUIRE_WHEEL"
SECONDS = 600
# The dependencies in the pyproject.toml of the example project.
NEEDED = ("stackadapt-emulator", "httpx", "pytest", "pytest-xdist")


def run(*arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Runs a command without what this environment sets for Python and the emulator."""
    dropped = ("PYTHON", "VIRTUAL_ENV", "PYTEST", "STACKADAPT", "SEGMENT")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
    return subprocess.run(
        [str(argument) for argument in arguments],
        cwd=cwd,
        env={**environment, "NO_COLOR": "1", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


def build_wheel(folder: Path) -> str | None:
    """Builds the wheel into a new folder. Returns the output of a failure."""
    return _failed((sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, ROOT))


def install(environment: Path, wheels: Path) -> str | None:
    """Installs the wheel with pytest into a new environment. Returns the output of a step that fails."""
    return _failed(
        (sys.executable, "-m", "venv", environment),
        (environment / "bin/pip", "install", "--quiet", "--find-links", wheels, *NEEDED),
    )


def borrow_dependencies(environment: Path, *, packages: str = sysconfig.get_path("purelib")) -> None:
    """Lets an environment in which only the wheel was installed find the packages of this one, as it sees them."""
    [own] = environment.glob("lib/python*/site-packages")
    (own / "borrowed.pth").write_text(f"{packages}\n")


def once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], str | None]) -> Path:
    """What `make` puts at a path that all workers of a run share; fails, or skips where nothing is required."""
    base = factory.getbasetemp()
    shared = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / f"installed-{name}"
    shared.mkdir(exist_ok=True)
    failed, made = shared / "failed", shared / name
    with (shared / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists() and not failed.exists():
            reason = make(made)
            if reason is not None:
                failed.write_text(reason)
    if failed.exists():
        reason = f"the wheel cannot be built and installed here: {failed.read_text()}"
        if os.environ.get(REQUIRED):
            pytest.fail(reason)
        pytest.skip(reason)
    return made


def _failed(*steps: tuple[object, ...]) -> str | None:
    for step in steps:
        done = run(*step, cwd=ROOT)
        if done.returncode != 0:
            return f"{done.stdout}{done.stderr}"
    return None
