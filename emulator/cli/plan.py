"""`plan`: what a change of the workspace would do to a population."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import click

from emulator.cli.option_combinations import refuse_together
from emulator.cli.report_output import MARKDOWN, TEXT, names_in, output_option, print_report, text_of_report
from emulator.cli.terminal import progress
from emulator.durations import parse_duration
from emulator.errors import InputError
from emulator.harness.plan import (
    CHECKS,
    MOST_PEOPLE,
    CallsOf,
    Plan,
    as_markdown,
    at_version,
    generated_people,
    is_version,
    lines_of_plan,
)
from emulator.server.plan_people import people_in
from emulator.server.plan_runs import plan
from emulator.workspace import Workspace, built_in_workspace, load_workspace

_EPILOG = """\b
Examples:
  stackadapt-emulator plan workspace.yaml changed.yaml
  stackadapt-emulator plan workspace.yaml changed.yaml --people 100000 --seed 7
  stackadapt-emulator plan workspace.yaml changed.yaml --people people.csv --advance 30d
  stackadapt-emulator plan workspace.yaml changed.yaml --people before.snapshot.gz
  stackadapt-emulator plan 3.497.0 3.517.0 --workspace workspace.yaml
  stackadapt-emulator plan workspace.yaml changed.yaml --fail-on lost-profiles,changed-consent --format markdown
\b
Exit codes: 0; 1 when the change does something that --fail-on names; 2 for bad usage, a bad workspace, or people of
whom neither workspace gets a profile.
"""
_FAILED, _NO_PROOF = 1, 2
_BUILT_IN = "default"


@click.command(epilog=_EPILOG)
@click.argument("old", metavar="OLD")
@click.argument("new", metavar="NEW")
@click.option(
    "--workspace",
    "base",
    type=click.Path(path_type=Path),
    help="Workspace for a generation or API version at OLD or NEW.",
)
@click.option(
    "--people",
    default="10000",
    show_default=True,
    metavar="NUMBER|FILE",
    help="How many are generated; or a file: CSV with user_id, email and traits, calls as JSON lines, or a snapshot.",
)
@click.option("--seed", default=1, show_default=True, help="Of generated people.")
@click.option("--advance", default="1d", show_default=True, help="How far the clock moves after the calls.")
@click.option("--fail-on", metavar="CHECK,…", help=f"Exit with 1 for any of: {', '.join(CHECKS)}.")
@click.option("--format", "form", type=click.Choice([TEXT, MARKDOWN]), default=TEXT, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option("--diff", "with_difference", is_flag=True, help="Print the difference of the workspaces, too.")
@output_option
def command(
    old: str,
    new: str,
    base: Path | None,
    people: str,
    seed: int,
    advance: str,
    fail_on: str | None,
    form: str,
    as_json: bool,
    with_difference: bool,
    output: Path | None,
) -> None:
    """Run two workspaces over one population, and show what the change from OLD to NEW does to its profiles.

    OLD and NEW are workspace files, `default`, a generation of the destination such as 3.517.0, or an API version of
    StackAdapt such as 2026-06. People are identified once; the clock moves on, and everything accepted becomes visible.
    """
    _check_combination(old, new, people)
    checks = names_in(fail_on, "--fail-on", CHECKS, "check")
    further = parse_duration(advance, where="--advance")
    workspaces = tuple(_workspace(text, base) for text in (old, new))
    population = _population(people, seed, workspaces)
    with progress(2 * population.calls) as report:
        found = plan(
            workspaces[0], workspaces[1], population, names=(old, new), further=further or timedelta(), report=report
        )
    _print(found, as_json=as_json, form=form, with_difference=with_difference, output=output)
    if found.warning:
        click.echo("error: the plan shows nothing of the change: neither workspace has a profile", err=True)
        sys.exit(_NO_PROOF)
    failed = found.failed(checks)
    if failed:
        click.echo(f"error: the change has {', '.join(failed)}", err=True)
        sys.exit(_FAILED)


def _check_combination(old: str, new: str, people: str) -> None:
    """Raises UsageError for an option that would have no effect beside the others."""
    refuse_together(
        {
            ("as_json", "form"): "--format cannot be combined with --json.",
            ("as_json", "with_difference"): "--diff cannot be combined with --json, which has the difference.",
        }
    )
    if not _is_number(people):
        refuse_together({("seed",): "--seed cannot be combined with a file of --people."})
    if not (is_version(old) or is_version(new)):
        refuse_together({("base",): "--workspace needs a generation or API version at OLD or NEW."})


def _is_number(people: str) -> bool:
    return people.isascii() and people.isdigit()


def _workspace(text: str, base: Path | None) -> Workspace:
    """The workspace at OLD or NEW. Raises WorkspaceError."""
    if text == _BUILT_IN:
        return built_in_workspace()
    # A file may have the name of a version that does not exist.
    if not is_version(text) and Path(text).exists():
        return load_workspace(Path(text))
    return at_version(text, load_workspace(base)) or load_workspace(Path(text))


def _population(people: str, seed: int, workspaces: Sequence[Workspace]) -> CallsOf:
    if not _is_number(people):
        return people_in(Path(people), workspaces)
    if not 1 <= int(people) <= MOST_PEOPLE:
        raise InputError("invalid number of people", where="--people", found=people, allowed=f"1 to {MOST_PEOPLE:,}")
    return generated_people(int(people), seed)


def _print(found: Plan, *, as_json: bool, form: str, with_difference: bool, output: Path | None) -> None:
    text = text_of_report(
        found,
        as_json=as_json,
        form=form,
        lines=lambda: lines_of_plan(found, verbose=with_difference),
        markdown=lambda: as_markdown(found),
    )
    print_report(text, output)
