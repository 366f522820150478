"""Programs that build, check and run the wheel, and what they build. They are installed from a package index."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.e2e.installed import ROOT, once, run

PROGRAMS = ("hatchling", "twine", "pipx", "pre-commit")
# As in test_wheel.py, which compares.
DATE = "SOURCE_DATE_EPOCH=1700000000"


@pytest.fixture(scope="session")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the programs."""

    def install(folder: Path) -> str | None:
        steps = (
            (sys.executable, "-m", "venv", folder),
            (folder / "bin/pip", "install", "--quiet", "uv"),
            (folder / "bin/uv", "pip", "install", "--quiet", "--python", folder / "bin/python", *PROGRAMS),
        )
        return next((done for step in steps if (done := _failure(*step)) is not None), None)

    return once(tmp_path_factory, "tools", install) / "bin"


@pytest.fixture(scope="session")
def dist(tmp_path_factory: pytest.TempPathFactory, tools: Path) -> Path:
    """A folder with the wheel and the source distribution of the checkout."""

    def build(folder: Path) -> str | None:
        return _failure("env", DATE, tools / "python", "-m", "hatchling", "build", "-d", folder)

    return once(tmp_path_factory, "dist", build)


def _failure(*command: object) -> str | None:
    done = run(*command, cwd=ROOT)
    return f"{done.stdout}{done.stderr}" if done.returncode else None
