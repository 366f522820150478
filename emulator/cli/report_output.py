"""The form in which a command prints a report, and the option `--output`."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable
from pathlib import Path
from typing import Final, Protocol

import click

from emulator.complete_files import check_writable, write_complete
from emulator.errors import InputError, unknown
from emulator.text import whole_characters

TEXT: Final = "text"
MARKDOWN: Final = "markdown"


class Report(Protocol):
    """What has a JSON form."""

    def as_dict(self) -> object: ...


def text_of_report(
    found: Report, *, as_json: bool, form: str, lines: Callable[[], Iterable[str]], markdown: Callable[[], str]
) -> str:
    """The report as JSON, in Markdown, or its lines."""
    if as_json:
        return whole_characters(f"{json.dumps(found.as_dict(), ensure_ascii=False, indent=2)}\n")
    if form == MARKDOWN:
        return markdown()
    return "".join(f"{line}\n" for line in lines())


def names_in(text: str | None, option: str, known: Collection[str], what: str) -> tuple[str, ...]:
    """The names in the value of an option that takes several, joined by commas; none without the option.

    Raises UnknownName, and InputError for a value without a name, such as that of a variable that is not set: it would
    check nothing.
    """
    if text is None:
        return ()
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    if not names:
        raise InputError(f"there is no {what}", where=option, found=text, allowed=", ".join(known))
    for name in names:
        if name not in known:
            raise unknown(what, name, known, where=option)
    return names


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
