"""`lint`: mistakes in a workspace, found before any event is sent."""

from __future__ import annotations

import json
from collections import Counter

import click

from emulator.cli.findings import print_finding, totals
from emulator.cli.github import job_report
from emulator.errors import WorkspaceError
from emulator.harness.checks import lint
from emulator.harness.checks.finding import ERROR
from emulator.text_files import STANDARD_INPUT, place_of, read_text
from emulator.workspace import Workspace, load_workspace, parse_workspace
from emulator.workspace_file import parse

_EPILOG = """\b
Examples:
  stackadapt-emulator lint workspace.yaml
  stackadapt-emulator lint --json workspace.yaml
  stackadapt-emulator generate workspace | stackadapt-emulator lint -
"""


@click.command(epilog=_EPILOG)
@click.argument("workspace_path", metavar="[WORKSPACE]", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print the findings as one JSON object.")
def command(workspace_path: str | None, as_json: bool) -> None:
    """Find mistakes in a workspace's triggers, mappings and settings (a file, or - for standard input).

    Each finding has a code, its place, why it matters and how to fix it. Exits 1 if one of them is an error.
    """
    with job_report("lint") as report:
        findings = lint(_workspace(workspace_path))
        counts = Counter(finding.severity for finding in findings)
        file = None if workspace_path == STANDARD_INPUT else workspace_path
        for finding in findings:
            report.add_finding(finding, file=file, line=report.line_of(file, finding.place))
        report.outcome = totals(counts)
    if as_json:
        click.echo(json.dumps({"findings": [finding.as_dict() for finding in findings]}, ensure_ascii=False))
    else:
        for finding in findings:
            print_finding(finding)
        click.echo(totals(counts))
    if counts[ERROR]:
        raise SystemExit(1)


def _workspace(path: str | None) -> Workspace:
    if path != STANDARD_INPUT:
        return load_workspace(path)
    where, text = place_of(path), read_text(path, mistake=WorkspaceError)
    return parse_workspace(parse(text, where=where), where=where)
