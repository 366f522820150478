"""When a request runs: one at a time on a few threads, or on the thread of the event loop.

Threads that share the interpreter only slow each other down, so one request runs at a time. One that takes longer or
waits for another server loses its turn and goes on beside the next. Handing a request to a thread and back takes a
sixth of a short one, and more under load: what waits for nothing and is known to be short runs on the event loop
instead when its turn comes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum, auto
from typing import Generic, TypeVar, cast

from emulator.clock import computing_time
from emulator.patience import patience

# Most of them wait for another server at any time.
THREADS = 200

# A request that runs longer than this is not short, and no longer keeps others waiting.
_TURN_SECONDS = 0.02
# An answer does not wait longer for what it has sent to other servers.
_PATIENCE_SECONDS = 2.0
# So many short requests of a connection let its next one run on the event loop; after a long one, so many times as
# many. The first one of a server is long for whatever it sends.
_PROVEN = 5
_TIMES_AS_MANY = 10
# So many in a row, over all connections, speak for a connection that is new.
_PROVEN_BY_OTHERS = 100

T = TypeVar("T")


class Pace(Enum):
    """What is known about a request before it runs."""

    IMMEDIATE = auto()
    """It takes next to no time, and waits for nothing."""
    SHORT = auto()
    """It waits for nothing, and is short if those before it were."""
    ANY = auto()


@dataclass(slots=True)
class ShortInARow:
    """How many requests in a row were short, over all connections."""

    number: int = 0


class TimesTaken:
    """How much time the requests of one connection have taken so far; `overall` is about all connections."""

    def __init__(self, overall: ShortInARow) -> None:
        self._overall = overall
        self._short = 0
        self._needed = _PROVEN

    @property
    def are_short(self) -> bool:
        """Whether the next request is expected to be short."""
        was_long = self._needed > _PROVEN
        return self._short >= self._needed or (self._overall.number >= _PROVEN_BY_OTHERS and not was_long)

    def timed(self, work: Callable[[], T]) -> Callable[[], T]:
        """The same work, which notes how long it took."""

        def work_and_note() -> T:
            # What other threads and processes take from this thread says nothing about the request.
            taken = computing_time()
            try:
                return work()
            finally:
                self._short += 1
                self._overall.number += 1
                if taken() > _TURN_SECONDS:
                    self._short, self._needed = 0, self._needed * _TIMES_AS_MANY
                    self._overall.number = 0

        return work_and_note


class Turns:
    """Runs the requests of one event loop."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="stackadapt-emulator-request")
        self._turn = asyncio.Semaphore(1)
        self._begun = 0
        # How many of them have lost their turn and are not done.
        self._beside = 0

    def stop(self) -> None:
        """Starts no request any more."""
        self._threads.shutdown(wait=False)

    async def run(self, work: Callable[[], T], pace: Callable[[], Pace], taken: TimesTaken) -> T:
        """Runs a part of a request; the times are those of its connection. `pace` is asked when it could run."""
        found = pace()
        if found is Pace.IMMEDIATE:
            return _here(work)
        if found is Pace.SHORT:
            work = taken.timed(work)
        self._begun += 1
        try:
            async with self._turn:
                if taken.are_short and not self._beside and found is Pace.SHORT is pace():
                    return _here(work)
                exchange = _Exchange(work, _PATIENCE_SECONDS if self._begun <= THREADS // 2 else 0)
                timer = exchange.loop.call_later(_TURN_SECONDS, exchange.lose_turn)
                self._threads.submit(exchange.step)
                await exchange.over
                timer.cancel()
            self._beside += 1
            try:
                return await exchange.done
            finally:
                self._beside -= 1
        finally:
            self._begun -= 1

    async def run_beside(self, work: Callable[[], T]) -> T:
        """Runs what ends a request, beside the others."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)


def _here(work: Callable[[], T]) -> T:
    """Runs what must not wait, on the event loop."""
    with patience(0):
        return work()


class _Exchange(Generic[T]):
    """Work that a thread does for the loop. `over` is set when its turn ends, `done` when it does.

    Futures alone, without tasks: this happens for every request, and takes a good part of a short one.
    """

    def __init__(self, work: Callable[[], T], patience_seconds: float) -> None:
        self.loop = asyncio.get_running_loop()
        self.over: asyncio.Future[None] = self.loop.create_future()
        self.done: asyncio.Future[T] = self.loop.create_future()
        self._work = work
        self._patience_seconds = patience_seconds

    def lose_turn(self) -> None:
        if not self.over.done():
            self.over.set_result(None)

    def step(self) -> None:
        """Does the work, on its thread."""
        result, failure = None, None
        try:
            with patience(self._patience_seconds, on_wait=lambda: self.loop.call_soon_threadsafe(self.lose_turn)):
                result = self._work()
        except BaseException as error:  # noqa: BLE001 - the request must end whatever it is
            failure = error

        def end() -> None:
            self.lose_turn()
            if self.done.done():
                return
            if failure is not None:
                self.done.set_exception(failure)
            else:
                self.done.set_result(cast(T, result))

        # The loop is closed when a request outlives the server.
        with suppress(RuntimeError):
            self.loop.call_soon_threadsafe(end)
