"""The check of a scenario beyond its schema: names, and the workspace that it describes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from emulator.errors import UserMistake
from emulator.harness.checks.document_kinds import Content
from emulator.harness.checks.finding import ERROR, Finding, of_mistake
from emulator.harness.checks.registry import check
from emulator.harness.scenarios.files import scenarios_in
from emulator.schemas import mistakes

_FILE = Path("scenario")


@check("N001", ERROR, "The scenario uses an unknown name or describes an invalid workspace.", "scenario")
def unusable(content: Content) -> Iterator[Finding]:
    """The first mistake in a scenario that fits its schema, the one that `verify` reports."""
    if mistakes(content.value, content.kind.schema):
        return
    try:
        for _ in scenarios_in(content.value, _FILE):
            pass
    except UserMistake as error:
        yield of_mistake(error, (error.where or "").removeprefix(f"{_FILE}: "))
