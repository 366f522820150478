"""The most recent events of a sandbox, and the stream of events that reporters subscribe to."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from threading import Lock
from typing import TypeVar

from emulator.events import Event

CAPACITY = 10_000
CAPACITY_BYTES = 64 * 1024 * 1024

# Gets events that happened together in one call, in their order.
Listener = Callable[[Sequence[Event]], None]
E = TypeVar("E", bound=Event)


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

    def append(self, event: Event) -> None:
        """Adds an event and calls the listeners."""
        self.extend((event,))

    def extend(self, events: Sequence[Event]) -> None:
        """Adds events that happened together and calls the listeners with them."""
        if not events:
            return
        with self._lock:
            for event in events:
                size = event.size
                self._events.append((event, size))
                self._bytes += size
            while len(self._events) > 1 and (len(self._events) > self._capacity or self._bytes > self._capacity_bytes):
                self._bytes -= self._events.popleft()[1]
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

    def clear(self) -> None:
        """Deletes every event; listeners stay."""
        with self._lock:
            self._events.clear()
            self._bytes = 0
