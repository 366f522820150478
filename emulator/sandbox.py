"""A sandbox: an isolated set of workspace, data, clock, ids, journal and faults.

Its tokens and write keys identify it. The clock and the count of openings are stored with the data, so that they
outlive a restart; journal and faults live as long as the process.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from copy import copy
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from sqlalchemy import BigInteger, Column, Connection, Integer, MetaData, Row, Table, bindparam, insert, select, update

from emulator.clock import Clock, ClockSetting, Step
from emulator.column_rules import LATEST_MILLIS, holds
from emulator.faults import Faults, check_faults
from emulator.ids import Ids
from emulator.journal import Journal
from emulator.rate_limit import RateLimiter
from emulator.statements import Prepared
from emulator.store import Store
from emulator.workspace import Workspace

CLOCK = MetaData()
OPENINGS = MetaData()

_MOST_MICROS = LATEST_MILLIS * 1000

# One row: microseconds ahead of the machine's time, and microseconds since 1970 at which a frozen clock is.
CLOCK_SETTING = Table(
    "sandbox_clock",
    CLOCK,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("offset_micros", BigInteger, nullable=False, info=holds(least=-_MOST_MICROS, most=_MOST_MICROS)),
    Column("frozen_at_micros", BigInteger, info=holds(most=_MOST_MICROS)),
)

# One row: how many times a process has opened this sandbox.
OPENED = Table(
    "sandbox_openings",
    OPENINGS,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("openings", BigInteger, nullable=False),
)

_ROW = 1
_STORED_CLOCK = Prepared(select(CLOCK_SETTING))
_OPENINGS = Prepared(select(OPENED.c.openings))
_FIRST_OPENING = Prepared(insert(OPENED).values(id=_ROW, openings=1))
_NEXT_OPENING = Prepared(update(OPENED).values(openings=bindparam("number")))
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Sandbox:
    """Everything that a request may read or change. A `clock` replaces the one that is stored.

    `opened_at` is the clock's time when it was opened.
    """

    def __init__(
        self,
        workspace: Workspace,
        *,
        name: str = "default",
        store: Store | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.name = name
        self.workspace = workspace
        self.store = store or Store()
        for tables in (CLOCK, OPENINGS):
            self.store.create(tables)
        self.clock = clock or Clock()
        self.clock.keep_in(StoredClock(self.store), load=clock is None)
        self.ids = Ids(_seed_of_opening(workspace.seed, _count_opening(self.store)))
        self.journal = Journal()
        self.faults = Faults(self.ids, workspace.faults, clock=self.clock)
        self.rate_limiter = RateLimiter(self.clock, workspace.rate_limit)
        self.opened_at = self.clock.now()

    def with_workspace(self, workspace: Workspace) -> Self:
        """The same sandbox with another workspace: store, clock, journal, faults and rate limit are shared.

        A request that has begun goes on with the sandbox that it has. Faults and rate limit change with `begin_use`.
        Raises WorkspaceError for an invalid fault.
        """
        check_faults(workspace.faults)
        changed = copy(self)
        changed.workspace = workspace
        if workspace.seed != self.workspace.seed:
            changed.ids = Ids(_seed_of_opening(workspace.seed, _count_opening(self.store)))
        return changed

    def begin_use(self, before: Workspace) -> None:
        """Makes faults and rate limit those of the workspace, where they differ from the workspace before."""
        self.faults.replace(self.workspace.faults, self.ids)
        if self.workspace.rate_limit != before.rate_limit:
            self.rate_limiter.replace(self.workspace.rate_limit)

    def reset(self) -> None:
        """Resets clock, journal, faults and rate limit. The services clear their own tables."""
        self.clock.reset()
        self.journal.clear()
        self.faults.reset()
        self.rate_limiter.reset()

    def close(self) -> None:
        """Closes the store."""
        self.store.close()


class StoredClock:
    """Stores a clock's setting with the data of its sandbox."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def load(self) -> ClockSetting | None:
        """The stored setting."""
        return _setting_in(self._store.read(select(CLOCK_SETTING)))

    def change(self, step: Step, *, default: ClockSetting) -> ClockSetting:
        """Applies a step to the stored setting, in one transaction."""
        with self._store.begin() as connection:
            stored = stored_clock(connection)
            setting = step(stored or default)
            frozen_at = setting.frozen_at
            row = {
                "offset_micros": setting.offset // _MICROSECOND,
                "frozen_at_micros": None if frozen_at is None else (frozen_at - _EPOCH) // _MICROSECOND,
            }
            statement = insert(CLOCK_SETTING).values(id=_ROW) if stored is None else update(CLOCK_SETTING)
            connection.execute(statement.values(row))
        return setting


def stored_clock(connection: Connection) -> ClockSetting | None:
    """The stored setting of a clock, if any. Raises OverflowError or TypeError for an invalid one."""
    return _setting_in(_STORED_CLOCK.rows(connection))


def _setting_in(rows: Sequence[Row[Any]]) -> ClockSetting | None:
    if not rows:
        return None
    [row] = rows
    frozen_at = row.frozen_at_micros
    return ClockSetting(
        offset=row.offset_micros * _MICROSECOND,
        frozen_at=None if frozen_at is None else _EPOCH + frozen_at * _MICROSECOND,
    )


def _count_opening(store: Store) -> int:
    """1 for the first process that opens the sandbox, then 2, 3, …"""
    with store.begin() as connection:
        before = _OPENINGS.value(connection)
        if before is None:
            _FIRST_OPENING.run(connection)
            return 1
        _NEXT_OPENING.run(connection, number=before + 1)
        return int(before) + 1


def _seed_of_opening(seed: int | None, opening: int) -> int | None:
    """A seed per opening: the same one again would generate ids that are already stored."""
    if seed is None or opening == 1:
        return seed
    return int.from_bytes(hashlib.sha256(f"{seed}/{opening}".encode()).digest()[:8], "big")
