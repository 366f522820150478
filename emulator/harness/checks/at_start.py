"""What is printed about a workspace when an emulator starts with it: errors in full, warnings as a count."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from pathlib import Path

from emulator.harness.checks.finding import ERROR, REFUSED, WARNING, Finding


def lines_at_start(findings: list[Finding], path: Path | str) -> Iterator[str]:
    """The lines for standard error; none when there is neither an error nor a warning.

    What keeps the emulator from starting is left out: it is the error with which the start fails.
    """
    for finding in findings:
        if finding.severity == ERROR and finding.code != REFUSED:
            yield from finding_lines(finding, severity=finding.severity, where=f"{path}: ")
    warnings = sum(finding.severity == WARNING for finding in findings)
    if warnings:
        file = shlex.quote(str(path))
        yield f"{warnings} warning{'s' if warnings > 1 else ''} about {path}: run stackadapt-emulator lint {file}"


def finding_lines(finding: Finding, *, severity: str, where: str = "") -> Iterator[str]:
    """A finding as text; `severity` may be coloured, `where` is what comes before its place."""
    yield f"{finding.code} {severity} {where}{finding.place}"
    yield f"  {finding.message}"
    # A message may quote the value already.
    if finding.found is not None and repr(finding.found) not in finding.message:
        yield f"  Found: {json.dumps(finding.found, ensure_ascii=False)}"
    for title, text in (("Allowed", finding.allowed), ("Why", finding.why), ("Fix", finding.fix)):
        if text:
            yield f"  {title}: {text}"
