"""Findings as lines on a terminal: how `lint` and `validate` print them."""

from __future__ import annotations

import json
from collections import Counter

import click

from emulator.cli.terminal import counted
from emulator.harness.checks.finding import ERROR, UNREADABLE, WARNING, Finding

_COLOURS = {ERROR: "red", UNREADABLE: "red", WARNING: "yellow"}


def print_finding(finding: Finding, *, where: str = "") -> None:
    """Prints a finding; `where` is what comes before its place."""
    severity = click.style(finding.severity, fg=_COLOURS[finding.severity])
    click.echo(f"{finding.code} {severity} {where}{finding.place}\n  {finding.message}")
    # A message may quote the value already.
    if finding.found is not None and repr(finding.found) not in finding.message:
        click.echo(f"  Found: {json.dumps(finding.found, ensure_ascii=False)}")
    for title, text in (("Allowed", finding.allowed), ("Why", finding.why), ("Fix", finding.fix)):
        if text:
            click.echo(f"  {title}: {text}")
    click.echo()


def totals(counts: Counter[str]) -> str:
    """The number of errors, warnings and unreadable documents, from the counts by severity."""
    unreadable = f", {counts[UNREADABLE]} unreadable" if counts[UNREADABLE] else ""
    return f"{counted(counts[ERROR], 'error')}, {counted(counts[WARNING], 'warning')}{unreadable}"
