"""The table of README, from the file of a full run: `python -m tests.bench.readme [FILE]`."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.bench.rows import ROWS
from tests.bench.table import as_markdown

README = Path(__file__).resolve().parents[2] / "README.md"
START, END = "<!-- bench: make bench -->\n", "<!-- end of bench -->"


def rewritten(text: str, report: Mapping[str, Any]) -> str:
    """README with the table of this run. Raises ValueError for a partial run, or when the markers are missing."""
    if report["quick"] or [row["row"] for row in report["rows"]] != [row.name for row in ROWS]:
        raise ValueError("README shows a full run with every row: run `make bench`")
    before, _, rest = text.partition(START)
    _, end, after = rest.partition(END)
    if not end:
        raise ValueError(f"README.md needs {START.strip()} and {END}")
    return f"{before}{START}\n{as_markdown(report)}\n\n{END}{after}"


def table_of(text: str) -> str:
    """The part between the markers."""
    return text.partition(START)[2].partition(END)[0].strip()


def write(report: Mapping[str, Any]) -> None:
    """Puts the table of this run into README."""
    README.write_text(rewritten(README.read_text(encoding="utf-8"), report), encoding="utf-8")


if __name__ == "__main__":
    file = Path(sys.argv[1] if len(sys.argv) > 1 else "build/bench.json")
    write(json.loads(file.read_text(encoding="utf-8")))
