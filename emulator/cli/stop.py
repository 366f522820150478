"""`stop`: ends the server in the background."""

from __future__ import annotations

import click

from emulator.cli.background import place_here
from emulator.cli.processes import stopped

_EPILOG = """\b
Examples:
  stackadapt-emulator stop
\b
Exit codes: 0 nothing runs any more, also when nothing did; 1 the server does not end.
"""


@click.command(epilog=_EPILOG)
def command() -> None:
    """Stop the server last started from this folder, after the requests in progress, and wait until it has ended."""
    place = place_here()
    record = stopped(place)
    if record is None:
        click.echo(f"nothing to stop: no server started from {place.folder} is running")
    else:
        click.echo(f"stopped process {record.pid}; its log is {place.log}")
