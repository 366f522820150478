"""`snapshot`: saves the state of a running emulator to a file, and restores it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from tempfile import mkstemp

import click
import httpx

from emulator.cli import SuggestingGroup
from emulator.cli.running import check, connect, sandbox_option, unreachable, url_option
from emulator.errors import InputError, unreadable, unwritable

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
        with connect(url, sandbox) as client, client.stream("GET", "/_emulator/snapshot") as response:
            check(response)
            _write(file, response.iter_raw())
    except httpx.HTTPError as error:
        raise unreachable(url, error) from None
    except OSError as error:
        raise unwritable(file, error) from None
    click.echo(f"saved {file} ({file.stat().st_size} bytes)")


def _write(file: Path, chunks: Iterable[bytes]) -> None:
    """Writes a file that only its owner can read. It appears when it is complete, and not at all when that fails."""
    opened, name = mkstemp(dir=file.parent, prefix=f".{file.name}.")
    unfinished = Path(name)
    try:
        with open(opened, "wb") as out:
            out.writelines(chunks)
        unfinished.replace(file)
    finally:
        unfinished.unlink(missing_ok=True)


@command.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@url_option
@sandbox_option
def load(file: Path, url: str, sandbox: str | None) -> None:
    """Replace the state with that in FILE. A damaged file changes nothing."""
    try:
        content = file.open("rb")
    except OSError as error:
        raise unreadable(file, error) from None
    try:
        with content, connect(url, sandbox) as client:
            length = {"Content-Length": str(file.stat().st_size)}
            check(client.put("/_emulator/snapshot", content=content, headers=length))
    except httpx.HTTPError as error:
        raise unreachable(url, error) from None
    click.echo(f"loaded {file}")
