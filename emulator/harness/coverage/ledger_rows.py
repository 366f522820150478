"""The rows of the ledger that a run can be seen to exercise: those that scenarios show."""

from __future__ import annotations

from collections.abc import Collection

from emulator.harness.coverage.covered import Coverage, Section
from emulator.harness.ledger import behaviours


def cover_rows(coverage: Coverage, exercised: Collection[str]) -> None:
    """Adds the rows that any built-in scenario shows; `exercised` are the ids of those covered."""
    for row in behaviours():
        if row.scenarios or row.id in exercised:
            coverage.add("ledger", Section(row.area), row.id, covered=row.id in exercised)
