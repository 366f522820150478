"""`map`: print the requests for events without sending them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import click

from emulator.harness.event_files import read_events
from emulator.harness.preview import Preview, preview
from emulator.harness.subscription_context import contexts_of
from emulator.workspace import load_workspace
from emulator.workspace_file import used

_EPILOG = """\b
Examples:
  stackadapt-emulator map events.jsonl
  stackadapt-emulator map --batch --json events.jsonl
  cat event.json | stackadapt-emulator map -
"""


@click.command(epilog=_EPILOG)
@click.argument("events_path", metavar="EVENTS", default="-")
@click.option("--workspace", "workspace_path", type=click.Path(path_type=Path), help="Workspace file (YAML or JSON).")
@click.option("--destination", help="Destination instance, by name (default: the first).")
@click.option("--batch", is_flag=True, help="Map all events as one batch.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a request, with its exact body.")
def command(events_path: str, workspace_path: Path | None, destination: str | None, batch: bool, as_json: bool) -> None:
    """Print the requests that the destination would send for EVENTS (JSON or JSON lines; - for standard input)."""
    workspace = load_workspace(workspace_path)
    with used(workspace_path):
        contexts = contexts_of(workspace, destination)
    for shown in preview(read_events(events_path), contexts, batch=batch):
        click.echo(json.dumps(asdict(shown), ensure_ascii=False) if as_json else "\n".join(_lines(shown)))


def _lines(shown: Preview) -> Iterator[str]:
    for event in shown.events:
        message = f": {event['message']}" if "message" in event else ""
        yield f"# {event['event']} → {shown.subscription}: {event['status']}{message}"
    if shown.error is not None:
        yield f"# the engine fails: {shown.error}"
    if shown.document is not None:
        yield shown.document
    yield ""
