"""The GraphQL clients for Python, Dask and Locust, each pinned in a directory under `python/`.

Each has its own virtual environment there: their dependencies conflict with the emulator's.
"""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from pathlib import Path

from .packages import INSTALL_COMMAND

PYTHON_FOLDER = Path(__file__).parent / "python"
GQL_3, GQL_4, SGQLC = "gql-3", "gql-4", "sgqlc"
DASK, LOCUST = "dask", "locust"
PYTHON_CLIENTS = (GQL_3, GQL_4, SGQLC, DASK, LOCUST)
REQUIRE_VARIABLE = "STACKADAPT_EMULATOR_REQUIRE_PYTHON_CLIENTS"


def requirements(name: str) -> Path:
    """The file with the version of every package."""
    return PYTHON_FOLDER / name / "requirements.txt"


def command(name: str, program: str = "python") -> str:
    """The path of a program of an environment."""
    return str(_environment(name) / ("Scripts" if sys.platform == "win32" else "bin") / program)


def install(name: str) -> bool:
    """Makes the environment of one client; False if up to date. Raises CalledProcessError when pip fails."""
    if is_installed(name):
        return False
    # This environment's pip fills it: installing another one takes as long as the packages.
    venv.create(_environment(name), clear=True, with_pip=False)
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "--python", command(name)]
    arguments = ["install", "--no-deps", "--only-binary", ":all:", "--requirement", str(requirements(name))]
    subprocess.run([*pip, *arguments], check=True)
    _stamp(name).write_text(_installed(name), encoding="utf-8")
    return True


def is_installed(name: str) -> bool:
    """Whether the environment has these packages, for this Python."""
    stamp = _stamp(name)
    return stamp.is_file() and stamp.read_text(encoding="utf-8") == _installed(name)


def missing_reason(name: str) -> str | None:
    """Why a client cannot be used; None if it can."""
    if is_installed(name):
        return None
    return f"the Python packages of {name} are not installed: run `{INSTALL_COMMAND} {name}`"


def are_required() -> bool:
    """Whether a missing client is a failure, not a skip."""
    return os.environ.get(REQUIRE_VARIABLE) == "1"


def _environment(name: str) -> Path:
    return PYTHON_FOLDER / name / ".venv"


def _stamp(name: str) -> Path:
    return _environment(name) / ".installed-from"


def _installed(name: str) -> str:
    return f"{sys.version}\n{requirements(name).read_text(encoding='utf-8')}"
