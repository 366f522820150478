"""`lint`: what is wrong with a workspace before any event is sent."""

from __future__ import annotations

import json
from pathlib import Path

import click

from emulator.harness.lint import ERROR, Finding, lint
from emulator.workspace import load_workspace

_EPILOG = """\b
Examples:
  stackadapt-emulator lint workspace.yaml
  stackadapt-emulator lint --json workspace.yaml
"""
_COLOURS = {ERROR: "red"}


@click.command(epilog=_EPILOG)
@click.argument("workspace_path", metavar="[WORKSPACE]", required=False, type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print the findings as one JSON object.")
def command(workspace_path: Path | None, as_json: bool) -> None:
    """Find mistakes in a workspace's triggers, mappings and settings.

    Each finding has a code, the place, why it matters and how to mend it. Exits 1 when one of them is an error.
    """
    findings = lint(load_workspace(workspace_path))
    if as_json:
        click.echo(json.dumps({"findings": [finding.as_dict() for finding in findings]}, ensure_ascii=False))
    else:
        for finding in findings:
            _show(finding)
        errors = sum(finding.severity == ERROR for finding in findings)
        click.echo(f"{errors} errors, {len(findings) - errors} warnings")
    if any(finding.severity == ERROR for finding in findings):
        raise SystemExit(1)


def _show(finding: Finding) -> None:
    severity = click.style(finding.severity, fg=_COLOURS.get(finding.severity, "yellow"))
    click.echo(f"{finding.code} {severity} {finding.place}")
    click.echo(f"  {finding.message}")
    click.echo(f"  Why: {finding.why}")
    click.echo(f"  Mend: {finding.mend}\n")
