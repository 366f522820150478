"""What happens to a sandbox while one of its batches is being sent."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from threading import Event, Thread
from typing import Any

import pytest

from emulator import Emulator, load_workspace

SECONDS_ALLOWED = 10
# Long enough for a request that does not wait to finish; one that waits is alive however long this is.
BRIEFLY = 0.2


@dataclass
class Endpoint:
    """Responds to every request with success, once it is released."""

    arrived: Event = field(default_factory=Event)
    released: Event = field(default_factory=Event)

    def __call__(self, environ: Any, start_response: Any) -> Iterable[bytes]:
        environ["wsgi.input"].read()
        self.arrived.set()
        self.released.wait(SECONDS_ALLOWED)
        start_response("200 OK", [("Content-Type", "application/json")])
        return [b'{"data":{}}']


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    endpoint = Endpoint()
    yield endpoint
    endpoint.released.set()


@pytest.fixture
def emulator(endpoint: Endpoint) -> Iterator[Emulator]:
    """An emulator that delivers to the endpoint."""
    default = replace(load_workspace(), seed=1)
    with Emulator(default) as receiver:
        receiver.app.wsgi_app = endpoint  # type: ignore[method-assign]  # as Flask documents
        remote = replace(default.destinations[0], endpoint=f"{receiver.start()}/graphql")
        with Emulator(replace(default, destinations=(remote,))) as sender:
            yield sender


def enter(emulator: Emulator, name: str) -> None:
    emulator.segment.ingest(
        "identify", {"userId": name, "traits": {"email": f"{name}@example.com", "total_spent": 900}}
    )


def reset(emulator: Emulator) -> Callable[[], int]:
    return lambda: emulator.client.post("/_emulator/reset").status_code


def load(emulator: Emulator) -> Callable[[], int]:
    empty = emulator.client.get("/_emulator/snapshot").data
    return lambda: emulator.client.put("/_emulator/snapshot", data=empty).status_code


@pytest.mark.parametrize("replacing", [reset, load])
def test_rows_are_not_replaced_while_a_batch_is_being_sent(
    emulator: Emulator, endpoint: Endpoint, replacing: Callable[[Emulator], Callable[[], int]]
) -> None:
    """Ids are reused: its outcome would be recorded for events that were never sent."""
    statuses: list[int] = []
    replace_rows = replacing(emulator)
    delivering = Thread(target=enter, args=(emulator, "old"))
    delivering.start()
    assert endpoint.arrived.wait(SECONDS_ALLOWED)
    waiting = Thread(target=lambda: statuses.append(replace_rows()))
    waiting.start()
    waiting.join(BRIEFLY)
    assert waiting.is_alive()
    endpoint.released.set()
    delivering.join()
    waiting.join()
    assert statuses == [200]
    assert (emulator.segment.deliveries(), emulator.segment.batches()) == ([], [])
