"""`status`: whether a server runs."""

from __future__ import annotations

import json
from typing import Any

import click

from emulator.cli.own_server import NotRunning, OwnServer, running_server, server_option

_EPILOG = """\b
Examples:
  stackadapt-emulator status
  stackadapt-emulator status --json
  stackadapt-emulator status --url http://127.0.0.1:9000
\b
Exit codes: 0 it runs and answers, 1 it does not, 2 bad usage.
"""


@click.command(epilog=_EPILOG)
@server_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(url: str | None, as_json: bool) -> None:
    """Show whether the server last started from this folder runs, and if not, why."""
    try:
        server = running_server(url)
    except NotRunning as reason:
        click.echo(json.dumps({"running": False, **reason.as_dict()}) if as_json else f"not running: {reason}")
        raise SystemExit(reason.exit_code) from None
    click.echo(json.dumps(_described(server)) if as_json else _lines(server))


def _described(server: OwnServer) -> dict[str, Any]:
    about = {"running": True, "url": server.url, "version": server.version}
    if server.record is not None:
        about |= {"pid": server.record.pid, "folder": str(server.folder), "log": str(server.log)}
    return about


def _lines(server: OwnServer) -> str:
    lines = [f"running at {server.url} (version {server.version})"]
    if server.record is not None:
        lines += [f"  process  {server.record.pid}, started from {server.folder}", f"  log      {server.log}"]
    return "\n".join(lines)
