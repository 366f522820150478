"""`docs`: the documentation that comes with the package, page by page."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import click

from emulator.errors import unknown
from emulator.text_files import read_text

_FOLDER = Path(__file__).resolve().parent.parent / "docs"
# In the order in which they are best read.
PAGES = (
    *(
        "getting-started",
        "coming-from-the-segment-page",
        "debug-a-missing-profile",
        "console",
        "pytest",
        "ci",
        "scenarios",
    ),
    *("test-data", "workspace", "sources", "delivery", "clients", "faults", "drift-and-recording"),
    *("deletion", "security"),
    *("python-api", "http-api", "stackadapt-api", "reference", "not-emulated"),
)
_EPILOG = """\b
Examples:
  stackadapt-emulator docs
  stackadapt-emulator docs debug-a-missing-profile
"""


@click.command(epilog=_EPILOG)
@click.argument("page", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print the list of pages as one JSON object.")
def command(page: str | None, as_json: bool) -> None:
    """Print a page of the documentation, or the list of pages."""
    if page is not None and sys.stdout.isatty():
        click.echo_via_pager(text_of(page))
    elif page is not None:
        click.echo(text_of(page), nl=False)
    elif as_json:
        click.echo(json.dumps({"pages": [{"page": name, "title": title_of(name)} for name in PAGES]}))
    else:
        width = max(map(len, PAGES))
        click.echo("\n".join(f"{name:{width}}  {title_of(name)}" for name in PAGES))


def text_of(page: str) -> str:
    """A page in Markdown, without the marks around its generated parts. Raises UnknownName."""
    if page not in PAGES:
        raise unknown("page", page, PAGES)
    text = read_text(_FOLDER / f"{page}.md")
    return re.sub(r"^<!-- .*-->\n", "", text, flags=re.MULTILINE)


def title_of(page: str) -> str:
    """The heading of a page."""
    return text_of(page).splitlines()[0].removeprefix("# ")
