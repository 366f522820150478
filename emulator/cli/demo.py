"""`demo`: runs the whole sync with generated people on a free port and checks the result."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from socket import socket

import click
from rich.console import Console
from rich.table import Table

from emulator.cli.terminal import Terminal
from emulator.clock import Clock
from emulator.harness.demo import Funnel, demo_workspace, play
from emulator.server.emulator import Emulator
from emulator.server.listener import bind, url_of
from emulator.workspace import Workspace, load_workspace

_EPILOG = """\b
Examples:
  stackadapt-emulator demo
  stackadapt-emulator demo --json --people 1000 --seed 7
\b
Exit codes: 0 the numbers add up, 1 they do not.
"""
# A seed with every outcome: each rejection, both kinds of failed batch, entering and leaving.
_DEFAULT_SEED = 80
_BALANCED = "Every event is accounted for, and each segment has exactly the expected members."
# A frozen clock makes the ids, and so the whole output, depend on the seed only.
_START = datetime(2026, 1, 15, 12, tzinfo=UTC)


@click.command(epilog=_EPILOG)
@click.option("--people", "count", default=200, show_default=True, type=click.IntRange(1, 100_000), help="How many.")
@click.option("--seed", default=_DEFAULT_SEED, show_default=True, help="The same seed gives the same result.")
@click.option("--json", "as_json", is_flag=True, help="Print the funnel as one JSON object.")
def command(count: int, seed: int, as_json: bool) -> None:
    """Run the whole sync with generated people and check the result.

    Exits 0 only if the numbers add up: every event is accounted for, no profile without a valid email is visible, and
    each segment has exactly the expected members.
    """
    console = Terminal(highlight=False, markup=False)
    with closing(bind("127.0.0.1", 0)) as listening:
        url = url_of(listening)
        workspace = demo_workspace(load_workspace(), seed=seed, endpoint=f"{url}/graphql")
        report = _silent if as_json else console.print
        funnel = _played(listening, url, workspace, count=count, seed=seed, report=report)
    if as_json:
        click.echo(json.dumps(funnel.as_dict(), ensure_ascii=False))
    else:
        _show(funnel, console)
    if funnel.imbalances():
        raise SystemExit(1)


def _played(
    listening: socket, url: str, workspace: Workspace, *, count: int, seed: int, report: Callable[[str], None]
) -> Funnel:
    with Emulator(workspace, clock=Clock(frozen_at=_START)) as emulator:
        listener = emulator.listener(listening)
        listener.start()
        try:
            report(f"Segment and StackAdapt are emulated at {url}.")
            return play(url, workspace, count=count, seed=seed, report=report)
        finally:
            listener.stop()


def _silent(_text: str) -> None:
    """With --json only the object is printed."""


def _show(funnel: Funnel, console: Console) -> None:
    table = Table("step", "count", "why", title="Outcome of every event", title_justify="left")
    table.columns[1].justify = "right"
    table.add_row("calls ingested", str(funnel.calls), f"{funnel.people} people")
    table.add_row("events for the destination", str(funnel.events), "audience entered or exited: identify and track")
    table.add_row("not triggered", str(funnel.not_triggered))
    for reason, number in sorted(funnel.rejected_by_mapping.items()):
        table.add_row("rejected by the mapping engine", str(number), reason)
    for batch in funnel.failed_batches:
        why = f"batch failed, Segment reports {batch.segment_reports}: {batch.error}"
        table.add_row("lost in a failed batch", str(len(batch.events)), why)
    for reason, number in sorted(funnel.rejected_by_stackadapt.items()):
        table.add_row("rejected by StackAdapt", str(number), reason)
    if funnel.waiting:
        table.add_row(
            "waits for a profile", str(funnel.waiting), "records without an email, with an unknown external id"
        )
    table.add_row("applied by StackAdapt", str(funnel.applied))
    table.add_row("profiles visible", str(len(funnel.profiles)), f"{len(funnel.expected_profiles)} expected")
    for segment in funnel.segments:
        table.add_row(segment.name, str(len(segment.members)), f"{len(segment.expected)} expected")
    console.print(table)
    for imbalance in funnel.imbalances():
        console.print(f"does not add up: {imbalance}")
    if not funnel.imbalances():
        console.print(_BALANCED, soft_wrap=True)
