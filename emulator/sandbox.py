"""A sandbox: one world with its own workspace, data, time, ids, journal and faults. There is nothing outside it.

A bearer token or a write key finds the sandbox; a test gets its own.
"""

from __future__ import annotations

from emulator.clock import Clock
from emulator.faults import Faults
from emulator.ids import Ids
from emulator.journal import Journal
from emulator.store import Store
from emulator.workspace import Workspace


class Sandbox:
    """Owns everything that a request may read or change."""

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
        self.clock = clock or Clock()
        self.ids = Ids(workspace.seed)
        self.journal = Journal()
        self.faults = Faults()

    def reset(self) -> None:
        """Forgets time, journal and faults. The rooms clear their own tables."""
        self.clock.reset()
        self.journal.clear()
        self.faults.clear()

    def close(self) -> None:
        """Gives the store's connections back."""
        self.store.close()
