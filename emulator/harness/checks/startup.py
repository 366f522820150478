"""What keeps an emulator from starting with the workspace, as a finding."""

from __future__ import annotations

from collections.abc import Iterator

from emulator.errors import UserMistake
from emulator.harness.checks.finding import ERROR, Finding
from emulator.harness.startup_check import check_start
from emulator.workspace import Workspace


def refused(workspace: Workspace) -> Iterator[Finding]:
    """W001: `serve` refuses the workspace. It names one thing at a time, and so does this."""
    try:
        check_start(workspace)
    except UserMistake as error:
        allowed = f"Allowed: {error.allowed.rstrip('.')}." if error.allowed else None
        found = f" Found: {error.found!r}." if error.found is not None else ""
        yield Finding(
            code="W001",
            severity=ERROR,
            place=error.where or "workspace",
            message=f"{error.message[:1].upper()}{error.message[1:]}{found}",
            why="No emulator starts with this workspace: serve and exec refuse it.",
            fix=" ".join(filter(None, (allowed, error.hint))) or "Change what stands at this place.",
        )
