"""Doing the same to many things, several at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import TypeVar

T = TypeVar("T")


def run_concurrently(items: Iterator[T], do: Callable[[T], None], *, at_once: int) -> None:
    """Calls `do` with every item; items are taken in order, each when one of the `at_once` lanes is free.

    Returns when all are done. An error of `do` is raised at the end; the other lanes go on without that one.
    """
    if at_once == 1:
        for item in items:
            do(item)
        return
    taking = Lock()

    def run_lane() -> None:
        while True:
            with taking:
                try:
                    item = next(items)
                except StopIteration:
                    return
            do(item)

    with ThreadPoolExecutor(at_once, thread_name_prefix="lane") as pool:
        lanes = [pool.submit(run_lane) for _ in range(at_once)]
    for lane in lanes:
        lane.result()
