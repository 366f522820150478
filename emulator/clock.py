"""The only door to time. A sandbox has its own clock, so that hours pass when told and nothing sleeps."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import ceil
from threading import Lock
from typing import Protocol

from emulator.errors import InputError

# Long before the last moment that can be written, so that what is due later still has one.
LATEST = datetime(9000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockSetting:
    """How a clock stands to the machine's time: ahead of it by `offset`, or still at `frozen_at` (UTC)."""

    offset: timedelta = timedelta()
    frozen_at: datetime | None = None

    def now(self) -> datetime:
        """The present moment under this setting."""
        return self.frozen_at or datetime.now(UTC) + self.offset


Step = Callable[[ClockSetting], ClockSetting]


class ClockMemory(Protocol):
    """Keeps a clock's setting where it outlives the process, or where several processes see it."""

    def recall(self) -> ClockSetting | None:
        """The setting that was kept last."""
        ...

    def change(self, step: Step, *, otherwise: ClockSetting) -> ClockSetting:
        """Applies a step to what is kept (`otherwise` when nothing is), in one go, and returns the result."""
        ...


class Clock:
    """A sandbox's time: the machine's time plus an offset, or standing still at one moment.

    All moments are timezone-aware UTC. Safe to share between threads.
    """

    def __init__(self, *, frozen_at: datetime | None = None) -> None:
        self._changes = Lock()
        self._setting = ClockSetting(frozen_at=frozen_at.astimezone(UTC) if frozen_at else None)
        self._memory: ClockMemory | None = None

    @property
    def frozen(self) -> bool:
        """True while the clock stands still."""
        return self._setting.frozen_at is not None

    @property
    def offset(self) -> timedelta:
        """How far a running clock is ahead of the machine's."""
        return self._setting.offset

    def now(self) -> datetime:
        """The present moment of this sandbox."""
        # No lock: whoever asks may be in a transaction that a change waits for.
        return self._setting.now()

    def keep_in(self, memory: ClockMemory, *, recall: bool) -> None:
        """Keeps every change in `memory` from now on. `recall` goes on from what is kept there already."""
        self._memory = memory
        if recall:
            self.refresh()
        else:
            setting = self._setting
            memory.change(lambda _kept: setting, otherwise=setting)

    def refresh(self) -> None:
        """Takes over what another process, or a snapshot, has put into the memory."""
        if self._memory is not None:
            # A clock that was never moved is not kept: it runs with the machine's time.
            self._setting = self._memory.recall() or ClockSetting()

    def advance(self, by: timedelta) -> datetime:
        """Moves the clock forward and returns the new present. Time never runs backwards here.

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

    def check_advance(self, by: timedelta) -> None:
        """Raises InputError for a duration that leads past `LATEST`."""
        _check_end(self._setting, by)

    def freeze(self, at: datetime | None = None) -> datetime:
        """Stands the clock still at `at`, or at the present moment."""
        return self._change(
            lambda setting: ClockSetting(offset=setting.offset, frozen_at=at.astimezone(UTC) if at else setting.now())
        )

    def resume(self) -> datetime:
        """Lets a frozen clock run on from the moment at which it stood."""

        def run_on(setting: ClockSetting) -> ClockSetting:
            if setting.frozen_at is None:
                return setting
            return ClockSetting(offset=setting.frozen_at - datetime.now(UTC))

        return self._change(run_on)

    def reset(self) -> datetime:
        """Back to the machine's time, running."""
        return self._change(lambda _setting: ClockSetting())

    def _change(self, step: Step) -> datetime:
        with self._changes:
            if self._memory is None:
                self._setting = step(self._setting)
            else:
                self._setting = self._memory.change(step, otherwise=self._setting)
            return self._setting.now()


def stopwatch() -> Callable[[], float]:
    """Starts measuring real elapsed time; the returned function gives milliseconds so far."""
    started = time.perf_counter()
    return lambda: (time.perf_counter() - started) * 1000.0


class Pace:
    """Lets things happen at an even rate in real time, by making whoever is too early wait."""

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
        """Returns once so many things may have happened since the start."""
        early = number / self._per_second - self._elapsed() / 1000.0
        if early > 0:
            self._sleep(early)


def _check_end(setting: ClockSetting, by: timedelta) -> None:
    if by > LATEST - setting.now():
        raise InputError("time ends there", where="clock", found=str(by), allowed=f"up to {to_iso(LATEST)}")


def to_iso(moment: datetime) -> str:
    """A moment as both companies print it: UTC, milliseconds, `Z`."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def turns(seconds: float, *, every: float) -> Iterator[None]:
    """A turn at once, then one after each `every` seconds of real time, `seconds` in all however long turns take."""
    yield
    for _ in range(ceil(seconds / every)):
        time.sleep(min(every, seconds))
        yield
