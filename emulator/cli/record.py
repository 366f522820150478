"""`record`: records the responses of a real endpoint without personal data."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import click

from emulator.addresses import address, shown
from emulator.cli.remote import client_of, remote_options
from emulator.harness.recordings import Recording
from emulator.ids import secret
from emulator.server.listener import Listener, bind, url_of
from emulator.server.recorder import create_recorder
from emulator.server.signals import StopSignals

_EPILOG = """\b
Examples:
  stackadapt-emulator record --upstream http://127.0.0.1:8585 -o exchanges.jsonl
  stackadapt-emulator record --upstream https://sandbox.stackadapt.com/public/graphql \\
      --allow-remote --allow-writes
\b
Then compare the emulator with the recording:
  stackadapt-emulator verify --exchanges exchanges.jsonl
\b
Exit codes: 0 stopped by a signal, 2 bad usage or a host that is not allowed.
"""


@click.command(epilog=_EPILOG)
@click.option("--upstream", required=True, help="Endpoint to forward to; /graphql when it has no path.")
@click.option("--port", default=8586, show_default=True, type=click.IntRange(0, 65535), help="0 selects a free one.")
@click.option(
    "-o",
    "--output",
    default="exchanges.jsonl",
    show_default=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="New file to write, one exchange per line.",
)
@remote_options
@click.option("--json", "as_json", is_flag=True, help="Print the URL to send to as one JSON line.")
def command(upstream: str, port: int, output: Path, as_json: bool) -> None:
    """Forward GraphQL requests to an endpoint and record its responses, until Ctrl-C.

    Point a client at the printed URL; its own token is forwarded. The file contains neither tokens nor email
    addresses: each address has one pseudonym. Names, phone numbers, postal addresses and birth dates keep only their
    format. Other properties are unchanged: review the file before sharing it.
    """
    given = address(upstream)
    target = given.copy_with(path="/graphql") if given.path == "/" else given
    with client_of(str(target)) as client:
        listening = bind("127.0.0.1", port)
        with closing(listening), closing(Recording(output, upstream=shown(target), key=secret(""))) as recording:
            graphql = f"{url_of(listening)}/graphql"
            with StopSignals() as signals:
                click.echo(_welcome(graphql, shown(target), output, as_json))
                Listener(create_recorder(client, str(target), recording), listening=listening).run(signals)
        if not as_json:
            click.echo(f"{recording.count} recorded in {output}")


def _welcome(graphql: str, upstream: str, output: Path, as_json: bool) -> str:
    if as_json:
        return json.dumps({"graphql": graphql, "upstream": upstream, "file": str(output)})
    return f"{graphql} forwards to {upstream} and records to {output}. Stop with Ctrl-C."
