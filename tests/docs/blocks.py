"""The code blocks, links and headings of a Markdown page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
FOLDER = ROOT / "emulator" / "docs"
PAGES = sorted(FOLDER.glob("*.md"))
DOCUMENTS = [ROOT / "README.md", ROOT / "emulator/README.md", ROOT / "contracts/README.md", *PAGES]

_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A fenced block: `line` is the number of its first line of text, `labels` are the words after the language."""

    page: Path
    line: int
    language: str
    labels: tuple[str, ...]
    text: str

    @property
    def place(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"

    @property
    def exit_code(self) -> int:
        """What the label `exit=` says; 0 without one."""
        return next((int(label.removeprefix("exit=")) for label in self.labels if label.startswith("exit=")), 0)


def blocks_of(page: Path) -> Iterator[Block]:
    """The fenced blocks of a page, in order."""
    lines = page.read_text(encoding="utf-8").splitlines()
    start: int | None = None
    for number, line in enumerate(lines):
        if not line.startswith("```"):
            continue
        if start is None:
            start = number
            continue
        language, *labels = lines[start][3:].split() or [""]
        yield Block(
            page=page,
            line=start + 2,
            language=language,
            labels=tuple(labels),
            text="\n".join(lines[start + 1 : number]),
        )
        start = None
    assert start is None, f"{page}:{start}: this block has no end"


def links_of(page: Path) -> list[str]:
    """The targets of the links of a page."""
    return _LINK.findall(_without_blocks(page))


def anchors_of(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", _without_blocks(page), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def _without_blocks(page: Path) -> str:
    return re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
