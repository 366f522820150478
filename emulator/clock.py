"""The only door to time. A sandbox has its own clock, so that hours pass when told and nothing sleeps."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import Lock


class Clock:
    """A sandbox's time: the machine's time plus an offset, or standing still at one moment.

    All moments are timezone-aware UTC. Safe to share between threads.
    """

    def __init__(self, *, frozen_at: datetime | None = None) -> None:
        self._lock = Lock()
        self._offset = timedelta()
        self._frozen_at = frozen_at.astimezone(UTC) if frozen_at else None

    @property
    def frozen(self) -> bool:
        """True while the clock stands still."""
        return self._frozen_at is not None

    @property
    def offset(self) -> timedelta:
        """How far a running clock is ahead of the machine's."""
        return self._offset

    def now(self) -> datetime:
        """The present moment of this sandbox."""
        with self._lock:
            return self._frozen_at or datetime.now(UTC) + self._offset

    def advance(self, by: timedelta) -> datetime:
        """Moves the clock forward and returns the new present. Time never runs backwards here.

        Raises ValueError for a negative duration.
        """
        if by < timedelta():
            raise ValueError("a clock only moves forward")
        with self._lock:
            if self._frozen_at is not None:
                self._frozen_at += by
                return self._frozen_at
            self._offset += by
            return datetime.now(UTC) + self._offset

    def freeze(self, at: datetime | None = None) -> datetime:
        """Stands the clock still at `at`, or at the present moment."""
        moment = at.astimezone(UTC) if at else self.now()
        with self._lock:
            self._frozen_at = moment
        return moment

    def resume(self) -> datetime:
        """Lets a frozen clock run on from the moment at which it stood."""
        with self._lock:
            if self._frozen_at is not None:
                self._offset = self._frozen_at - datetime.now(UTC)
                self._frozen_at = None
            return datetime.now(UTC) + self._offset

    def reset(self) -> datetime:
        """Back to the machine's time, running."""
        with self._lock:
            self._offset = timedelta()
            self._frozen_at = None
            return datetime.now(UTC)


def stopwatch() -> Callable[[], float]:
    """Starts measuring real elapsed time; the returned function gives milliseconds so far."""
    started = time.perf_counter()
    return lambda: (time.perf_counter() - started) * 1000.0


def to_iso(moment: datetime) -> str:
    """A moment as both companies print it: UTC, milliseconds, `Z`."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
