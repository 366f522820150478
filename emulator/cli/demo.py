"""`demo`: the whole sync with generated people, on a free port, checked against the people themselves."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import click
from rich.console import Console
from rich.table import Table

from emulator.clock import Clock
from emulator.harness.demo import Funnel, demo_workspace, play
from emulator.server.emulator import Emulator
from emulator.server.listener import Listener, bind, url_of
from emulator.workspace import load_workspace

_EPILOG = """\b
Examples:
  stackadapt-emulator demo
  stackadapt-emulator demo --json --people 1000 --seed 7
"""
# A seed under which people meet every fate: each refusal, both kinds of broken batch, entering and leaving.
_SHOWS_EVERY_FATE = 80
_BALANCED = "Every event is accounted for, and each segment holds exactly the people it should."
# Standing still at one moment makes the same seed give the same ids, and so the same story.
_OPENING = datetime(2026, 1, 15, 12, tzinfo=UTC)


@click.command(epilog=_EPILOG)
@click.option("--people", "count", default=200, show_default=True, type=click.IntRange(1, 100_000), help="How many.")
@click.option("--seed", default=_SHOWS_EVERY_FATE, show_default=True, help="The same seed tells the same story.")
@click.option("--json", "as_json", is_flag=True, help="Print the funnel as one JSON object.")
def command(count: int, seed: int, as_json: bool) -> None:
    """Play the whole sync with generated people and check the result.

    Exits 0 only if the numbers balance: every event is accounted for, nobody without a valid email is visible, and
    each segment holds exactly the people it should.
    """
    console = Console(highlight=False, markup=False)
    listening = bind("127.0.0.1", 0)
    url = url_of(listening)
    workspace = demo_workspace(load_workspace(), seed=seed, endpoint=f"{url}/graphql")
    with Emulator(workspace, clock=Clock(frozen_at=_OPENING)) as emulator:
        listener = Listener(emulator.app, listening=listening)
        listener.start()
        try:
            report = _silent if as_json else console.print
            report(f"A Segment and a StackAdapt run at {url}.")
            funnel = play(url, workspace, count=count, seed=seed, report=report)
        finally:
            listener.stop()
    if as_json:
        click.echo(json.dumps(funnel.as_dict(), ensure_ascii=False))
    else:
        _show(funnel, console)
    if funnel.imbalances():
        raise SystemExit(1)


def _silent(_text: str) -> None:
    """With --json the object is all that is printed."""


def _show(funnel: Funnel, console: Console) -> None:
    table = Table("step", "count", "why", title="What became of every event", title_justify="left")
    table.columns[1].justify = "right"
    table.add_row("calls in", str(funnel.calls), f"{funnel.people} people")
    table.add_row("events for the destination", str(funnel.events), "audience entered or exited: identify and track")
    table.add_row("not triggered", str(funnel.not_triggered))
    for reason, number in sorted(funnel.rejected_by_mapping.items()):
        table.add_row("refused by the mapping engine", str(number), reason)
    for batch in funnel.failed_batches:
        why = f"batch failed, Segment reports {batch.segment_reports}: {batch.error}"
        table.add_row("lost in a failed batch", str(len(batch.events)), why)
    for reason, number in sorted(funnel.rejected_by_stackadapt.items()):
        table.add_row("refused by StackAdapt", str(number), reason)
    table.add_row("applied by StackAdapt", str(funnel.applied))
    table.add_row("profiles visible", str(len(funnel.profiles)), f"{len(funnel.expected_profiles)} expected")
    for segment in funnel.segments:
        table.add_row(segment.name, str(len(segment.members)), f"{len(segment.expected)} expected")
    console.print(table)
    for imbalance in funnel.imbalances():
        console.print(f"does not balance: {imbalance}")
    if not funnel.imbalances():
        console.print(_BALANCED, soft_wrap=True)
