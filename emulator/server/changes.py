"""Notices that something has happened in a sandbox, for requests that wait for it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from threading import Condition

from emulator.events import Event
from emulator.journal import Journal
from emulator.shared_journal import SharedJournal
from emulator.store import Store


class Changes:
    """Counts the events of a journal. Safe to share between threads."""

    def __init__(self, journal: Journal) -> None:
        self._changed = Condition()
        self._waiting = 0
        self._number = 0
        self._ended = False
        journal.listen(self._happened)

    @property
    def number(self) -> int:
        """How many events have happened."""
        return self._number

    @property
    def ended(self) -> bool:
        """Whether nothing is waited for any more, because the emulator stops."""
        return self._ended

    def end(self) -> None:
        """Ends every wait, also those that start later."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def wait(self, seen: int, *, seconds: float) -> None:
        """Returns when more than `seen` events have happened, at the latest after `seconds` of real time."""
        with self._changed:
            self._waiting += 1
            self._changed.wait_for(lambda: self._ended or self._number != seen, seconds)
            self._waiting -= 1

    def _happened(self, events: Sequence[Event]) -> None:
        self._count(len(events))

    def _count(self, number: int) -> None:
        with self._changed:
            self._number += number
            if self._waiting:
                self._changed.notify_all()


class SharedChanges(Changes):
    """Counts what happens in other processes, too, while something is waited for."""

    def __init__(self, journal: SharedJournal, store: Store) -> None:
        super().__init__(journal)
        self._journal = journal
        self._store = store
        self._newest = 0

    def wait(self, seen: int, *, seconds: float) -> None:
        """As of `Changes`. Returns early when something has happened since the last wait, maybe after `seen`."""
        notices, schema = self._store.notices, self._store.schema
        noticing = nullcontext() if notices is None or schema is None else notices.calling(schema, self._noticed)
        with noticing:
            newest = self._journal.expect(seconds)
            if newest != self._newest:
                self._newest = newest
                self._count(1)
            super().wait(seen, seconds=seconds)

    def _noticed(self) -> None:
        self._count(1)


def changes_of(journal: Journal, store: Store) -> Changes:
    """Those of a sandbox with this journal."""
    return SharedChanges(journal, store) if isinstance(journal, SharedJournal) else Changes(journal)
