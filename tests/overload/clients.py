"""Clients that hold on to a server, each in a process of its own until it is terminated."""

from __future__ import annotations

import asyncio
import json
import resource
from base64 import b64encode
from collections.abc import Awaitable, Callable
from contextlib import suppress
from itertools import count
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from random import Random

SLOW_QUERY = "{ user { email } }"
_HEAD = b"POST /v1/identify HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
# What a client has sent before it falls silent.
HALVES = (b"", _HEAD, _HEAD + b"Content-Length: 1000\r\n\r\n{")
_RANDOM = Random(1)
_KEY = b64encode(b"segment-local:")

Address = tuple[str, int]
Client = Callable[[Address, int], Awaitable[None]]


def start(client: Client, address: Address, number: int) -> BaseProcess:
    """A process with so many clients of one kind."""
    process = get_context("fork").Process(target=_run, args=(client, address, number), daemon=True)
    process.start()
    return process


def _run(client: Client, address: Address, number: int) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))

    async def clients() -> None:
        await asyncio.gather(*(client(address, each) for each in range(number)))

    asyncio.run(clients())


async def half_open(address: Address, number: int) -> None:
    """Sends half a request and waits; connects again when the server closes the connection."""
    while True:
        with suppress(OSError):
            reader, writer = await asyncio.open_connection(*address)
            writer.write(HALVES[number % len(HALVES)])
            with suppress(OSError):
                await reader.read()
            writer.close()
        # Clients that connect again at once would only test how fast both ends can connect.
        await asyncio.sleep(_RANDOM.uniform(5, 15))


async def trickle(address: Address, number: int) -> None:
    """Sends a body of which a byte arrives every second."""
    while True:
        with suppress(OSError):
            _, writer = await asyncio.open_connection(*address)
            writer.write(HALVES[-1])
            while not writer.is_closing():
                await asyncio.sleep(1)
                writer.write(b" ")
                await writer.drain()


async def delayed(address: Address, number: int) -> None:
    """Sends a query for which the server has a latency fault, again and again."""
    await _send_forever(address, lambda: _post("/graphql", b"Bearer sa-local-write", {"query": SLOW_QUERY}))


async def identify(address: Address, number: int) -> None:
    """Sends calls for people whom every destination gets, one call after another, at most ten a second."""
    numbers = count()

    def call() -> bytes:
        user = f"u{number}-{next(numbers)}"
        traits = {"email": f"{user}@example.com", "total_spent": 900}
        return _post("/v1/identify", b"Basic " + _KEY, {"userId": user, "traits": traits})

    await _send_forever(address, call, pause=0.1)


async def _send_forever(address: Address, request: Callable[[], bytes], pause: float = 0.0) -> None:
    while True:
        try:
            reader, writer = await asyncio.open_connection(*address)
            while True:
                writer.write(request())
                head = await reader.readuntil(b"\r\n\r\n")
                length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
                await reader.readexactly(int(length.partition(b":")[2]))
                await asyncio.sleep(pause)
        except (OSError, asyncio.IncompleteReadError):
            await asyncio.sleep(0.1)


def _post(path: str, authorization: bytes, body: object) -> bytes:
    content = json.dumps(body).encode()
    return (
        b"POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nAuthorization: %s\r\n"
        b"Content-Length: %d\r\n\r\n%s" % (path.encode(), authorization, len(content), content)
    )
