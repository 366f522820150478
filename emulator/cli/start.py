"""`start`: runs a server in the background."""

from __future__ import annotations

from typing import Any

import click
from click.core import ParameterSource

from emulator.cli.background import place_here
from emulator.cli.processes import started
from emulator.cli.serve_options import json_option, serve_options
from emulator.cli.welcome import shown

_EPILOG = """\b
Examples:
  stackadapt-emulator start
  stackadapt-emulator start --port 0 --workspace workspace.yaml --latency 4h
  stackadapt-emulator start --port 0 --json
\b
In a script:
  stackadapt-emulator start --port 0 && eval "$(stackadapt-emulator env)"
  npm test
  stackadapt-emulator stop
\b
Exit codes: 0 it answers, 2 bad usage, a bad workspace, or a server with other options started from this folder.
"""


@click.command(epilog=_EPILOG)
@serve_options
@json_option
def command(as_json: bool, **_options: Any) -> None:
    """Run the emulator as a server in the background, and return when it answers.

    Prints what serve prints. `status`, `wait`, `env` and `stop` without options are about the server of the current
    folder. It has one at most: the same command again prints the addresses of the server that runs. `status` shows
    where its log is.
    """
    record, new = started(place_here(), _given(click.get_current_context()))
    if not new:
        click.echo(f"already running as process {record.pid}", err=True)
    click.echo(shown(record.connection or {}, as_json=as_json, stop="stackadapt-emulator stop"))


def _given(context: click.Context) -> dict[str, str | bool]:
    """The options that were given, on the command line or in the environment, by name."""
    names = {parameter.name or "": parameter.opts[0] for parameter in context.command.params}
    given = {
        names[name]: value
        for name, value in context.params.items()
        if name != "as_json" and context.get_parameter_source(name) is not ParameterSource.DEFAULT
    }
    # A flag that is not set is as good as absent.
    return {name: value if value is True else str(value) for name, value in given.items() if value is not False}
