"""What `serve` and `exec` print about a workspace when they start, and `--strict`."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from emulator.artefacts import fixture

Run = Callable[..., subprocess.CompletedProcess[str]]
NOTHING = (sys.executable, "-c", "")
BROKEN = ("apiKey: sa-local-write", "apiKey: sa-none")
D009 = ("audiences:\n", "audiences:\n  - {key: b, id: aud_b, name: B, condition: {trait: email, operator: exists}}\n")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "workspace.yaml"


def written(path: Path, *changes: tuple[str, str]) -> Path:
    text = fixture("workspace.yaml").read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    path.write_text(text)
    return path


def test_an_error_is_printed_in_full_and_warnings_are_counted(run: Run, path: Path) -> None:
    written(path, BROKEN, D009)
    shown = run("exec", "--workspace", str(path), "--", *NOTHING)
    assert shown.returncode == 0
    assert shown.stderr.startswith(f"S004 error {path}: destinations[0].settings.apiKey\n  ")
    assert "\n  Fix: " in shown.stderr
    assert shown.stderr.endswith(f"\n1 warning about {path}: run stackadapt-emulator lint {path}\n")


@pytest.mark.parametrize("command", [("serve", "--port", "0"), ("exec",)], ids=lambda words: words[0])
def test_strict_refuses_to_start_with_an_error(call: Run, path: Path, command: tuple[str, ...]) -> None:
    written(path, BROKEN)
    more = ("--", *NOTHING) if command[0] == "exec" else ()
    shown = call(*command, "--workspace", str(path), "--strict", *more)
    assert (shown.returncode, shown.stdout) == (1, "")
    assert shown.stderr.splitlines()[-1] == (
        f"error: {path}: the workspace has errors. Correct them, or start without --strict."
    )


def test_strict_shows_the_error_that_keeps_the_emulator_from_starting(call: Run, path: Path) -> None:
    written(path, ('generation: "3.517.0"', 'generation: "9.9.9"'))
    shown = call("exec", "--workspace", str(path), "--strict", "--", *NOTHING)
    assert shown.returncode == 2
    assert "unknown generation '9.9.9'" in shown.stderr
    assert "the workspace has errors" not in shown.stderr


def test_strict_starts_with_warnings_and_notes(call: Run, path: Path) -> None:
    written(path, D009)
    shown = call("exec", "--workspace", str(path), "--strict", "--", *NOTHING)
    assert (shown.returncode, shown.stderr) == (0, f"1 warning about {path}: run stackadapt-emulator lint {path}\n")


def test_nothing_is_printed_about_a_right_workspace(call: Run, path: Path) -> None:
    shown = call("exec", "--workspace", str(written(path)), "--", *NOTHING)
    assert (shown.returncode, shown.stderr) == (0, "")
