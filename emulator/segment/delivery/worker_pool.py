"""Running a function on many items, several at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import TypeVar

T = TypeVar("T")


def run_concurrently(items: Iterator[T], do: Callable[[T], None], *, at_once: int) -> None:
    """Calls `do` with every item; each item, in order, when one of the `at_once` workers is free.

    Returns when all are done. An error of `do` ends its worker and is raised once the others are done.
    """
    if at_once == 1:
        for item in items:
            do(item)
        return
    next_item = Lock()

    def work() -> None:
        while True:
            with next_item:
                try:
                    item = next(items)
                except StopIteration:
                    return
            do(item)

    with ThreadPoolExecutor(at_once, thread_name_prefix="delivery") as pool:
        workers = [pool.submit(work) for _ in range(at_once)]
    for worker in workers:
        worker.result()
