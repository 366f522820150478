"""`snapshot`: saves the state of a running emulator to a file, and restores it."""

from __future__ import annotations

from pathlib import Path

import click
import httpx

from emulator.cli import SuggestingGroup, snapshot_files
from emulator.cli.running import connect, sandbox_option, unreachable, url_option
from emulator.errors import InputError

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
@click.option("--force", is_flag=True, help="Replace an existing file.")
@url_option
@sandbox_option
def save(file: Path, force: bool, url: str, sandbox: str | None) -> None:
    """Write the state to FILE, readable by you only. An existing file is kept unless --force is given."""
    if not force and file.exists():
        raise InputError("this file exists already", where=str(file), hint="Add --force to replace it.")
    try:
        with connect(url, sandbox) as client:
            snapshot_files.save(client, file)
    except httpx.HTTPError as error:
        raise unreachable(url, error) from None
    click.echo(f"saved {file} ({file.stat().st_size} bytes)")


@command.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@url_option
@sandbox_option
def load(file: Path, url: str, sandbox: str | None) -> None:
    """Replace the state with that in FILE. A damaged file changes nothing."""
    try:
        with connect(url, sandbox) as client:
            snapshot_files.load(client, file)
    except httpx.HTTPError as error:
        raise unreachable(url, error) from None
    click.echo(f"loaded {file}")
