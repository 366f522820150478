"""`events`: everything that happened in a running emulator, and, with `--follow`, what happens."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import click
import httpx

from emulator.cli.running import connect, sandbox_option, unreachable, url_option
from emulator.harness.client import Control

_EPILOG = """\b
Examples:
  stackadapt-emulator events
  stackadapt-emulator events --follow --kinds call,delivery,record
  stackadapt-emulator events --person ada@example.com --json
\b
Exit codes: 0 ok, 2 bad usage or no emulator at the URL.
"""
_PAGE = 1000
# The server answers earlier when something happens.
_WAIT = "25s"
_MISSED: Mapping[str, str] = {
    "dropped": "the emulator keeps only the newest events",
    "cleared": "the journal was cleared",
    "restarted": "the cursor is of another process or sandbox",
}


@click.command(epilog=_EPILOG)
@click.option("--follow", is_flag=True, help="Go on with what happens, until Ctrl-C.")
@click.option(
    "--kinds", help="Only these kinds, with commas: call, membership, delivery, request, record, clock or workspace."
)
@click.option("--person", help="Only what is about the person with this email, user id or message id.")
@click.option("--after", help="Only what happened after this cursor, which --json prints with each event.")
@click.option("--mask", is_flag=True, help="Mask email addresses.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
@sandbox_option
@url_option
def command(
    follow: bool,
    kinds: str | None,
    person: str | None,
    after: str | None,
    mask: bool,
    as_json: bool,
    sandbox: str | None,
    url: str,
) -> None:
    """Print everything that happened in a running emulator, oldest first.

    That is calls, changes of membership, deliveries, requests to /graphql, processed records, moves of the clock and
    changes of the workspace. Events that are no longer kept are reported on standard error.
    """
    asked = {"kinds": kinds, "person": person, "mask": "true" if mask else None}
    try:
        with connect(url, sandbox) as client:
            for page in _pages(Control(client), after, asked, follow=follow):
                _report(page["missed"])
                for event in page["events"]:
                    click.echo(_line(event, as_json))
    except httpx.HTTPError as error:
        raise unreachable(url, error) from None


def _pages(
    control: Control, after: str | None, asked: Mapping[str, Any], *, follow: bool
) -> Iterator[Mapping[str, Any]]:
    """Pages up to the newest event; with `follow`, the later ones, too."""
    wait = None
    while True:
        page = control.get("events", after=after, limit=_PAGE, wait=wait, **asked)
        yield page
        after = page["next"]
        if len(page["events"]) == _PAGE:
            continue
        if not follow:
            return
        wait = _WAIT


def _report(missed: Mapping[str, Any] | None) -> None:
    if missed is not None:
        many = "Events" if missed["events"] is None else f"{missed['events']} events"
        click.echo(f"{many} before this are missing: {_MISSED[missed['reason']]}.", err=True)


def _line(event: Mapping[str, Any], as_json: bool) -> str:
    if as_json:
        return json.dumps(event, ensure_ascii=False)
    return f"{event['at']} {event['level']} {event['kind']}: {event['text']}"
