"""`--coverage` of the commands that run something: what they collect, and the file that they write."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from emulator.harness.client import Endpoint
from emulator.harness.scenarios import PASSED, Result, Target

if TYPE_CHECKING:
    from emulator.harness.coverage import Coverage
    from emulator.server.emulator import Emulator

coverage_option = click.option(
    "--coverage",
    "coverage_path",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write to this file what was exercised; `coverage FILE` shows it.",
)


class CoverageOfEmulator:
    """What the sandboxes of an emulator in this process exercise, also those that are reset or deleted meanwhile."""

    def __init__(self, path: Path) -> None:
        from emulator.complete_files import check_writable
        from emulator.harness.coverage.collected import Collected

        check_writable(path)
        self._path = path
        self._collected = Collected()

    def begin(self, emulator: Emulator) -> None:
        """Counts from now on what is about to be discarded."""
        emulator.before_discarding(self._collected.add)

    def finish(self, emulator: Emulator) -> None:
        """Adds the sandboxes that are left, and writes the file. Raises InputError."""
        for services in emulator.sandboxes.opened():
            services.process_due()
            self._collected.add(services)
        save_coverage(self._collected.coverage, self._path)


class CoverageOfScenarios:
    """What scenarios exercise, each in an endpoint of its own."""

    def __init__(self, path: Path) -> None:
        from emulator.complete_files import check_writable
        from emulator.harness.coverage import Coverage

        check_writable(path)
        self._path = path
        self._coverage = Coverage()

    def observing(self, target: Target) -> Target:
        """The same target. What it opens is counted before it is closed."""
        from emulator.harness.coverage import coverage_at

        @contextmanager
        def opened(workspace: Mapping[str, Any]) -> Iterator[Endpoint]:
            with target.open(workspace) as endpoint:
                yield endpoint
                self._coverage.merge(coverage_at(endpoint))

        return replace(target, open=opened)

    def finish(self, results: Iterable[Result]) -> None:
        """Adds the rows of the ledger that scenarios have shown, and writes the file. Raises InputError."""
        from emulator.harness.coverage.ledger_rows import cover_shown_rows

        shown = {row for result in results if result.outcome == PASSED for row in result.case.shows}
        cover_shown_rows(self._coverage, shown)
        save_coverage(self._coverage, self._path)


def save_coverage(coverage: Coverage, path: Path) -> None:
    """Writes the file, and says so in one line on standard error. Raises InputError."""
    from emulator.harness.coverage import headline, written

    written(coverage, path)
    click.echo(f"stackadapt-emulator: {headline(coverage)}, written to {path}", err=True)
