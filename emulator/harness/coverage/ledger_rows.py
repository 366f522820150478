"""The rows of the ledger that a run exercised: read off what else it covers, and those that its scenarios show."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from fnmatch import fnmatchcase

from emulator.harness.coverage.covered import Coverage, Section
from emulator.harness.ledger import Behaviour, behaviours, rows_about

_REASONS = "reasons"


def cover_rows(coverage: Coverage) -> None:
    """Adds the rows that what a sandbox covers can show: those about a reason code, and those with `exercised_by`."""
    about: dict[str, bool] = {}
    for items in coverage.items[_REASONS].values():
        for code, covered in items.items():
            for row in rows_about(code):
                about[row.id] = about.get(row.id, False) or covered
    for row in behaviours():
        if row.id in about or row.exercised_by:
            _add(coverage, row, covered=about.get(row.id, False) or any(_signs(coverage, row)))


def cover_shown_rows(coverage: Coverage, shown: Collection[str]) -> None:
    """Adds the rows that built-in scenarios show; `shown` are the ids of those that were shown in this run."""
    for row in behaviours():
        if row.scenarios or row.id in shown:
            _add(coverage, row, covered=row.id in shown)


def _add(coverage: Coverage, row: Behaviour, *, covered: bool) -> None:
    coverage.add("ledger", Section(row.area), row.id, covered=covered)


def _signs(coverage: Coverage, row: Behaviour) -> Iterator[bool]:
    """Whether each item that fits a pattern of the row is covered."""
    for each in row.exercised_by:
        group, _, pattern = each.partition(": ")
        for section, items in coverage.items[group].items():
            before = f"{section.name} / " if section.name else ""
            yield from (covered for item, covered in items.items() if fnmatchcase(f"{before}{item}", pattern))
