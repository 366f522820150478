"""`wait`: until a server answers."""

from __future__ import annotations

import click

from emulator.cli.own_server import NotRunning, running_server, server_option
from emulator.clock import polls
from emulator.durations import parse_duration
from emulator.errors import ContractViolation

_EPILOG = """\b
Examples:
  stackadapt-emulator wait
  stackadapt-emulator wait --timeout 10s --url http://127.0.0.1:8585
\b
Exit codes: 0 it answers, 1 it does not answer in time, 2 bad usage.
"""
_POLL_SECONDS = 0.1


@click.command(epilog=_EPILOG)
@server_option
@click.option("--timeout", default="30s", show_default=True, help="How long at most: a duration such as 10s.")
def command(url: str | None, timeout: str) -> None:
    """Wait until the server last started from this folder, or the one at a URL, answers, and print its URL.

    `start` waits by itself: this is for a server that something else starts.
    """
    seconds = parse_duration(timeout, where="--timeout").total_seconds()
    reason: NotRunning | None = None
    for _ in polls(seconds, every=_POLL_SECONDS):
        try:
            click.echo(running_server(url).url)
            return
        except NotRunning as error:
            reason = error
    raise ContractViolation(f"not ready within {timeout}: {reason}")
