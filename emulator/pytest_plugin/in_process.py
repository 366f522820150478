"""An emulator in the process of the tests, which is what they run against unless the command line says otherwise."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from emulator.harness.checks import lint
from emulator.harness.checks.at_start import lines_at_start
from emulator.harness.checks.finding import ERROR
from emulator.harness.client import Endpoint, in_process
from emulator.harness.remote_guard import Permission
from emulator.pytest_plugin.targets import FIXTURE, Options, Server, target_at
from emulator.server.emulator import Emulator
from emulator.workspace import Workspace, load_workspace, parse_workspace


class InProcess:
    """An emulator in process for each test."""

    @contextmanager
    def isolated(self, workspace: Any, options: Options) -> Iterator[Endpoint]:
        with (
            Emulator(_workspace(workspace, options)) as emulator,
            in_process(emulator.app, sandbox=emulator.described(), address=lambda: emulator.url) as endpoint,
        ):
            yield endpoint

    @contextmanager
    def server(self, workspace: Any) -> Iterator[Server]:
        with Emulator(_workspace(workspace, {})) as emulator:
            sandboxes = target_at(emulator.url, permission=Permission())
            # The emulator has the workspace already: only the changes of a marker must be sent.
            yield Server(emulator.url, lambda options: sandboxes.isolated(workspace if options else None, options))


def _workspace(given: Any, options: Options) -> Workspace:
    """The workspace of a fixture or marker, with the marker's options. Raises WorkspaceError."""
    given = options.get("workspace", given)
    if isinstance(given, Mapping):
        workspace = parse_workspace(given, where=FIXTURE)
    elif isinstance(given, Workspace):
        workspace = given
    else:
        workspace = load_workspace(given)
        _warn_of_errors(given)
    return workspace.with_options(latency=options.get("latency"), api_version=options.get("api_version"))


def _warn_of_errors(path: Path | str | None) -> None:
    """A warning of pytest about a workspace file that cannot work, so that xdist shows it too."""
    if path is not None and (lines := _lines_about(str(path))):
        warnings.warn("\n".join(lines), WorkspaceFindings, stacklevel=2)


@cache
def _lines_about(path: str) -> tuple[str, ...]:
    findings = lint(load_workspace(path))
    errors = any(finding.severity == ERROR for finding in findings)
    return tuple(lines_at_start(findings, path)) if errors else ()


class WorkspaceFindings(UserWarning):
    """What `lint` finds in the workspace of a test."""

    # The public name, in pytest's summary.
    __module__ = "emulator"
