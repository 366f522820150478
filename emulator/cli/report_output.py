"""The option `--output` of commands that print a report, and what it does."""

from __future__ import annotations

from pathlib import Path

import click

from emulator.complete_files import check_writable, write_complete


def print_report(text: str, output: Path | None) -> None:
    """Prints a report, or writes it to a file. Raises InputError when that cannot be written."""
    if output is None:
        click.echo(text, nl=False)
    else:
        write_complete(output, [text.encode()])


def _writable(_context: click.Context, _parameter: click.Parameter, output: Path | None) -> Path | None:
    """Raises InputError for a file that cannot be written: before the work, not after it."""
    if output is not None:
        check_writable(output)
    return output


output_option = click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path, dir_okay=False),
    callback=_writable,
    help="Default: standard output.",
)
