"""What a scenario says beyond its schema: names that nothing has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from emulator.errors import UserMistake
from emulator.harness.checks.document_finding import ERROR, Finding
from emulator.schemas import mistakes

SCHEMA = "scenario.schema.json"
_FILE = Path("scenario")


def of_scenario(document: Mapping[str, Any]) -> Iterator[Finding]:
    """The first slip in a scenario that fits its schema, as `verify` tells it."""
    # Reading one takes both companies; events are checked sooner without.
    from emulator.harness.scenarios import scenarios_in

    if mistakes(document, SCHEMA):
        return
    try:
        for _ in scenarios_in(document, _FILE):
            pass
    except UserMistake as error:
        yield Finding(
            severity=ERROR,
            path=((error.where or "").removeprefix(f"{_FILE}: "),),
            message=error.message,
            found=error.found,
            allowed=error.allowed,
            fix=error.hint,
        )
