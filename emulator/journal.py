"""A bounded memory of what happened in a sandbox, and the stream that reporters listen to."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from threading import Lock
from typing import TypeVar

from emulator.events import Event

CAPACITY = 10_000

Listener = Callable[[Event], None]
E = TypeVar("E", bound=Event)


class Journal:
    """Keeps the newest `capacity` events in order; listeners are told each one as it happens."""

    def __init__(self, *, capacity: int = CAPACITY) -> None:
        self._events: deque[Event] = deque(maxlen=capacity)
        self._listeners: list[Listener] = []
        self._lock = Lock()

    def append(self, event: Event) -> None:
        """Remembers an event and tells the listeners."""
        with self._lock:
            self._events.append(event)
            listeners = tuple(self._listeners)
        for listener in listeners:
            listener(event)

    def listen(self, listener: Listener) -> None:
        """Calls `listener` with every event from now on, on the thread on which it happened."""
        with self._lock:
            self._listeners.append(listener)

    def entries(self, kind: type[E]) -> list[E]:
        """The remembered events of one kind, oldest first."""
        with self._lock:
            return [event for event in self._events if isinstance(event, kind)]

    def clear(self) -> None:
        """Forgets everything; listeners stay."""
        with self._lock:
            self._events.clear()
