"""`funnel`: Segment's steps with their counts, and how the deliveries ended at StackAdapt."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from typing import Any

import click
import httpx
from rich.table import Table

from emulator.cli.running import connect, sandbox_option, unreachable, url_option
from emulator.cli.terminal import Terminal
from emulator.harness.client import Control

_EPILOG = """\b
Examples:
  stackadapt-emulator funnel
  stackadapt-emulator funnel --destination "StackAdapt Acme" --since 1h
  stackadapt-emulator funnel --json
\b
Exit codes: 0 every event is accounted for, 1 the numbers do not add up.
"""
_BALANCED = "Every call, event and delivery is accounted for."
_INCOMPLETE = "Calls from before the newest that are kept are not counted."


@click.command(epilog=_EPILOG)
@click.option("--destination", help="Only this destination instance.")
@click.option("--since", help="Only from a time on, or for a duration: 2026-03-01T12:00:00Z, 1h, 2d.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@sandbox_option
@url_option
def command(destination: str | None, since: str | None, as_json: bool, sandbox: str | None, url: str) -> None:
    """Show how many calls and events reached each step of Segment, and how they ended at StackAdapt.

    The steps are those of Segment's Delivery Overview. What Segment counts as delivered is shown a second time, as what
    StackAdapt has made of it.
    """
    try:
        with connect(url, sandbox) as client:
            funnel = Control(client).get("funnel", destination=destination, since=since)
    except httpx.HTTPError as error:
        raise unreachable(url, error) from None
    if as_json:
        click.echo(json.dumps(funnel, ensure_ascii=False, indent=2))
    else:
        _show(funnel)
    sys.exit(1 if funnel["imbalances"] else 0)


def _show(funnel: Mapping[str, Any]) -> None:
    console = Terminal(highlight=False, markup=False)
    for title, rows in (
        ("Segment", [(each["name"], each) for each in funnel["steps"].values()]),
        ("Successful deliveries at StackAdapt", list(funnel["stackadapt"].items())),
    ):
        table = Table("step", "count", "why", title=title, title_justify="left")
        table.columns[1].justify = "right"
        for name, content in rows:
            for row in _rows(name, content):
                table.add_row(*row)
        console.print(table)
    if not funnel["complete"]:
        console.print(_INCOMPLETE)
    for imbalance in funnel["imbalances"]:
        console.print(f"does not add up: {imbalance}")
    if not funnel["imbalances"]:
        console.print(_BALANCED)


def _rows(name: str, content: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """A row for a step, and one for each of its reasons."""
    unit = f" {content['counts']}" if "counts" in content else ""
    yield name, f"{content['count']}{unit}", ""
    for reason in content["reasons"]:
        yield "", str(reason["count"]), f"{reason['code']}: {reason['meaning']}"
