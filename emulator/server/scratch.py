"""A scratch copy of a sandbox: its StackAdapt as it is now, in memory, to try something that leaves nothing behind."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from sqlalchemy import Connection, Table, insert, select

from emulator.harness.why import active_faults
from emulator.server.services import SandboxServices
from emulator.server.snapshot import continue_ids
from emulator.server.trial import open_trial
from emulator.stackadapt.rules.outcomes import PENDING, QUEUED
from emulator.stackadapt.tables import RECORDS, STACKADAPT

_ROWS_AT_ONCE = 1_000


@contextmanager
def open_scratch(services: SandboxServices) -> Iterator[SandboxServices]:
    """Opens services with the data of StackAdapt, the faults and the time of a sandbox. Nothing leaves the machine:
    every destination instance sends to the copy.
    """
    services.process_due()
    workspace = services.sandbox.workspace
    destinations = tuple(replace(destination, endpoint=None) for destination in workspace.destinations)
    with open_trial(replace(workspace, destinations=destinations), services.sandbox.clock.now()) as trial:
        with services.sandbox.store.begin() as source, trial.sandbox.store.begin() as copy:
            for table in STACKADAPT.sorted_tables:
                _copy(source, copy, table)
            trial.stackadapt.replaced(copy)
        trial.sandbox.faults.clear()
        for fault in active_faults(services):
            trial.sandbox.faults.add(fault)
        yield trial


def _copy(source: Connection, copy: Connection, table: Table) -> None:
    """Copies the rows of a table; of records, those that may still change."""
    found = select(table)
    if table is RECORDS:
        found = found.where(RECORDS.c.outcome.in_((QUEUED, PENDING)))
    for part in source.execute(found).mappings().partitions(_ROWS_AT_ONCE):
        copy.execute(insert(table), [dict(row) for row in part])
    continue_ids(copy, table)
