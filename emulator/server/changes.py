"""Notices that something has happened in a sandbox, for requests that wait for it."""

from __future__ import annotations

from collections.abc import Sequence
from threading import Condition

from emulator.events import Event
from emulator.journal import Journal


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
        with self._changed:
            self._number += len(events)
            if self._waiting:
                self._changed.notify_all()
