"""Emulators that consist of several processes on one database, behind a proxy that sends each request to the next."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from itertools import count, cycle
from multiprocessing import get_context
from multiprocessing.connection import Connection
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest

from emulator import Emulator
from emulator.server.heartbeat import Heartbeat

_CHUNK = 64 * 1024
# Closing sends a reset, as the server behind the proxy did.
_RESET = struct.pack("ii", 1, 0)
_NUMBERS = count()
# As many as opening streams takes.
_ROUNDS = 3
_BACKLOG = 128


class RoundRobin:
    """A proxy in front of servers. Each request gets a connection of its own, which ends as the server ends it."""

    def __init__(self, urls: list[str]) -> None:
        self.replace(urls)
        # The loop itself has no reference to a task whose client has gone.
        self._serving: set[asyncio.Task[None]] = set()
        self._loop = asyncio.SelectorEventLoop()
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=_BACKLOG)
        self._listening.setblocking(False)
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        # Not `start_server`, which loses clients that connect while it is closed.
        self._loop.add_reader(self._listening, self._accept)
        self._thread = Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def replace(self, urls: list[str]) -> None:
        """Sends requests to these servers from now on."""
        self._next = cycle([(str(part.hostname), int(part.port or 0)) for part in map(urlsplit, urls)])

    def close(self) -> None:
        """Accepts no request any more."""
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _end(self) -> None:
        self._loop.remove_reader(self._listening)
        self._listening.close()
        # One that is cancelled before it has its streams would lose its client.
        await _rounds()
        serving = [*self._serving]
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)
        # What is closed is released a round later.
        await _rounds()

    def _accept(self) -> None:
        try:
            client, _ = self._listening.accept()
        except OSError:
            return
        task = self._loop.create_task(self._serve(client))
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)

    async def _serve(self, client: socket.socket) -> None:
        reader, writer = await asyncio.open_connection(sock=client)
        try:
            first = await reader.readuntil(b"\r\n")
            server_reader, server_writer = await asyncio.open_connection(*next(self._next))
            server_writer.write(first + b"Connection: close\r\n")
            sending = asyncio.ensure_future(_pump(reader, server_writer, without=b"connection"))
            try:
                await _pump(server_reader, writer)
            finally:
                # First what waits for nothing: this task may be cancelled once more.
                server_writer.close()
                sending.cancel()
                await asyncio.gather(sending, return_exceptions=True)
        except asyncio.IncompleteReadError:
            # The client has gone.
            return
        except OSError:
            with suppress(OSError):
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        finally:
            writer.close()


async def _rounds() -> None:
    """Lets the loop do what it does in the next few rounds."""
    for _ in range(_ROUNDS):
        await asyncio.sleep(0)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, without: bytes | None = None) -> None:
    """Passes bytes on until there are no more; of the headers, all but one."""
    while without is not None and (line := await reader.readline()):
        if line.partition(b":")[0].strip().lower() != without:
            writer.write(line)
        if line == b"\r\n":
            break
    while content := await reader.read(_CHUNK):
        writer.write(content)
        await writer.drain()


def serve_peer(url: str, options: dict[str, Any], parent: Connection) -> None:
    """A further process: says where it listens, and ends when the other end of `parent` is closed."""
    with Emulator(database=url, **options) as emulator, Heartbeat(emulator.sandboxes.opened):
        parent.send(emulator.start())
        with suppress(EOFError):
            parent.recv()


@contextmanager
def peers(url: str, number: int, options: dict[str, Any]) -> Iterator[list[str]]:
    """The URLs of further processes."""
    context = get_context("forkserver")
    context.set_forkserver_preload(["emulator", "emulator.server.emulator", "tests.several_processes", "psycopg"])
    started = []
    for _ in range(number):
        here, there = context.Pipe()
        process = context.Process(target=serve_peer, args=(url, options, there), daemon=True)
        process.start()
        there.close()
        started.append((process, here))
    try:
        yield [here.recv() for _, here in started]
    finally:
        for _, here in started:
            here.close()
        for process, _ in started:
            process.join()


# What the other processes get of the arguments of an emulator; the database has its workspace and its clock.
_OPTIONS = ("uploads", "control_token", "latency", "api_version")


@contextmanager
def several_processes(database: str, number: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Within the block, an emulator that would be in memory shares a database of its own with further processes.

    They are started when its port is opened; its URL is that of the proxy.
    """
    plain, server = database.replace("+psycopg", ""), database.rsplit("/", 1)[0]
    names: dict[int, str] = {}
    proxies: dict[int, RoundRobin] = {}
    options: dict[int, dict[str, Any]] = {}
    begin: Callable[..., None] = Emulator.__init__
    start: Callable[..., str] = Emulator.start
    own_url: Callable[[Emulator], str] = Emulator.url.fget  # type: ignore[attr-defined]
    with ExitStack() as opened:

        def create(self: Emulator, workspace: Any = None, **given: Any) -> None:
            if given.get("data") is None and given.get("database") is None:
                name = names[id(self)] = f"several_{next(_NUMBERS)}"
                _run(plain, f"CREATE DATABASE {name}")
                opened.callback(_run, plain, f"DROP DATABASE {name} WITH (FORCE)")
                options[id(self)] = {key: given[key] for key in _OPTIONS if key in given}
                given["database"] = f"{server}/{name}"
            begin(self, workspace, **given)

        def started(self: Emulator, **given: Any) -> str:
            own = start(self, **given)
            if (name := names.get(id(self))) is None:
                return own
            others = opened.enter_context(peers(f"{server}/{name}", number - 1, options[id(self)]))
            proxy = proxies[id(self)] = RoundRobin([own, *others])
            opened.callback(proxy.close)
            return proxy.url

        def url(self: Emulator) -> str:
            return proxies[id(self)].url if id(self) in proxies else own_url(self)

        monkeypatch.setattr(Emulator, "__init__", create)
        monkeypatch.setattr(Emulator, "start", started)
        monkeypatch.setattr(Emulator, "url", property(url))
        yield


def _run(url: str, statement: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement.encode())
