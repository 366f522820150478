"""`upgrade-check`: what an upgrade of the published destination would do to a workspace."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

import click

from emulator.cli.option_combinations import refuse_together
from emulator.cli.report_output import MARKDOWN, TEXT, names_in, output_option, print_report, text_of_report
from emulator.cli.terminal import progress
from emulator.durations import parse_duration
from emulator.errors import InputError, unknown
from emulator.harness.plan import MOST_PEOPLE, CallsOf, generated_people, people_in_file
from emulator.harness.upgrade import (
    LEVELS,
    NEW,
    SAVED,
    Generation,
    UpgradeCheck,
    built_in,
    check_as_markdown,
    installed,
    lines_of_check,
    upgrade_check,
)
from emulator.mapping import generations
from emulator.server.trial import open_trial
from emulator.workspace import Workspace, load_workspace

_EPILOG = """\b
Examples:
  stackadapt-emulator upgrade-check 3.517.0 --workspace workspace.yaml
  stackadapt-emulator upgrade-check 3.497.0 3.517.0 --workspace workspace.yaml --events calls.jsonl
  stackadapt-emulator upgrade-check 3.517.0 --workspace workspace.yaml --mappings new --format markdown
  stackadapt-emulator upgrade-check --workspace workspace.yaml --package ./my-app
  stackadapt-emulator upgrade-check 3.517.0 --workspace workspace.yaml --fail-on loses-data,changes-data
\b
Exit codes: 0; 1 when a difference has a level that --fail-on names; 2 for bad usage, a bad workspace or a bad package.
"""
_FAILED = 1
_MOST_GENERATIONS = 2
_WITHOUT_EFFECT: Mapping[tuple[str, ...], str] = {
    ("as_json", "form"): "--format cannot be combined with --json.",
    ("events", "people"): "--people cannot be combined with --events.",
    ("events", "seed"): "--seed cannot be combined with --events.",
}


@click.command(epilog=_EPILOG)
@click.argument("generations", nargs=-1, metavar="[FROM] TO")
@click.option("--workspace", "path", type=click.Path(path_type=Path), help="Default: the built-in one.")
@click.option("--events", type=click.Path(path_type=Path), metavar="FILE", help="Calls as JSON lines, or a CSV file.")
@click.option("--people", default=10_000, show_default=True, help="How many are generated without --events.")
@click.option("--seed", default=1, show_default=True, help="Of generated people.")
@click.option("--advance", default="1d", show_default=True, help="How far the clock moves after the calls.")
@click.option(
    "--mappings",
    type=click.Choice([SAVED, NEW]),
    default=SAVED,
    show_default=True,
    help="As Segment has saved them before the upgrade, or made anew after it.",
)
@click.option(
    "--package", type=click.Path(path_type=Path), metavar="DIR", help="Folder with @segment/action-destinations."
)
@click.option("--fail-on", metavar="LEVEL,…", help=f"Exit with 1 for any of: {', '.join(LEVELS)}.")
@click.option("--format", "form", type=click.Choice([TEXT, MARKDOWN]), default=TEXT, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@output_option
def command(
    generations: tuple[str, ...],
    path: Path | None,
    events: Path | None,
    people: int,
    seed: int,
    advance: str,
    mappings: str,
    package: Path | None,
    fail_on: str | None,
    form: str,
    as_json: bool,
    output: Path | None,
) -> None:
    """Check what an upgrade of the published destination from FROM to TO would do to a workspace.

    FROM and TO are generations of the destination such as 3.517.0; FROM is that of the workspace unless it is given.
    Both sides get the same events and deletions, and their requests, records and profiles are compared: each difference
    is harmless, changes data or loses data. An installed package is compared as a generation after TO; this needs Node.
    """
    refuse_together(_WITHOUT_EFFECT)
    levels = names_in(fail_on, "--fail-on", LEVELS, "level")
    further = parse_duration(advance, where="--advance")
    source, targets = _sides(generations, package)
    workspace = load_workspace(path)
    population = _population(workspace, events, people, seed)
    with progress(population.calls) as report:
        found = upgrade_check(
            workspace,
            targets,
            population,
            open_trial,
            source=source,
            mappings=mappings,
            further=further,
            report=report,
        )
    _print(found, as_json=as_json, form=form, output=output)
    failed = found.failed(levels)
    if failed:
        click.echo(f"error: the upgrade has differences of level {', '.join(failed)}", err=True)
        sys.exit(_FAILED)


def _sides(names: tuple[str, ...], package: Path | None) -> tuple[str | None, list[Generation]]:
    """FROM, and the generations that are compared with it, one after another."""
    if len(names) > _MOST_GENERATIONS or (not names and package is None):
        raise click.UsageError("Give TO, or FROM and TO, or --package DIR.")
    for name in names:
        if name not in generations():
            raise unknown("generation", name, generations())
    source = names[0] if len(names) == _MOST_GENERATIONS else None
    targets = [built_in(name) for name in names[-1:]]
    return source, targets if package is None else [*targets, installed(package)]


def _population(workspace: Workspace, events: Path | None, people: int, seed: int) -> CallsOf:
    if events is not None:
        return people_in_file(events, [workspace])
    if not 1 <= people <= MOST_PEOPLE:
        raise InputError("invalid number of people", where="--people", found=people, allowed=f"1 to {MOST_PEOPLE:,}")
    return generated_people(people, seed)


def _print(found: UpgradeCheck, *, as_json: bool, form: str, output: Path | None) -> None:
    text = text_of_report(
        found,
        as_json=as_json,
        form=form,
        lines=lambda: lines_of_check(found),
        markdown=lambda: check_as_markdown(found),
    )
    print_report(text, output)
