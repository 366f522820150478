"""Runs a command, such as a test suite, with an emulator that has a mutated workspace."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import httpx

from emulator.cli.client_variables import variables_of
from emulator.cli.given_commands import exit_code_of
from emulator.clock import stopwatch
from emulator.errors import InputError
from emulator.harness.client import sandbox_at
from emulator.harness.mutate import Killed, Mutation
from emulator.server.emulator import Emulator
from emulator.server.heartbeat import Heartbeat
from emulator.workspace import parse_workspace
from emulator.yaml_files import dump_yaml

WORKSPACE_VARIABLE: Final = "STACKADAPT_EMULATOR_WORKSPACE"
# A command that takes so many times as long as without a mutation waits for what does not come.
_SLOWER: Final = 5
_LEAST_SECONDS: Final = 10.0
_REQUEST_SECONDS: Final = 60


class CommandJudge:
    """A command that must succeed in the workspace as it is, and is run again for each mutation.

    It has the variables of `exec`, and the path of a file with the workspace in `WORKSPACE_VARIABLE`.
    """

    def __init__(self, command_line: Sequence[str], document: Any) -> None:
        self._command_line = command_line
        self._document = document
        self._seconds: float | None = None

    def __call__(self, mutation: Mutation) -> Killed | None:
        """What the command says of a mutation. Raises InputError for a command that fails without one."""
        if self._seconds is None:
            self._seconds = self._unchanged()
        changed = mutation.applied(self._document)
        if changed is None:
            return None
        code = _run(self._command_line, changed, seconds=self._seconds, quiet=True)
        if code == 0:
            return None
        ended = "it took too long" if code is None else f"exit code {code}"
        return Killed(by=" ".join(self._command_line), because=ended)

    def _unchanged(self) -> float:
        """How long a run may take: several times as long as the one that this makes."""
        elapsed = stopwatch()
        code = _run(self._command_line, self._document, seconds=None, quiet=False)
        if code != 0:
            raise InputError(
                "the command does not succeed in the workspace as it is",
                where=" ".join(self._command_line),
                found=f"exit code {code}",
                hint="Its output is above. Correct the command; `stackadapt-emulator exec` runs it alone.",
            )
        return max(_SLOWER * elapsed() / 1000, _LEAST_SECONDS)


def _run(command_line: Sequence[str], document: Any, *, seconds: float | None, quiet: bool) -> int | None:
    """The exit code of a command in a workspace; None if it has not ended in time."""
    with (
        TemporaryDirectory(prefix="stackadapt-mutate-") as folder,
        Emulator(parse_workspace(document)) as emulator,
        httpx.Client(base_url=emulator.start(), trust_env=False, timeout=_REQUEST_SECONDS) as client,
        Heartbeat(emulator.sandboxes.opened),
    ):
        path = Path(folder) / "workspace.yaml"
        path.write_text(dump_yaml(document), encoding="utf-8")
        variables = {**os.environ, **variables_of(sandbox_at(client)), WORKSPACE_VARIABLE: str(path)}
        # Standard output has the report.
        output, errors = (subprocess.DEVNULL, subprocess.DEVNULL) if quiet else (2, None)
        return exit_code_of(command_line, variables, seconds=seconds, output=output, errors=errors)
