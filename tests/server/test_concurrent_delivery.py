"""Several batches of one destination instance sent at once, over a socket to another emulator."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import timedelta
from threading import Barrier, Lock, Thread
from typing import Any

import pytest

from emulator import Emulator, load_workspace

# A gate in front of the receiving process, which gets one request in so many.
pytestmark = pytest.mark.one_process

SECONDS_ALLOWED = 10


class Gate:
    """Admits requests to an application in groups of `together`."""

    def __init__(self, app: Any, together: int) -> None:
        self._app = app
        self._together = Barrier(together)
        self._lock = Lock()
        self._inside = 0
        self.most = 0

    def __call__(self, environ: Any, start_response: Any) -> Iterable[bytes]:
        with self._lock:
            self._inside += 1
            self.most = max(self.most, self._inside)
        try:
            self._together.wait(SECONDS_ALLOWED)
            answer: Iterable[bytes] = self._app(environ, start_response)
            return answer
        finally:
            with self._lock:
                self._inside -= 1


@dataclass
class Pair:
    """Segment in one emulator, StackAdapt behind a gate in the same or another one."""

    sender: Emulator
    receiver: Emulator
    gate: Gate

    def enter(self, *names: str) -> None:
        calls = [
            {"type": "identify", "userId": name, "traits": {"email": f"{name}@example.com", "total_spent": 900}}
            for name in names
        ]
        self.sender.segment.ingest("batch", {"batch": calls})

    def emitted(self) -> list[str]:
        """The email of every event, in the order of emission. All were sent."""
        deliveries = self.sender.segment.deliveries(limit=1000)
        assert {row["outcome"] for row in deliveries} == {"sent"}
        return [_email(row["payload"]) for row in deliveries]

    def arrived(self) -> list[str]:
        """The email of every record, in the order of arrival."""
        return [row["record"]["email"] for row in self.receiver.stackadapt.records(limit=1000)]


def _email(event: dict[str, Any]) -> str:
    email: str = (event if event["type"] == "identify" else event["context"])["traits"]["email"]
    return email


@pytest.fixture
def open_pair() -> Iterator[Callable[..., Pair]]:
    """Opens a pair: over a socket unless `in_process`, with a gate that opens for `together` requests."""
    with ExitStack() as opened:

        def open_(*, concurrency: int, together: int = 1, size: int = 2, in_process: bool = False) -> Pair:
            default = replace(load_workspace(), seed=1)
            destination = replace(default.destinations[0], batch_size=size, batch_concurrency=concurrency)
            receiver = opened.enter_context(Emulator(replace(default, destinations=(destination,))))
            gate = Gate(receiver.app.wsgi_app, together)
            receiver.app.wsgi_app = gate  # type: ignore[method-assign]  # as Flask documents
            if in_process:
                return Pair(receiver, receiver, gate)
            remote = replace(destination, endpoint=f"{receiver.start()}/graphql")
            return Pair(opened.enter_context(Emulator(replace(default, destinations=(remote,)))), receiver, gate)

        yield open_


EIGHT = [f"u{number}" for number in range(8)]


def test_batches_are_sent_with_the_configured_concurrency(open_pair: Callable[..., Pair]) -> None:
    pair = open_pair(concurrency=4, together=4)
    pair.enter(*EIGHT)
    assert pair.gate.most == 4
    assert Counter(pair.arrived()) == Counter(pair.emitted())
    assert len(pair.emitted()) == 16


def test_a_concurrency_of_one_keeps_the_order_of_emission(open_pair: Callable[..., Pair]) -> None:
    pair = open_pair(concurrency=1)
    pair.enter(*EIGHT)
    assert pair.gate.most == 1
    assert pair.arrived() == pair.emitted()


def test_delivery_in_process_keeps_the_order_whatever_the_concurrency(open_pair: Callable[..., Pair]) -> None:
    pair = open_pair(concurrency=4, in_process=True)
    pair.enter(*EIGHT)
    assert pair.gate.most == 1
    assert pair.arrived() == pair.emitted()


def test_within_a_batch_the_order_is_that_of_emission(open_pair: Callable[..., Pair]) -> None:
    pair = open_pair(concurrency=4, size=16)
    pair.enter(*EIGHT)
    assert pair.arrived() == pair.emitted()


def test_retries_and_new_batches_share_the_concurrency(open_pair: Callable[..., Pair]) -> None:
    pair = open_pair(concurrency=4, together=4)
    for emulator in (pair.sender, pair.receiver):
        emulator.sandbox.clock.freeze()
    pair.receiver.sandbox.faults.add({"fault": "status", "status": 503, "times": 8})
    pair.enter(*EIGHT)
    assert {row["outcome"] for row in pair.sender.segment.deliveries()} == {"retrying"}
    pair.sender.sandbox.clock.advance(timedelta(minutes=1))
    pair.enter(*(f"later{number}" for number in range(4)))
    assert pair.gate.most == 4
    assert Counter(pair.arrived()) == Counter(pair.emitted())
    assert len(pair.arrived()) == 24


def test_concurrent_senders_neither_lose_nor_duplicate_events(open_pair: Callable[..., Pair]) -> None:
    pair = open_pair(concurrency=3, size=3)
    senders = [
        Thread(target=lambda name=name: [pair.enter(f"{name}-{number}") for number in range(10)])
        for name in ("a", "b", "c", "d")
    ]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    assert Counter(pair.arrived()) == Counter(pair.emitted())
    assert len(pair.arrived()) == 80
