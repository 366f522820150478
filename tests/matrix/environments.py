"""The wheel of the checkout, and an environment for each row that it is installed in.

Packages come from PyPI, through uv, which keeps what it has fetched: a second run installs from its cache.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from .rows import Row

ROOT: Final = Path(__file__).resolve().parent.parent.parent
SECONDS: Final = 600
# pyenv keeps interpreters that are not on PATH there.
_PYENV: Final = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"


class StepFailed(Exception):
    """A command that failed, with its output."""


def run(*arguments: object, cwd: Path, expected: int = 0) -> subprocess.CompletedProcess[str]:
    """Runs a command without this environment's settings for Python. Raises StepFailed for another exit code."""
    dropped = ("PYTHON", "VIRTUAL_ENV", "PYTEST", "STACKADAPT", "SEGMENT")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
    command = [str(argument) for argument in arguments]
    done = subprocess.run(
        command,
        cwd=cwd,
        env={**environment, "NO_COLOR": "1", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    if done.returncode != expected:
        raise StepFailed(f"{' '.join(command)}\nexit code {done.returncode}\n{done.stdout}{done.stderr}")
    return done


def uv_command(folder: Path) -> Path:
    """uv: the one on PATH, or one installed into an environment of its own."""
    if found := shutil.which("uv"):
        return Path(found)
    command = folder / "uv/bin/uv"
    if not command.exists():
        run(sys.executable, "-m", "venv", folder / "uv", cwd=folder)
        run(folder / "uv/bin/pip", "install", "--quiet", "uv", cwd=folder)
    return command


def build_wheel(folder: Path) -> Path:
    """The wheel of the checkout."""
    target = folder / "wheel"
    shutil.rmtree(target, ignore_errors=True)
    run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", target, ROOT, cwd=folder)
    (wheel,) = target.glob("*.whl")
    return wheel


def interpreter(version: str | None) -> str | None:
    """The command of a Python version, this one when None; None when the machine does not have it."""
    if version is None:
        return sys.executable
    candidates = [shutil.which(f"python{version}"), *_PYENV.glob(f"{version}.*/bin/python")]
    for candidate in filter(None, candidates):
        asked = [str(candidate), "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
        answer = subprocess.run(asked, capture_output=True, text=True, check=False)
        if answer.stdout.strip() == version:
            return str(candidate)
    return None


def install(row: Row, uv: Path, wheel: Path, folder: Path) -> Path:
    """A new environment with the wheel beside the packages of the row, and its Python. Raises StepFailed."""
    python = folder / "bin/python"
    run(uv, "venv", "--quiet", "--clear", "--python", interpreter(row.python), folder, cwd=ROOT)
    pins: list[object] = []
    if row.oldest:
        pins = ["--requirement", folder / "pins.txt"]
        oldest = (uv, "pip", "compile", "--quiet", "--resolution", "lowest-direct", "pyproject.toml")
        run(*oldest, "--python", python, "--output-file", folder / "pins.txt", cwd=ROOT)
    run(uv, "pip", "install", "--quiet", "--python", python, wheel, *row.beside, *pins, cwd=ROOT)
    run(uv, "pip", "check", "--python", python, cwd=ROOT)
    return python


def resolve(row: Row, uv: Path) -> None:
    """Resolves the dependencies for the Python of a row, without installing them. Raises StepFailed."""
    assert row.python is not None
    run(uv, "pip", "compile", "--quiet", "--python-version", row.python, "pyproject.toml", cwd=ROOT)
