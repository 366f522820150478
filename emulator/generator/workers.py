"""Blocks made by several processes and returned in order, with only a few made ahead."""

from __future__ import annotations

import os
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import parent_process
from threading import Thread

from emulator.spawning import spawning

_AHEAD = 3
_ORPHANED = 1


def made(make: Callable[[int], bytes], numbers: Iterable[int], *, processes: int) -> Iterator[bytes]:
    """`make` of each number, in order. With more than one process it must be picklable.

    All are made in this process where no other can be started.
    """
    context = spawning() if processes > 1 else None
    if context is None:
        yield from map(make, numbers)
        return
    with ProcessPoolExecutor(processes, mp_context=context, initializer=_prepare) as pool:
        pending: deque[Future[bytes]] = deque()
        try:
            for number in numbers:
                pending.append(pool.submit(make, number))
                if len(pending) == processes * _AHEAD:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:
            for future in pending:
                future.cancel()


def _prepare() -> None:
    # Ctrl-C in a terminal reaches every process; the parent handles it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """Ends this process with its parent: without it, a worker of a killed parent would wait for ever."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(_ORPHANED)
