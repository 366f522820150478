"""Findings as lines on a terminal: how `lint` and `validate` print them."""

from __future__ import annotations

from collections import Counter

import click

from emulator.harness.checks.at_start import finding_lines
from emulator.harness.checks.finding import ERROR, NOTE, UNREADABLE, WARNING, Finding
from emulator.text import counted_noun

_COLOURS = {ERROR: "red", UNREADABLE: "red", WARNING: "yellow", NOTE: "cyan"}


def print_finding(finding: Finding, *, where: str = "") -> None:
    """Prints a finding; `where` is what comes before its place."""
    severity = click.style(finding.severity, fg=_COLOURS[finding.severity])
    for line in finding_lines(finding, severity=severity, where=where):
        click.echo(line)
    click.echo()


def totals(counts: Counter[str]) -> str:
    """The number of errors, warnings, notes and unreadable documents, from the counts by severity."""
    notes = f", {counted_noun(counts[NOTE], 'note')}" if counts[NOTE] else ""
    unreadable = f", {counts[UNREADABLE]} unreadable" if counts[UNREADABLE] else ""
    return f"{counted_noun(counts[ERROR], 'error')}, {counted_noun(counts[WARNING], 'warning')}{notes}{unreadable}"
