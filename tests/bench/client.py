"""A load client: HTTP/1.1 over kept connections, one request at a time on each, the same for every server.

It reads a response no further than its end, so that the client costs little beside the server: about 0.05 ms a request.
"""

from __future__ import annotations

import asyncio
import gc
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from time import perf_counter

from tests.bench.progress import steps

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_LAST_CHUNK = b"0\r\n\r\n"
# A server that stops answering ends the measurement with errors.
_GIVE_UP_SECONDS = 60.0

# The request with this number; None when there are no more.
Requests = Callable[[int], bytes | None]


@dataclass(slots=True)
class Answers:
    """Seconds that each answer took, in the order of arrival, over so many seconds; and what went wrong how often."""

    taken: list[float] = field(default_factory=list)
    seconds: float = 0.0
    errors: Counter[str] = field(default_factory=Counter)

    def milliseconds(self, share: float) -> float:
        """The time at a quantile; raises ValueError without an answer."""
        if not self.taken:
            raise ValueError(f"no answers: {dict(self.errors)}")
        return sorted(self.taken)[min(int(len(self.taken) * share), len(self.taken) - 1)] * 1000

    @property
    def rate(self) -> float:
        return len(self.taken) / self.seconds

    def checked(self) -> Answers:
        """Itself; raises RuntimeError if a request failed."""
        if self.errors:
            raise RuntimeError(f"requests failed: {dict(self.errors)}")
        return self


def post(path: str, authorization: str, body: bytes) -> bytes:
    """A request, ready to send."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"Authorization: {authorization}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def each(requests: Sequence[bytes]) -> Requests:
    """Each of these once, in order."""
    rest = steps("requests", requests)
    return lambda _: next(rest, None)


def drive(port: int, requests: Requests, *, connections: int = 1, seconds: float = 600.0) -> Answers:
    """Sends requests over so many connections until there are no more, or for so long."""
    gc.collect()
    gc.disable()
    try:
        return asyncio.run(_drive(port, requests, connections, seconds))
    finally:
        gc.enable()


async def _drive(port: int, requests: Requests, connections: int, seconds: float) -> Answers:
    answers = Answers()
    loop = asyncio.get_running_loop()
    opened = []
    for _ in range(connections):
        _, connection = await loop.create_connection(_Connection, "127.0.0.1", port)
        opened.append(connection)
    run = _Run(requests, answers, perf_counter() + seconds)
    started = perf_counter()
    for connection in opened:
        connection.start(run)
    _, unanswered = await asyncio.wait([each.done for each in opened], timeout=seconds + _GIVE_UP_SECONDS)
    answers.seconds = perf_counter() - started
    if unanswered:
        answers.errors["no answer"] += len(unanswered)
    for connection in opened:
        connection.close()
    return answers


@dataclass(slots=True)
class _Run:
    requests: Requests
    answers: Answers
    until: float
    sent: int = 0

    def next(self) -> bytes | None:
        if perf_counter() >= self.until:
            return None
        self.sent += 1
        return self.requests(self.sent - 1)


class _Connection(asyncio.Protocol):
    def __init__(self) -> None:
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._parts: list[bytes] = []
        self._missing = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def start(self, run: _Run) -> None:
        self._run = run
        self._send()

    def close(self) -> None:
        self._transport.abort()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.done.done():
            self._run.answers.errors["connection closed"] += 1
            self.done.set_result(None)

    def data_received(self, data: bytes) -> None:
        if not self._parts:
            self._missing = _missing(data)
        else:
            self._missing -= len(data)
        self._parts.append(data)
        if self._missing > 0 or (self._missing < 0 and not data.endswith(_LAST_CHUNK)):
            return
        self._answered(b"".join(self._parts))

    def _answered(self, response: bytes) -> None:
        answers = self._run.answers
        answers.taken.append(perf_counter() - self._sent)
        if response[9:12] != b"200":
            answers.errors[f"status {response[9:12].decode()}"] += 1
        elif b'"errors"' in response:
            answers.errors["errors in the body"] += 1
        self._parts.clear()
        self._send()

    def _send(self) -> None:
        request = self._run.next()
        if request is None:
            self.done.set_result(None)
            return
        self._sent = perf_counter()
        self._transport.write(request)


def _missing(first: bytes) -> int:
    """How many bytes of a response are still to come; negative when it is sent in chunks."""
    end = first.find(b"\r\n\r\n")
    length = _LENGTH.search(first, 0, end) if end >= 0 else None
    # Loopback delivers a head as a whole.
    return -1 if length is None else end + 4 + int(length[1]) - len(first)
