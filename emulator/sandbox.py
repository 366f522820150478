"""A sandbox: an isolated set of workspace, data, clock, ids, journal and faults.

Its tokens and write keys identify it. The clock and the count of openings are stored with the data, so that they
outlive a restart; journal, faults and rate limit live as long as the process, unless several processes share the store:
then they are in it, too.
"""

from __future__ import annotations

import hashlib
from copy import copy
from typing import Self

from sqlalchemy import BigInteger, Column, Integer, MetaData, Table, bindparam, insert, select, update

from emulator.clock import Clock
from emulator.faults import Faults, SharedFaults, check_faults
from emulator.ids import Ids
from emulator.journal import Journal
from emulator.rate_limit import RateLimiter
from emulator.shared_clock import SHARED_CLOCK, SharedClock
from emulator.shared_documents import DOCUMENTS, SharedDocuments
from emulator.shared_journal import SHARED_JOURNAL, SharedJournal
from emulator.shared_rate_limit import SharedRateLimiter
from emulator.statements import Prepared
from emulator.store import SANDBOX_LOCK, Store
from emulator.stored_clock import CLOCK, StoredClock
from emulator.workspace import Workspace

OPENINGS = MetaData()
# What a store that several processes share has besides.
SHARED = (DOCUMENTS, SHARED_CLOCK, SHARED_JOURNAL)

# One row: how many times a process has opened this sandbox.
OPENED = Table(
    "sandbox_openings",
    OPENINGS,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("openings", BigInteger, nullable=False),
)

_ROW = 1
_OPENINGS = Prepared(select(OPENED.c.openings))
_FIRST_OPENING = Prepared(insert(OPENED).values(id=_ROW, openings=1))
_NEXT_OPENING = Prepared(update(OPENED).values(openings=bindparam("number")))


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
            shared = SharedClock(self.store, documents)
            self.clock.keep_in(shared, load=clock is None, moves=shared)
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
