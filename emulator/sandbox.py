"""A sandbox: an isolated set of workspace, data, clock, ids, journal and faults.

Its tokens and write keys identify it. The clock and the count of openings are stored with the data, so that they
outlive a restart; journal, faults and rate limit live as long as the process, unless several processes share the store:
then they are in it, too.
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
from emulator.faults import Faults, SharedFaults, check_faults
from emulator.ids import Ids
from emulator.journal import Journal
from emulator.rate_limit import RateLimiter
from emulator.shared_documents import DOCUMENTS, SharedDocuments
from emulator.shared_journal import SHARED_JOURNAL, SharedJournal
from emulator.shared_rate_limit import SharedRateLimiter
from emulator.statements import Prepared
from emulator.store import SANDBOX_LOCK, Store
from emulator.workspace import Workspace

CLOCK = MetaData()
OPENINGS = MetaData()
# What a store that several processes share has besides.
SHARED = (DOCUMENTS, SHARED_JOURNAL)

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
_CLOCK_AND_REVISIONS = """
SELECT clock.offset_micros, clock.frozen_at_micros, documents.name, documents.revision
FROM {schema}.sandbox_documents AS documents LEFT JOIN {schema}.sandbox_clock AS clock ON true
"""
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
        for tables in (CLOCK, OPENINGS, *(SHARED if self.store.shared else ())):
            self.store.create(tables)
        self.clock = clock or Clock()
        self.ids = Ids(_seed_of_opening(workspace.seed, _count_opening(self.store)))
        self.journal: Journal
        self.faults: Faults
        self.rate_limiter: RateLimiter
        if self.store.shared:
            documents = SharedDocuments(self.store)
            self.clock.keep_in(SharedClock(self.store, documents), load=clock is None)
            self.journal = SharedJournal(self.store)
            self.faults = SharedFaults(self.ids, workspace.faults, document=documents.faults, clock=self.clock)
            limit = workspace.rate_limit
            self.rate_limiter = SharedRateLimiter(self.clock, limit, document=documents.rate_limit)
        else:
            self.clock.keep_in(StoredClock(self.store), load=clock is None)
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
        with self._store.begin(locks=SANDBOX_LOCK) as connection:
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


class SharedClock(StoredClock):
    """As `StoredClock`. Reading it also says which documents other processes have changed."""

    def __init__(self, store: Store, documents: SharedDocuments) -> None:
        super().__init__(store)
        self._documents = documents

    def load(self) -> ClockSetting | None:
        """The stored setting."""
        rows = self._store.run(_CLOCK_AND_REVISIONS)
        self._documents.notice({name: revision for _, _, name, revision in rows})
        offset, frozen_at, *_ = rows[0]
        return None if offset is None else _setting_of(offset, frozen_at)


def stored_clock(connection: Connection) -> ClockSetting | None:
    """The stored setting of a clock, if any. Raises OverflowError or TypeError for an invalid one."""
    return _setting_in(_STORED_CLOCK.rows(connection))


def _setting_in(rows: Sequence[Row[Any]]) -> ClockSetting | None:
    if not rows:
        return None
    [row] = rows
    return _setting_of(row.offset_micros, row.frozen_at_micros)


def _setting_of(offset_micros: int, frozen_at_micros: int | None) -> ClockSetting:
    return ClockSetting(
        offset=offset_micros * _MICROSECOND,
        frozen_at=None if frozen_at_micros is None else _EPOCH + frozen_at_micros * _MICROSECOND,
    )


def _count_opening(store: Store) -> int:
    """1 for the first process that opens the sandbox, then 2, 3, …"""
    with store.begin(locks=SANDBOX_LOCK) as connection:
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
