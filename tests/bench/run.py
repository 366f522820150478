"""Runs the groups of rows, one after another."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from time import perf_counter
from typing import Any

from tests.bench import graphql_rows, mapping, people, plan_row, postgresql_row, servers, start_up, sync_rows, tests_row
from tests.bench.rows import Measured, Results, Row, as_json
from tests.bench.scale import Scale

Progress = Callable[[str], None]

MEASURES: Mapping[str, Callable[[Scale], Results]] = {
    "one": graphql_rows.one,
    "thousand": graphql_rows.thousand,
    "page": graphql_rows.page,
    "million": graphql_rows.million,
    "mixed": graphql_rows.mixed,
    "mapping": mapping.mapping,
    "batch": sync_rows.batch,
    "audiences": sync_rows.audiences,
    "clock": sync_rows.clock,
    "plan": plan_row.plan,
    "start": start_up.start,
    "pytest": tests_row.pytest,
    "generator": people.generator,
    "postgresql": postgresql_row.postgresql,
    "workers": postgresql_row.workers,
}
_BESIDE_YOGA = {"one", "thousand", "page", "mixed", "batch", "start"}


def measured(wanted: Sequence[Row], scale: Scale, progress: Progress) -> Iterator[dict[str, Any]]:
    """These rows as they come, as the file has them."""
    for group in dict.fromkeys(row.group for row in wanted):
        progress(f"{group} …")
        started = perf_counter()
        rows = [row for row in wanted if row.group == group]
        absent = servers.no_yoga() if group in _BESIDE_YOGA else None
        results = {row.name: Measured(skipped=absent) for row in rows} if absent else MEASURES[group](scale)
        progress(f"{group}: {perf_counter() - started:.0f} s")
        for row in rows:
            yield as_json(row, results[row.name], scale)
