"""`docs`: the documentation that comes with the package, page by page, or the lines with certain words."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict

import click

from emulator.errors import InputError
from emulator.harness.documentation import PAGES, search, text_of, title_of

_EPILOG = """\b
Examples:
  stackadapt-emulator docs
  stackadapt-emulator docs debug-a-missing-profile
  stackadapt-emulator docs --search "dead letters"
"""


@click.command(epilog=_EPILOG)
@click.argument("page", required=False)
@click.option("--search", "searched", metavar="WORDS", help="Print the lines with all of these words.")
@click.option("--json", "as_json", is_flag=True, help="Print the list of pages, or of lines, as one JSON object.")
def command(page: str | None, searched: str | None, as_json: bool) -> None:
    """Print a page of the documentation, the list of pages, or the lines with certain words."""
    if page is not None and searched is not None:
        raise InputError("--search is for all pages", where="docs", hint="Leave out the page, or the option.")
    if searched is not None:
        _print_found(searched, as_json)
    elif page is not None and sys.stdout.isatty():
        click.echo_via_pager(text_of(page))
    elif page is not None:
        click.echo(text_of(page), nl=False)
    elif as_json:
        click.echo(json.dumps({"pages": [{"page": name, "title": title_of(name)} for name in PAGES]}))
    else:
        width = max(map(len, PAGES))
        click.echo("\n".join(f"{name:{width}}  {title_of(name)}" for name in PAGES))


def _print_found(text: str, as_json: bool) -> None:
    found = [*search(text)]
    if as_json:
        click.echo(json.dumps({"found": [asdict(each) for each in found]}, ensure_ascii=False))
        return
    for each in found:
        click.echo(f"{each.page}:{each.line}: {each.heading}: {each.text}")
    if not found:
        click.echo("nothing found", err=True)
