"""The clock of a sandbox that several processes share, and the move through what is due that one of them makes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Final

from sqlalchemy import Column, DateTime, Integer, MetaData, Table

from emulator.clock import ClockSetting
from emulator.shared_documents import SharedDocuments
from emulator.store import Store
from emulator.stored_clock import StoredClock, setting_of

SHARED_CLOCK = MetaData()
# One row while a process moves the clock: where it will be then. One that is killed leaves it there.
MOVE = Table(
    "sandbox_clock_move",
    SHARED_CLOCK,
    Column("row", Integer, primary_key=True, autoincrement=False),
    Column("until", DateTime(timezone=True), nullable=False),
)

_MOVING: Final = "clock"

# Not joined: of tables that were never analyzed, PostgreSQL expects so many rows that it would compile the statement.
_READ = """
SELECT (SELECT offset_micros FROM {schema}.sandbox_clock), (SELECT frozen_at_micros FROM {schema}.sandbox_clock),
  (SELECT until FROM {schema}.sandbox_clock_move), name, revision
FROM {schema}.sandbox_documents
"""
_BEGIN = """
INSERT INTO {schema}.sandbox_clock_move (row, until) VALUES (1, %s)
ON CONFLICT (row) DO UPDATE SET until = excluded.until
"""
_END = "DELETE FROM {schema}.sandbox_clock_move"
# The lock is free when the process that had it has been killed. While this statement has it, no other process begins.
_UNTIL = """
WITH move AS MATERIALIZED (
  SELECT until, pg_try_advisory_xact_lock_shared(hashtextextended(%s, 0)) AS over FROM {schema}.sandbox_clock_move
),
ended AS (DELETE FROM {schema}.sandbox_clock_move WHERE (SELECT over FROM move))
SELECT until FROM move WHERE NOT over
"""


class SharedClock(StoredClock):
    """As `StoredClock`. Reading it also says which documents other processes have changed, and whether one moves it."""

    def __init__(self, store: Store, documents: SharedDocuments) -> None:
        super().__init__(store)
        self._documents = documents
        # As of the last reading: a move that begins later need not be noticed by the same request.
        self._moves = False

    def load(self) -> ClockSetting | None:
        """The stored setting."""
        rows = self._store.run(_READ)
        self._documents.notice({name: revision for *_, name, revision in rows})
        offset, frozen_at, until, *_ = rows[0]
        self._moves = until is not None
        return None if offset is None else setting_of(offset, frozen_at)

    @contextmanager
    def alone(self) -> Iterator[Callable[[datetime], object]]:
        """Excludes the moves of other processes within the block; what the value is called with is shown there."""
        with self._store.alone(_MOVING):
            try:
                yield lambda until: self._store.run(_BEGIN, until)
            finally:
                self._store.run(_END)

    def until(self) -> datetime | None:
        """Where the clock will be at the end of the move that a living process makes now."""
        if not self._moves:
            return None
        found = self._store.run(_UNTIL, self._store.name_of(_MOVING))
        return next((until for (until,) in found), None)
