"""Generated calls sent to a Tracking API that records them and may refuse them."""

from __future__ import annotations

import json
from base64 import b64decode
from typing import Any

import httpx
import pytest

from emulator.clock import Throttle
from emulator.errors import UserMistake
from emulator.generator.event_stream import EventStream, IdentifyCalls, StreamOptions
from emulator.generator.job import Job
from emulator.generator.people import Population
from emulator.generator.sending import batches, sent
from emulator.segment.tracking.request_body import parse_body

COUNT = 6000
JOB = Job(
    stream=EventStream(population=Population(seed=2), source=IdentifyCalls(), options=StreamOptions(duplicates=0.05)),
    count=COUNT,
)


class Api:
    """A Tracking API that records calls, and refuses them from some request on."""

    def __init__(self, *, refuses_from: int | None = None) -> None:
        self.requests: list[httpx.Request] = []
        self._refuses_from = refuses_from

    def client(self) -> httpx.Client:
        return httpx.Client(base_url="http://127.0.0.1:8585", transport=httpx.MockTransport(self._answer))

    def calls(self) -> list[dict[str, Any]]:
        return [call for request in self.requests for call in json.loads(request.content)["batch"]]

    def _answer(self, request: httpx.Request) -> httpx.Response:
        if self._refuses_from is not None and len(self.requests) >= self._refuses_from:
            return httpx.Response(429, text="slow down")
        self.requests.append(request)
        return httpx.Response(200, json={"success": True})


def test_calls_arrive_in_order_in_valid_batches() -> None:
    api = Api()
    with api.client() as client:
        sizes = list(sent(client, "a-key", JOB.all_records()))
    assert sum(sizes) == COUNT
    assert api.calls() == list(JOB.all_records())
    for request, size in zip(api.requests, sizes, strict=True):
        assert request.url.path == "/v1/batch"
        assert b64decode(request.headers["authorization"].removeprefix("Basic ")) == b"a-key:"
        # The emulator's parser checks the size of body and messages.
        assert len(parse_body("batch", request.content)["batch"]) == size <= 2500


def test_a_batch_is_filled_to_the_limits() -> None:
    by_number = list(batches({"n": 1} for _ in range(5001)))
    assert [len(batch) for batch in by_number] == [2500, 2500, 1]
    large = [{"text": "x" * 30_000}] * 40
    by_size = list(batches(large))
    sizes = [len(b'{"batch":[' + b",".join(batch) + b"]}") for batch in by_size]
    assert all(size <= 500 * 1024 for size in sizes)
    assert all(size + 30_012 > 500 * 1024 for size in sizes[:-1])


class VirtualTime:
    """Time that passes only in `sleep`."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def elapsed(self) -> float:
        return self.seconds * 1000

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds

    def pace(self, rate: float) -> Throttle:
        return Throttle(rate, elapsed=self.elapsed, sleep=self.sleep)


@pytest.mark.parametrize(("rate", "requests"), [(50, 5), (0.5, 250), (100, 3)])
def test_the_rate_is_kept(rate: float, requests: int) -> None:
    api, time = Api(), VirtualTime()
    job = Job(stream=JOB.stream, count=250)
    with api.client() as client:
        went = [time.seconds for _ in sent(client, "k", job.all_records(), rate=rate, pace=time.pace(rate))]
    assert len(went) == requests
    done = 0
    for request, at in zip(api.requests, went, strict=True):
        assert at == pytest.approx(done / rate)
        done += len(json.loads(request.content)["batch"])


def test_a_late_sender_does_not_wait() -> None:
    time = VirtualTime()
    pace = time.pace(10)
    time.seconds = 100
    pace.wait_for(500)
    assert time.seconds == 100


def test_a_rejection_comes_after_what_was_sent() -> None:
    api = Api(refuses_from=2)
    done = 0
    with api.client() as client, pytest.raises(UserMistake, match=r"refuses the calls: 429.*slow down"):
        for number in sent(client, "k", JOB.all_records()):
            done += number
    assert 0 < done == len(api.calls()) < COUNT


def test_an_unreachable_api_is_named() -> None:
    def refuse(_request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("connection refused")

    with (
        httpx.Client(base_url="http://127.0.0.1:9", transport=httpx.MockTransport(refuse)) as client,
        pytest.raises(UserMistake, match=r"127\.0\.0\.1:9.*does not respond"),
    ):
        next(sent(client, "k", JOB.all_records()))
