"""`grade`: what a client that syncs to StackAdapt does when requests fail, and what it sends, reads and shows."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from emulator.cli.client_variables import LISTED
from emulator.cli.finite_numbers import FiniteRange
from emulator.cli.grade_runs import VARIABLES, Client
from emulator.cli.option_combinations import refuse_together, without_a_run
from emulator.cli.report_output import MARKDOWN, TEXT, names_in, output_option, print_report, text_of_report
from emulator.cli.serve_options import api_version_option, workspace_option
from emulator.cli.terminal import progress
from emulator.harness.grade import (
    NAMES,
    POINTS,
    Grade,
    as_markdown,
    chosen,
    generated_people,
    graded,
    lines_of_grade,
    people_in_file,
    runs_for,
)
from emulator.workspace import load_workspace

_EPILOG = f"""\b
Examples:
  stackadapt-emulator grade -- python sync.py
  stackadapt-emulator grade --only retry-429,retry-5xx,growing-pauses,jitter -- node sync.js
  stackadapt-emulator grade --people people.csv --fail-under 90 --format markdown -o grade.md -- ./sync
  stackadapt-emulator grade --list
\b
Environment variables of the command:
{LISTED}
{chr(10).join(f"  {name:27}{meaning}" for name, meaning in VARIABLES.items())}
\b
The command must end with 0 when everything was accepted, and with another code when anything was not.
\b
Exit codes: 0; 1 when the score is below --fail-under; 2 for bad usage, or a command that fails without a fault.
"""
_FAILED = 1
_OF_A_RUN = {
    "workspace_path": "--workspace",
    "api_version": "--api-version",
    "people_path": "--people",
    "only": "--only",
    "seconds": "--timeout",
    "fail_under": "--fail-under",
    "form": "--format",
    "command_line": "COMMAND",
}
_WITHOUT_EFFECT: Mapping[tuple[str, ...], str] = {
    ("as_json", "form"): "--format cannot be combined with --json.",
    **without_a_run(_OF_A_RUN),
}


@click.command(epilog=_EPILOG, context_settings={"allow_interspersed_args": False})
@workspace_option
@api_version_option
@click.option(
    "--people",
    "people_path",
    type=click.Path(path_type=Path),
    help="CSV file with email and consent (yes or no), for the command to read; 1,300 generated people when absent.",
)
@click.option("--only", metavar="POINT,…", help="Points to judge, joined by commas.")
@click.option("--list", "listing", is_flag=True, help="Print the points only.")
@click.option(
    "--timeout", "seconds", type=FiniteRange(min=0.1), default=60, show_default=True, help="Seconds for each run."
)
@click.option("--fail-under", type=click.IntRange(0, 100), metavar="SCORE", help="Exit with 1 for a lower score.")
@click.option("--format", "form", type=click.Choice([TEXT, MARKDOWN]), default=TEXT, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@output_option
@click.argument("command_line", metavar="-- COMMAND [ARGUMENT]...", nargs=-1, type=click.UNPROCESSED)
def command(
    workspace_path: Path | None,
    api_version: str | None,
    people_path: Path | None,
    only: str | None,
    listing: bool,
    seconds: float,
    fail_under: int | None,
    form: str,
    as_json: bool,
    output: Path | None,
    command_line: Sequence[str],
) -> None:
    """Run COMMAND, which syncs people to StackAdapt, once for each kind of failure, and judge what it does.

    Each run has its own emulator on a free port, as with `exec`. What the command never does, such as reading
    profiles, is not seen and does not count. The score is how many percent of the points that were seen passed.
    """
    refuse_together(_WITHOUT_EFFECT)
    if listing:
        print_report(_listed(as_json=as_json), output)
        return
    if not command_line:
        raise click.UsageError("Missing the command to run, after '--'.")
    points = chosen(names_in(only, "--only", NAMES, "point") or None)
    people = generated_people() if people_path is None else people_in_file(people_path)
    workspace = load_workspace(workspace_path).with_options(api_version=api_version)
    client = Client(command=command_line, workspace=workspace, people=people, seconds=seconds)
    runs = runs_for(points)
    with progress(len(runs)) as report:
        case = client.case(runs, report)
    grade = Grade(runs=case.runs, points=graded(case, points))
    text = text_of_report(
        grade, as_json=as_json, form=form, lines=lambda: lines_of_grade(grade), markdown=lambda: as_markdown(grade)
    )
    print_report(text, output)
    _fail_under(grade, fail_under)


def _listed(*, as_json: bool) -> str:
    if as_json:
        listed = [{"name": point.name, "expected": point.expected} for point in POINTS]
        return f"{json.dumps({'points': listed}, ensure_ascii=False, indent=2)}\n"
    return "".join(f"{point.name:<19} {point.expected}\n" for point in POINTS)


def _fail_under(grade: Grade, least: int | None) -> None:
    if least is not None and (grade.score or 0) < least:
        found = "no point was seen, which is" if grade.score is None else f"the score is {grade.score},"
        click.echo(f"error: {found} below {least}", err=True)
        sys.exit(_FAILED)
