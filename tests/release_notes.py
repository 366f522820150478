"""Prints the notes of a release: its section of CHANGELOG.md.

python -m tests.release_notes 0.1.0
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

CHANGELOG = Path(__file__).resolve().parent.parent / "CHANGELOG.md"
_HEADING = re.compile(r"^## \[([^\]]+)\].*$", re.MULTILINE)


def notes(changelog: str, version: str) -> str:
    """The section of a version, without its heading. Raises SystemExit for a version that has none."""
    headings = [*_HEADING.finditer(changelog)]
    for number, heading in enumerate(headings):
        if heading[1] == version:
            end = headings[number + 1].start() if number + 1 < len(headings) else len(changelog)
            return changelog[heading.end() : end].strip() + "\n"
    known = ", ".join(heading[1] for heading in headings)
    raise SystemExit(f"error: CHANGELOG.md: no section for version {version!r}. Known: {known}.")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit("usage: python -m tests.release_notes VERSION")
    print(notes(CHANGELOG.read_text(encoding="utf-8"), sys.argv[1]), end="")
