"""The only module that reads the time. Each sandbox has its own clock, which moves on request; nothing sleeps."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import ceil
from threading import Lock, get_ident
from typing import Protocol

from emulator.errors import InputError, UserMistake

# Well before the last date that can be written, so that what is due later can be dated.
LATEST = datetime(9000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockSetting:
    """How a clock relates to the machine's: ahead of it by `offset`, or frozen at `frozen_at` (UTC)."""

    offset: timedelta = timedelta()
    frozen_at: datetime | None = None

    def now(self) -> datetime:
        """The current time with this setting."""
        return self.frozen_at or datetime.now(UTC) + self.offset


Step = Callable[[ClockSetting], ClockSetting]


class ClockStore(Protocol):
    """Stores a clock's setting, so that it outlives the process or several processes share it."""

    def load(self) -> ClockSetting | None:
        """The stored setting."""
        ...

    def change(self, step: Step, *, default: ClockSetting) -> ClockSetting:
        """Applies a step to the stored setting (`default` when there is none) atomically and returns the result."""
        ...


class Moves(Protocol):
    """Lets one of several processes at a time move a clock through what is due."""

    def alone(self) -> AbstractContextManager[Callable[[datetime], object]]:
        """Within the block, no other process moves; waits for one that does. Raises StoreFailure.

        The value is to be called with the time at which the clock will be at the end of the block.
        """
        ...

    def until(self) -> datetime | None:
        """Where the clock will be at the end of the block that a process is in now, if one has said so."""
        ...


class Clock:
    """A sandbox's time: the machine's time plus an offset, or frozen.

    All datetimes are timezone-aware UTC. Safe to share between threads.
    """

    def __init__(self, *, frozen_at: datetime | None = None) -> None:
        self._changes = Lock()
        self._setting = ClockSetting(frozen_at=_in_utc(frozen_at) if frozen_at else None)
        self._store: ClockStore | None = None
        self._moves: Moves | None = None
        self._moving = Lock()
        self._mover: int | None = None
        self._until: datetime | None = None

    @property
    def frozen(self) -> bool:
        """Whether the clock is frozen."""
        return self._setting.frozen_at is not None

    @property
    def offset(self) -> timedelta:
        """How far a running clock is ahead of the machine's."""
        return self._setting.offset

    def now(self) -> datetime:
        """The current time of this sandbox."""
        # No lock: the caller may be in a transaction that a change waits for.
        return self._setting.now()

    def keep_in(self, store: ClockStore, *, load: bool, moves: Moves | None = None) -> None:
        """Stores every change in `store` from now on. With `load`, continues from the stored setting.

        `moves` are those of all processes that share the store.
        """
        self._store, self._moves = store, moves
        if load:
            self.refresh()
        else:
            setting = self._setting
            store.change(lambda _stored: setting, default=setting)

    def refresh(self) -> None:
        """Loads what another process, or a snapshot, has stored."""
        if self._store is not None:
            # A clock that was never moved is not stored: it runs with the machine's time.
            self._setting = self._store.load() or ClockSetting()

    def advance(self, by: timedelta) -> datetime:
        """Moves the clock forward and returns the new time.

        Raises ValueError for a negative duration, InputError for one that leads past `LATEST`.
        """
        if by < timedelta():
            raise ValueError("a clock only moves forward")

        def forward(setting: ClockSetting) -> ClockSetting:
            _check_end(setting, by)
            if setting.frozen_at is not None:
                return ClockSetting(offset=setting.offset, frozen_at=setting.frozen_at + by)
            return ClockSetting(offset=setting.offset + by)

        return self._change(forward)

    @contextmanager
    def moving(self, by: timedelta) -> Iterator[datetime]:
        """Within the block, the calling thread alone moves through what is due; waits for another that does.

        The value is the time at which the clock will be at the end. Raises InputError for a duration that leads past
        `LATEST`.
        """
        with self._moving, self._moves.alone() if self._moves else nullcontext(_unannounced) as announce:
            # Another process may have moved it while this one waited.
            self.refresh()
            _check_end(self._setting, by)
            until = self.now() + by
            announce(until)
            self._until, self._mover = until, get_ident()
            try:
                yield until
            finally:
                self._until = self._mover = None

    @property
    def moving_until(self) -> datetime | None:
        """Where the clock will be after the move through what is due that a thread makes now, of any process."""
        return self._until or (self._moves.until() if self._moves else None)

    @property
    def moved_elsewhere(self) -> bool:
        """Whether another thread, of any process, moves through what is due, which no request should wait for."""
        return self._mover != get_ident() and self.moving_until is not None

    def freeze(self, at: datetime | None = None) -> datetime:
        """Freezes the clock at `at`, or at the current time."""
        return self._change(
            lambda setting: ClockSetting(offset=setting.offset, frozen_at=_in_utc(at) if at else setting.now())
        )

    def resume(self) -> datetime:
        """Lets a frozen clock run again from its time."""

        def run(setting: ClockSetting) -> ClockSetting:
            if setting.frozen_at is None:
                return setting
            return ClockSetting(offset=setting.frozen_at - datetime.now(UTC))

        return self._change(run)

    def reset(self) -> datetime:
        """Returns to the machine's time, running."""
        return self._change(lambda _setting: ClockSetting())

    def _change(self, step: Step) -> datetime:
        with self._changes:
            if self._store is None:
                self._setting = step(self._setting)
            else:
                self._setting = self._store.change(step, default=self._setting)
            return self._setting.now()


def _unannounced(until: datetime) -> None:
    """Where no other process can ask."""


def stopwatch() -> Callable[[], float]:
    """Starts measuring real elapsed time; the returned function gives the milliseconds so far."""
    started = time.perf_counter()
    return lambda: (time.perf_counter() - started) * 1000.0


def computing_time() -> Callable[[], float]:
    """Starts measuring how long this thread computes; the returned function gives the seconds so far."""
    started = time.thread_time()
    return lambda: time.thread_time() - started


class Throttle:
    """Limits a loop to an even rate in real time."""

    def __init__(
        self,
        per_second: float,
        *,
        elapsed: Callable[[], float] | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._per_second = per_second
        self._elapsed = elapsed or stopwatch()
        self._sleep = sleep

    def wait_for(self, number: int) -> None:
        """Sleeps until `number` steps may have happened since the start."""
        early = number / self._per_second - self._elapsed() / 1000.0
        if early > 0:
            self._sleep(early)


def polls(seconds: float, *, every: float) -> Iterator[None]:
    """Yields at once, then after each `every` seconds of real time, for `seconds` in total."""
    yield
    for _ in range(ceil(seconds / every)):
        time.sleep(min(every, seconds))
        yield


def to_iso(at: datetime) -> str:
    """A timestamp as both services print it: UTC, milliseconds, `Z`."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def check_machine() -> None:
    """Raises UserMistake when the machine's clock is before 1970, where libraries do not expect it: a pool of database
    connections would replace the one that holds the data in memory.
    """
    if time.time() < 0:
        found = datetime.now(UTC).date().isoformat()
        raise UserMistake("the machine's clock is before 1970", where="clock", found=found, hint="Set it.")


def _in_utc(at: datetime) -> datetime:
    try:
        return at.astimezone(UTC)
    except OverflowError:
        raise InputError("the time has no date in UTC", where="clock", found=at.isoformat()) from None


def _check_end(setting: ClockSetting, by: timedelta) -> None:
    if by > LATEST - setting.now():
        latest = LATEST.isoformat().replace("+00:00", "Z")
        raise InputError(f"cannot advance past {latest}", where="clock", found=str(by))
