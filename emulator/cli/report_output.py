"""The option `--output` of commands that print a report, and what it does."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import click

from emulator.errors import unwritable


def print_report(text: str, output: Path | None) -> None:
    """Prints a report, or writes it to a file. Raises InputError when that cannot be written."""
    if output is None:
        click.echo(text, nl=False)
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise unwritable(output, error) from None


def _in_a_folder(_context: click.Context, _parameter: click.Parameter, output: Path | None) -> Path | None:
    """Raises InputError for a folder that is missing: before the work, not after it."""
    if output is not None and not output.parent.is_dir():
        raise unwritable(output, FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT)))
    return output


output_option = click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path, dir_okay=False),
    callback=_in_a_folder,
    help="Default: standard output.",
)
