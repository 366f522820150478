"""`snapshot`: saves the state of a running emulator to a file, and restores it."""

from __future__ import annotations

import os
from pathlib import Path

import click
import httpx

from emulator.cli import SuggestingGroup
from emulator.cli.running import check, connect, sandbox_option, unreachable, url_option
from emulator.errors import InputError, unwritable

_EPILOG = """\b
Examples:
  stackadapt-emulator snapshot save before.snapshot.gz
  stackadapt-emulator snapshot load before.snapshot.gz
  stackadapt-emulator snapshot save --url http://127.0.0.1:9000 --sandbox checkout state.snapshot.gz
\b
Exit codes: 0 ok, 2 bad usage or no emulator at the URL. STACKADAPT_EMULATOR_URL sets --url.
"""


@click.group(cls=SuggestingGroup, epilog=_EPILOG)
def command() -> None:
    """Save the state of a running emulator to a file, and restore it.

    The file contains the data of both services and the time. It can be loaded into any emulator with the same
    workspace, whether its data is in memory, in files or in PostgreSQL. It contains personal data, but no tokens.
    """


@command.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@url_option
@sandbox_option
def save(file: Path, url: str, sandbox: str | None) -> None:
    """Write the state to FILE, readable by you only."""
    unfinished = file.with_name(f"{file.name}.part")
    try:
        with connect(url, sandbox) as client, client.stream("GET", "/_emulator/snapshot") as response:
            check(response)
            with open(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
                for chunk in response.iter_raw():
                    out.write(chunk)
        unfinished.replace(file)
    except httpx.HTTPError as error:
        unfinished.unlink(missing_ok=True)
        raise unreachable(url, error) from None
    except OSError as error:
        raise unwritable(file, error) from None
    click.echo(f"saved {file} ({file.stat().st_size} bytes)")


@command.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@url_option
@sandbox_option
def load(file: Path, url: str, sandbox: str | None) -> None:
    """Replace the state with that in FILE. A damaged file changes nothing."""
    try:
        content = file.open("rb")
    except OSError as error:
        raise InputError(f"this file cannot be read: {error.strerror}", where=str(file)) from None
    try:
        with content, connect(url, sandbox) as client:
            length = {"Content-Length": str(file.stat().st_size)}
            check(client.put("/_emulator/snapshot", content=content, headers=length))
    except httpx.HTTPError as error:
        raise unreachable(url, error) from None
    click.echo(f"loaded {file}")
