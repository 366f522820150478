"""What `serve` and `exec` print of lint's findings before they start."""

from __future__ import annotations

from pathlib import Path

import click

from emulator.errors import ContractViolation
from emulator.workspace import Workspace, built_in_workspace, load_workspace

strict_option = click.option("--strict", is_flag=True, help="Do not start when lint finds an error in the workspace.")


def given_workspace(
    path: Path | None, *, latency: str | None, api_version: str | None, strict: bool
) -> Workspace | None:
    """The workspace in a file, None without one, after lint's findings have been printed.

    Raises WorkspaceError, InputError for an option that cannot be used, and ContractViolation for an error with
    `strict`.
    """
    workspace = None if path is None else load_workspace(path)
    checked = (workspace or built_in_workspace()).with_options(latency=latency, api_version=api_version)
    _report(checked, path, strict=strict)
    return workspace


def _report(workspace: Workspace, path: Path | None, *, strict: bool) -> None:
    """Prints what lint finds in a workspace file on standard error: errors in full, warnings as a count.

    Raises ContractViolation for an error with `strict`.
    """
    if path is None:
        return
    # The default workspace has nothing to find; a server with it starts without the checks' imports.
    from emulator.harness.checks import lint
    from emulator.harness.checks.at_start import lines_at_start
    from emulator.harness.checks.finding import ERROR, REFUSED

    findings = lint(workspace)
    for line in lines_at_start(findings, path):
        click.echo(line, err=True)
    # The start itself fails with the error of what keeps an emulator from starting.
    if strict and any(finding.severity == ERROR and finding.code != REFUSED for finding in findings):
        raise ContractViolation(
            "the workspace has errors", where=str(path), hint="Correct them, or start without --strict."
        )
