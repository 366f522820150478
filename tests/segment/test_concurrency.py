from __future__ import annotations

from collections.abc import Iterator
from threading import Barrier, Lock

import pytest

from emulator.segment.delivery.worker_pool import run_concurrently


def test_one_at_a_time_keeps_the_order() -> None:
    done: list[int] = []
    run_concurrently(iter(range(5)), done.append, at_once=1)
    assert done == [0, 1, 2, 3, 4]


def test_items_run_concurrently_and_each_once() -> None:
    together, lock, done = Barrier(3), Lock(), []

    def do(number: int) -> None:
        together.wait(timeout=10)
        with lock:
            done.append(number)

    run_concurrently(iter(range(9)), do, at_once=3)
    assert sorted(done) == list(range(9))


def test_an_item_starts_only_when_a_worker_is_free() -> None:
    taken, finished, lock = 0, 0, Lock()

    def items() -> Iterator[int]:
        nonlocal taken
        for number in range(20):
            with lock:
                taken += 1
                assert taken - finished <= 4
            yield number

    def do(_number: int) -> None:
        nonlocal finished
        with lock:
            finished += 1

    run_concurrently(items(), do, at_once=4)
    assert finished == 20


@pytest.mark.parametrize("at_once", [1, 2])
def test_an_error_is_raised(at_once: int) -> None:
    def do(number: int) -> None:
        if number == 3:
            raise KeyError(number)

    with pytest.raises(KeyError):
        run_concurrently(iter(range(6)), do, at_once=at_once)


def test_other_workers_continue_after_an_error() -> None:
    done: list[int] = []

    def do(number: int) -> None:
        if number == 0:
            raise KeyError(number)
        done.append(number)

    with pytest.raises(KeyError):
        run_concurrently(iter(range(6)), do, at_once=2)
    assert done == [1, 2, 3, 4, 5]
