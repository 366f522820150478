"""The most recent events of a sandbox, and the stream of events that reporters subscribe to.

Events have numbers that count up and are never used again, so that a reader can go on where it stopped, and learns of
events that it missed. A cursor is the number of the last event that was read, with the id of the journal: another
process, such as the emulator after a restart, has another journal.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Final, TypeVar

from emulator.errors import InputError
from emulator.events import Event
from emulator.ids import secret

CAPACITY = 10_000
CAPACITY_BYTES = 64 * 1024 * 1024

# Why a reader missed events: too many others came since, the journal was cleared, or it is another journal.
DROPPED: Final = "dropped"
CLEARED: Final = "cleared"
RESTARTED: Final = "restarted"

ID_CHARACTERS = 8
_CURSOR = re.compile(rf"(?P<journal>[0-9a-f]{{{ID_CHARACTERS}}})-(?P<number>[0-9]{{1,15}})", re.ASCII)

# Gets events that happened together in one call, in their order.
Listener = Callable[[Sequence[Event]], None]
E = TypeVar("E", bound=Event)


@dataclass(frozen=True, slots=True, kw_only=True)
class Missed:
    """Events that a reader can no longer get: `reason` is why, `events` their number, None where it is not known."""

    reason: str
    events: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Following:
    """The events after a cursor with their numbers, oldest first; `last` is the number of the newest in the journal."""

    events: Sequence[tuple[int, Event]]
    missed: Missed | None
    last: int


class Journal:
    """Keeps the newest `capacity` events in order, fewer if they occupy more than about `capacity_bytes`.

    The newest is kept whatever its size. Listeners are called with events as they happen.
    """

    def __init__(self, *, capacity: int = CAPACITY, capacity_bytes: int = CAPACITY_BYTES) -> None:
        self._capacity = capacity
        self._capacity_bytes = capacity_bytes
        self._bytes = 0
        self._events: deque[tuple[Event, int]] = deque()
        self._listeners: list[Listener] = []
        self._lock = Lock()
        self._id = secret("")[:ID_CHARACTERS]
        # The number of the newest event, and the number that clearing took, as if it were an event.
        self._last = 0
        self._cleared = 0

    def append(self, event: Event) -> None:
        """Adds an event and calls the listeners."""
        self.extend((event,))

    def extend(self, events: Sequence[Event]) -> None:
        """Adds events that happened together and calls the listeners with them."""
        if not events:
            return
        with self._lock:
            self._add(events)
        self._report(events)

    def _add(self, events: Sequence[Event]) -> None:
        for event in events:
            size = event.size
            self._events.append((event, size))
            self._bytes += size
        self._last += len(events)
        while len(self._events) > 1 and (len(self._events) > self._capacity or self._bytes > self._capacity_bytes):
            self._bytes -= self._events.popleft()[1]

    def _report(self, events: Sequence[Event]) -> None:
        with self._lock:
            listeners = tuple(self._listeners)
        for listener in listeners:
            listener(events)

    def listen(self, listener: Listener) -> None:
        """Calls `listener` with all later events, on the thread on which they happen."""
        with self._lock:
            self._listeners.append(listener)

    def entries(self, kind: type[E]) -> list[E]:
        """The events of one kind, oldest first."""
        with self._lock:
            return [event for event, _ in self._events if isinstance(event, kind)]

    def before(self, cursor: str | None, kind: type[E]) -> list[tuple[int, E]]:
        """The events of one kind before a cursor with their numbers, newest first; all without a cursor.

        After the cursor of another journal, none. Raises InputError for anything else.
        """
        journal, end = (self._id, self._last + 1) if cursor is None else _read(cursor, "before")
        with self._lock:
            numbered = zip(range(self._last, 0, -1), reversed(self._events), strict=False)
            found = [(number, event) for number, (event, _) in numbered if isinstance(event, kind)]
        return [each for each in found if journal == self._id and each[0] < end]

    def cursor(self, number: int | None = None) -> str:
        """The cursor after the event with this number; by default after the newest."""
        return f"{self._id}-{self._last if number is None else number}"

    def after(self, cursor: str | None) -> Following:
        """The events after a cursor, every one that is kept without it. Raises InputError for anything else."""
        read = None if cursor is None else _read(cursor, "after")
        with self._lock:
            oldest = self._last - len(self._events) + 1
            start, missed = self._start(cursor, read, oldest)
            found = []
            # From the newest: those that poll ask for few of many.
            for number, (event, _) in zip(range(self._last, start, -1), reversed(self._events), strict=False):
                found.append((number, event))
            return Following(events=found[::-1], missed=missed, last=self._last)

    def _start(self, cursor: str | None, read: tuple[str, int] | None, oldest: int) -> tuple[int, Missed | None]:
        """The number after which to read, and what is missing there."""
        journal, number = read or (self._id, self._cleared)
        if journal != self._id:
            return 0, Missed(reason=RESTARTED, events=None)
        if number > self._last:
            raise InputError(
                "no event has this cursor yet", where="after", found=cursor, hint=f"The newest is {self.cursor()}."
            )
        if number < self._cleared:
            return 0, Missed(reason=CLEARED, events=None)
        lost = oldest - 1 - number
        return number, Missed(reason=DROPPED, events=lost) if lost > 0 else None

    def clear(self) -> None:
        """Deletes every event; listeners stay."""
        with self._lock:
            self._last += 1
            self._cleared = self._last
            self._events.clear()
            self._bytes = 0


def _read(cursor: str, where: str) -> tuple[str, int]:
    """The id of the journal and the number in a cursor. Raises InputError."""
    match = _CURSOR.fullmatch(cursor)
    if match is None:
        raise InputError(
            "not a cursor", where=where, found=cursor, hint="Send `next` of an earlier response, or leave it out."
        )
    return match["journal"], int(match["number"])
