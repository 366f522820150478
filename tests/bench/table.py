"""The table of a run: as text for the terminal, as Markdown for README, as JSON to keep."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

_GREEN, _RED, _PLAIN = "\x1b[32m", "\x1b[31m", "\x1b[0m"
HEADS = ("work", "", "emulator", "beside", "peer", "ratio", "target", "")
_WIDTHS = (52, 13, 10, 20, 10, 8, 9, 0)


def machine() -> dict[str, Any]:
    """When and where a run took place."""
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "python": platform.python_version(),
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or "unknown"
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")


def as_text(row: Mapping[str, Any], *, colour: bool) -> str:
    """A line of the terminal's table."""
    cells = _cells(row)
    line = "".join(cell.ljust(width) for cell, width in zip(cells[:-1], _WIDTHS, strict=False))
    code = {True: _GREEN, False: _RED, None: ""}[row["met"]] if colour else ""
    return f"{line}{code}{cells[-1]}{_PLAIN if code else ''}"


def heads() -> str:
    """The line above them."""
    return "".join(head.ljust(width) for head, width in zip(HEADS, _WIDTHS, strict=True)).rstrip()


def as_markdown(report: Mapping[str, Any]) -> str:
    """The table of README, with the date and the machine."""
    where = report["machine"]
    lines = [
        f"Measured on {where['date']}: {where['processor']}, {where['cores']} cores, Python {where['python']}.",
        "A figure is the median of its rounds, and a ratio the emulator's figure divided by the peer's.",
        "",
        f"| {' | '.join(HEADS)} |",
        f"|{'---|' * len(HEADS)}",
        *(f"| {' | '.join(_cells(row))} |" for row in report["rows"]),
    ]
    return "\n".join(lines)


def _cells(row: Mapping[str, Any]) -> Sequence[str]:
    if row["skipped"]:
        return row["work"], row["unit"], "–", row["beside"], "–", "–", row["target"], f"skipped: {row['skipped']}"
    return (
        row["work"],
        row["unit"],
        _number(row["figure"]),
        row["beside"],
        _number(row["peer"]),
        _number(row["ratio"]),
        row["target"],
        "ok" if row["met"] else "missed",
    )


def _number(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
