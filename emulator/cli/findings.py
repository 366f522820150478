"""Findings as lines on a terminal: how `lint` and `validate` print them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import click

from emulator.cli.terminal import counted
from emulator.errors import ContractViolation
from emulator.harness.checks import lint
from emulator.harness.checks.at_start import finding_lines, lines_at_start
from emulator.harness.checks.finding import ERROR, NOTE, REFUSED, UNREADABLE, WARNING, Finding
from emulator.workspace import Workspace

_COLOURS = {ERROR: "red", UNREADABLE: "red", WARNING: "yellow", NOTE: "cyan"}

strict_option = click.option("--strict", is_flag=True, help="Do not start when lint finds an error in the workspace.")


def print_finding(finding: Finding, *, where: str = "") -> None:
    """Prints a finding; `where` is what comes before its place."""
    severity = click.style(finding.severity, fg=_COLOURS[finding.severity])
    for line in finding_lines(finding, severity=severity, where=where):
        click.echo(line)
    click.echo()


def report_at_start(workspace: Workspace, path: Path | None, *, strict: bool) -> None:
    """Prints what lint finds in a workspace file on standard error: errors in full, warnings as a count.

    Raises ContractViolation for an error with `strict`.
    """
    if path is None:
        return
    findings = lint(workspace)
    for line in lines_at_start(findings, path):
        click.echo(line, err=True)
    # The start itself fails with the error of what keeps an emulator from starting.
    if strict and any(finding.severity == ERROR and finding.code != REFUSED for finding in findings):
        raise ContractViolation(
            "the workspace has errors", where=str(path), hint="Correct them, or start without --strict."
        )


def totals(counts: Counter[str]) -> str:
    """The number of errors, warnings, notes and unreadable documents, from the counts by severity."""
    notes = f", {counted(counts[NOTE], 'note')}" if counts[NOTE] else ""
    unreadable = f", {counts[UNREADABLE]} unreadable" if counts[UNREADABLE] else ""
    return f"{counted(counts[ERROR], 'error')}, {counted(counts[WARNING], 'warning')}{notes}{unreadable}"
