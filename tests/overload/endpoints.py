"""Endpoints of destinations that answer after a while, in a process of their own."""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress
from multiprocessing import get_context
from multiprocessing.process import BaseProcess

_ANSWER = b'{"data": {}}'
_RESPONSE = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s" % (
    len(_ANSWER),
    _ANSWER,
)


def start(listening: socket.socket, seconds: float) -> BaseProcess:
    """A process that answers every request to the socket after so many seconds, until it is terminated."""
    process = get_context("fork").Process(target=_serve, args=(listening, seconds), daemon=True)
    process.start()
    return process


def _serve(listening: socket.socket, seconds: float) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # A request arrives much faster than it is answered: what is read by then is a request.
        with suppress(ConnectionError):
            while await reader.read(65536):
                await asyncio.sleep(seconds)
                writer.write(_RESPONSE)
                await writer.drain()
        writer.close()

    async def serve() -> None:
        async with await asyncio.start_server(answer, sock=listening) as server:
            await server.serve_forever()

    asyncio.run(serve())
