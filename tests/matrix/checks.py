"""What is run in each environment: the command, the plugin, a use of the packages beside it, the answers."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Final

from .answers import answers
from .asked import asked
from .environments import StepFailed, run
from .rows import Row

HERE: Final = Path(__file__).resolve().parent
COMMANDS: Final = (
    "demo --people 5",
    "plan 2024-12 2026-06 --people 5",
    "upgrade-check 3.497.0 3.517.0 --people 5",
    "mutate --sample 1",
    "fidelity probe --list",
)
FAILURES: Final = (
    "expected a visible profile for ada@example.com at advertiser 1001; none found",
    "the test passed, but these had no effect",
)


def check_command(row: Row, python: Path, folder: Path) -> None:
    """Commands print their report: one that plays a sync, and with `full` those that compare syncs."""
    for arguments in COMMANDS if row.full else COMMANDS[:1]:
        done = run(python.with_name("stackadapt-emulator"), *arguments.split(), "--json", cwd=folder)
        json.loads(done.stdout)


def check_plugin(row: Row, python: Path, folder: Path) -> None:
    """The plugin's tests pass, and those that must fail do so with their messages."""
    project = folder / "project"
    project.mkdir()
    tests = [HERE / "project/reaches.py", *([HERE / f"beside/{row.test}.py"] if row.test else [])]
    for source in tests:
        shutil.copy(source, project / f"test_{source.name}")
    pytest = (python, "-m", "pytest", "-q", "-p", "no:cacheprovider", *row.arguments)
    run(*pytest, cwd=project)
    shutil.copy(HERE / "project/fails.py", project / "test_fails.py")
    done = run(*pytest, "test_fails.py", cwd=project, expected=1)
    missing = [each for each in FAILURES if each not in done.stdout]
    if missing or "2 failed" not in done.stdout:
        raise StepFailed(f"not in the output: {missing}\n{done.stdout}")


def check_answers(row: Row, python: Path, folder: Path) -> None:
    """The emulator answers as that of the checkout, byte for byte."""
    questions = asked(full=row.full)
    source = folder / "asked.json"
    source.write_text(json.dumps(questions), encoding="utf-8")
    found = run(python, HERE / "answers.py", source, cwd=folder).stdout.splitlines()
    for ours, theirs in zip(_own_answers(row.full), found, strict=True):
        if ours != theirs:
            raise StepFailed(f"checkout {ours[:2000]}\n{row.name} {theirs[:2000]}")


CHECKS: Final[Mapping[str, Callable[[Row, Path, Path], None]]] = {
    "command": check_command,
    "plugin": check_plugin,
    "answers": check_answers,
}


@cache
def _own_answers(full: bool) -> list[str]:
    with tempfile.TemporaryDirectory() as folder:
        return [json.dumps(answer) for answer in answers(asked(full=full), Path(folder))]
