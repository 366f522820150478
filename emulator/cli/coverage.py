"""`coverage`: what runs exercised of a sync, and what they did not."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import click
import httpx

from emulator.cli.option_combinations import refuse_together
from emulator.cli.report_output import MARKDOWN, TEXT, output_option, print_report, text_of_report
from emulator.cli.running import connect, sandbox_option, unreachable, url_option
from emulator.harness.client import Control
from emulator.harness.coverage import (
    Coverage,
    as_markdown,
    combined,
    coverage_from,
    least_of,
    lines_of_coverage,
    read_coverage,
)

_EPILOG = """\b
Examples:
  stackadapt-emulator coverage
  stackadapt-emulator coverage unit.json browser.json --fail-under 80
  stackadapt-emulator coverage stackadapt-coverage.json --fail-under triggers=100 --fail-under mappings=90
  stackadapt-emulator coverage stackadapt-coverage.json --format markdown -o coverage.md
\b
Exit codes: 0; 1 when less is covered than --fail-under asks for; 2 for bad usage, a bad file or no emulator.
"""
_FAILED = 1
_WITHOUT_EFFECT: Mapping[tuple[str, ...], str] = {
    ("as_json", "form"): "--format cannot be combined with --json.",
    ("as_json", "catalogue"): "--all cannot be combined with --json, which always has everything.",
    ("form", "catalogue"): "--all is for text: leave out --format; Markdown always has everything.",
    ("files", "url"): "--url is for a running emulator: give it or files.",
    ("files", "sandbox"): "--sandbox is for a running emulator: give it or files.",
}


@click.command(epilog=_EPILOG)
@click.argument("files", metavar="[FILE]...", nargs=-1, type=click.Path(allow_dash=True))
@click.option(
    "--fail-under",
    multiple=True,
    metavar="[GROUP=]PERCENT",
    help="Exit with 1 when the total, or a group, is covered to less. Repeatable.",
)
@click.option("--all", "catalogue", is_flag=True, help="List what is missing of the groups outside of the total, too.")
@click.option("--format", "form", type=click.Choice([TEXT, MARKDOWN]), default=TEXT, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, which is a FILE for this command.")
@output_option
@sandbox_option
@url_option
def command(
    files: Sequence[str],
    fail_under: Sequence[str],
    catalogue: bool,
    form: str,
    as_json: bool,
    output: Path | None,
    sandbox: str | None,
    url: str,
) -> None:
    """Show what was exercised of triggers, mappings and both services, and name what was not.

    Each FILE is the coverage of a run, - for standard input: `verify --coverage`, `exec --coverage` and pytest with
    --stackadapt-emulator-coverage write one. Several are combined. Without a FILE, a running emulator is asked.
    """
    refuse_together(_WITHOUT_EFFECT)
    least = least_of(fail_under, "--fail-under")
    found = combined(map(read_coverage, files)) if files else _running(url, sandbox)
    _print(found, as_json=as_json, form=form, catalogue=catalogue, output=output)
    for line in found.without_items(least):
        click.echo(f"note: {line}", err=True)
    failed = found.failed(least)
    for line in failed:
        click.echo(f"error: {line}", err=True)
    if failed:
        sys.exit(_FAILED)


def _running(url: str, sandbox: str | None) -> Coverage:
    try:
        with connect(url, sandbox) as client:
            return coverage_from(Control(client), url)
    except httpx.HTTPError as error:
        raise unreachable(url, error) from None


def _print(found: Coverage, *, as_json: bool, form: str, catalogue: bool, output: Path | None) -> None:
    text = text_of_report(
        found,
        as_json=as_json,
        form=form,
        lines=lambda: lines_of_coverage(found, catalogue=catalogue),
        markdown=lambda: as_markdown(found),
    )
    print_report(text, output)
