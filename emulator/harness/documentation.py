"""The documentation that comes with the package: its pages, and a search in all of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from emulator.errors import NotFound, unknown
from emulator.text_files import read_text

_FOLDER: Final = Path(__file__).resolve().parent.parent / "docs"
# In the order in which they are best read.
PAGES: Final = (
    *(
        "getting-started",
        "coming-from-the-segment-page",
        "debug-a-missing-profile",
        "console",
        "pytest",
        "node",
        "ci",
        "scenarios",
    ),
    *("test-data", "load", "workspace", "plan", "sources", "delivery", "clients", "faults", "drift-and-recording"),
    *("fidelity-probe", "deletion", "security"),
    *("python-api", "http-api", "stackadapt-api", "reference", "not-emulated"),
)
_HEADING = re.compile(r"#{1,6} (.+)")
_FENCE = "```"


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """A heading of a page. `anchor` is the name that links give it, as GitHub makes it."""

    text: str
    level: int
    anchor: str
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A line of a page that has what was searched, the heading above it, and the number of the line."""

    page: str
    title: str
    heading: str
    anchor: str
    line: int
    text: str


@cache
def text_of(page: str) -> str:
    """A page in Markdown, without the marks around its generated parts. Raises NotFound."""
    if page not in PAGES:
        raise unknown("page", page, PAGES, error=NotFound)
    text = read_text(_FOLDER / f"{page}.md")
    return re.sub(r"^<!-- .*-->\n", "", text, flags=re.MULTILINE)


def title_of(page: str) -> str:
    """The heading of a page."""
    return text_of(page).splitlines()[0].removeprefix("# ")


@cache
def headings_of(page: str) -> tuple[Heading, ...]:
    """The headings of a page, in order."""
    return tuple(heading for heading, _ in _lines(page) if heading is not None)


def search(text: str) -> Iterator[Found]:
    """The lines with every word of `text`, ignoring case: headings first, then in the order of the pages."""
    words = text.casefold().split()
    found = [each for page in PAGES for each in _found(page, words)] if words else []
    yield from sorted(found, key=lambda each: each.text.casefold() != each.heading.casefold())


def _found(page: str, words: list[str]) -> Iterator[Found]:
    above = headings_of(page)[0]
    for number, (heading, line) in enumerate(_lines(page), 1):
        above = heading or above
        shown = line.strip() if heading is None else heading.text
        if all(word in shown.casefold() for word in words):
            yield Found(
                page=page, title=title_of(page), heading=above.text, anchor=above.anchor, line=number, text=shown
            )


def _lines(page: str) -> Iterator[tuple[Heading | None, str]]:
    """Each line, with the heading that it is."""
    fenced = False
    anchors: dict[str, int] = {}
    for number, line in enumerate(text_of(page).splitlines(), 1):
        if line.lstrip().startswith(_FENCE):
            fenced = not fenced
        match = None if fenced else _HEADING.fullmatch(line)
        if match is None:
            yield None, line
            continue
        text = match[1].replace("`", "")
        anchor = re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")
        times = anchors[anchor] = anchors.get(anchor, -1) + 1
        level = len(line) - len(line.lstrip("#"))
        yield Heading(text=text, level=level, anchor=f"{anchor}-{times}" if times else anchor, line=number), line
