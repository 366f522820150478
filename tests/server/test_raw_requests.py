"""What a hostile page or neighbour can send: nothing is changed by it, and no part is read as another request.

The table lists bytes and the statuses of the responses. A reset is what must not happen: it empties the journal.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from emulator import Emulator
from emulator.server import http_connections

# What one connection gets, which ends with each request to another process.
pytestmark = pytest.mark.one_process

RESET, LENGTH = b"POST /_emulator/reset HTTP/1.1\r\n", b"Content-Length: 0\r\n"
LOCAL, FOREIGN = b"Host: localhost\r\n", b"Host: localhost\r\nOrigin: http://evil.example\r\n"
HEALTH = b"GET /_emulator/health HTTP/1.1\r\nHost: localhost\r\n"
LAST = HEALTH + b"Connection: close\r\n\r\n"
CALL = b"POST /v1/identify HTTP/1.1\r\nHost: localhost\r\n"


def reset(path: bytes) -> bytes:
    return b"POST " + path + b" HTTP/1.1\r\n" + FOREIGN + LENGTH + b"\r\n"


def from_origin(origin: bytes) -> bytes:
    return RESET + LOCAL + b"Origin: " + origin + b"\r\n" + LENGTH + b"\r\n"


def fetched(site: bytes) -> bytes:
    return RESET + LOCAL + b"Sec-Fetch-Site: " + site + b"\r\n" + LENGTH + b"\r\n"


REFUSED = {
    # The host of the URL counts, not that of the header.
    "whole URL of another host": (
        b"POST http://evil.example/_emulator/reset HTTP/1.1\r\n" + LOCAL + LENGTH + b"\r\n",
        400,
    ),
    "whole URL of another host alone": (
        b"POST http://evil.example/_emulator/reset HTTP/1.1\r\n" + LENGTH + b"\r\n",
        400,
    ),
    "another host": (RESET + b"Host: evil.example\r\n" + LENGTH + b"\r\n", 400),
    "a longer host": (RESET + b"Host: localhost.evil.example\r\n" + LENGTH + b"\r\n", 400),
    "a host with a user": (RESET + b"Host: localhost@evil.example\r\n" + LENGTH + b"\r\n", 400),
    "a host with a path": (RESET + b"Host: localhost/evil\r\n" + LENGTH + b"\r\n", 400),
    "two hosts": (RESET + LOCAL + b"Host: evil.example\r\n" + LENGTH + b"\r\n", 400),
    "an underscore for a hyphen": (RESET + FOREIGN + b"Sec_Fetch_Site: same-origin\r\n" + LENGTH + b"\r\n", 403),
    "an origin in the trailer": (
        RESET + FOREIGN + b"Transfer-Encoding: chunked\r\n\r\n0\r\nOrigin: http://localhost\r\n\r\n",
        403,
    ),
    "HTTP/1.0": (b"POST /_emulator/reset HTTP/1.0\r\nOrigin: http://evil.example\r\n" + LENGTH + b"\r\n", 403),
    "another spelling of the method": (
        b"GET /_emulator/reset HTTP/1.1\r\n" + LOCAL + b"X-HTTP-Method-Override: POST\r\n\r\n",
        405,
    ),
    **{
        f"path {path.decode()}": (reset(path), status)
        for path, status in {
            b"/%5femulator/reset": 403,
            b"//_emulator/reset": 403,
            b"/_emulator//reset": 403,
            b"/_emulator/reset/": 403,
            b"/_emulator%2freset": 403,
            b"/_emulator/%72eset": 403,
            b"/_emulator/reset;x": 403,
            b"/_emulator/reset%00": 403,
            b"/./_emulator/reset": 404,
            b"/v1/../_emulator/reset": 404,
            b"/_EMULATOR/reset": 404,
        }.items()
    },
    **{
        f"origin {origin.decode()}": (from_origin(origin), 403)
        for origin in (
            b"null",
            b"file://",
            b"http://localhost.evil.example",
            b"http://localhost@evil.example",
            b"http://localhost\\@evil.example",
            b"http://localhost http://evil.example",
            b"http://localhost\r\nOrigin: http://evil.example",
            b"http://localhost:3000",
            b"http://127.0.0.1",
            b"https://localhost",
            b"//localhost",
            b"chrome-extension://localhostlocalhostlocalhost",
        )
    },
    **{f"fetch {site.decode()}": (fetched(site), 403) for site in (b"cross-site", b"Cross-Site", b"same-site", b"x")},
}
# Two readings of where a request ends: a proxy in front and the emulator must not differ.
AMBIGUOUS = {
    "length and chunks": CALL + b"Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nG",
    "two lengths": CALL + b"Content-Length: 0\r\nContent-Length: 5\r\n\r\nhello",
    "a list of lengths": CALL + b"Content-Length: 5, 5\r\n\r\nhello",
    "a length with a sign": CALL + b"Content-Length: +5\r\n\r\nhello",
    "a negative length": CALL + b"Content-Length: -5\r\n\r\nhello",
    "a length above every integer": CALL + b"Content-Length: 99999999999999999999999\r\n\r\nhello",
    "chunks are not the last encoding": CALL + b"Transfer-Encoding: chunked, x\r\n\r\n0\r\n\r\n",
    "an unknown encoding": CALL + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "chunks twice": CALL + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n0\r\n\r\n",
    "a chunk without CR": CALL + b"Transfer-Encoding: chunked\r\n\r\n5\nhello\r\n0\r\n\r\n",
    "lines without CR": b"GET /_emulator/health HTTP/1.1\nHost: localhost\n\n",
    "a header that goes on": HEALTH + b"X: a\r\n b\r\n\r\n",
    "a space before the colon": HEALTH + b"Content-Length : 5\r\n\r\nhello",
    "a NUL": HEALTH + b"X: a\0b\r\n\r\n",
    "a CR in a header": HEALTH + b"X: a\rb\r\n\r\n",
    "a tunnel": b"CONNECT localhost:443 HTTP/1.1\r\nHost: localhost:443\r\n\r\n",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
}

Ask = Callable[[bytes], list[int]]


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator() as emulator:
        emulator.start()
        yield emulator


@pytest.fixture
def ask(emulator: Emulator) -> Ask:
    """Sends bytes over one connection and returns the statuses of what is received until it is closed."""
    host, port = emulator.url.removeprefix("http://").split(":")

    def ask(sent: bytes) -> list[int]:
        with socket.create_connection((host, int(port)), timeout=20) as connection:
            connection.sendall(sent)
            received = b""
            with suppress(ConnectionResetError):
                while part := connection.recv(65536):
                    received += part
        return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", received)]

    return ask


def journal(emulator: Emulator) -> int:
    answer = emulator.client.get("/_emulator/journal").json
    assert answer is not None
    return int(answer["total"])


@pytest.mark.parametrize("name", REFUSED)
def test_nothing_is_changed_from_elsewhere(ask: Ask, emulator: Emulator, name: str) -> None:
    emulator.client.post(
        "/graphql", json={"query": "{ __typename }"}, headers={"Authorization": "Bearer sa-local-read"}
    )
    before = journal(emulator)
    sent, status = REFUSED[name]
    keeps = not sent.startswith(b"POST /_emulator/reset HTTP/1.0")
    assert ask(sent + LAST * keeps) == [status, *[200] * keeps]
    assert journal(emulator) >= before > 0


@pytest.mark.parametrize("name", AMBIGUOUS)
def test_what_can_be_read_in_two_ways_ends_the_connection(ask: Ask, name: str) -> None:
    assert ask(AMBIGUOUS[name] + LAST) == [400]


@pytest.mark.parametrize("offer", [b"websocket", b"h2c"])
def test_an_offer_of_another_protocol_ends_the_connection_with_its_response(ask: Ask, offer: bytes) -> None:
    [status] = ask(HEALTH + b"Connection: Upgrade\r\nUpgrade: " + offer + b"\r\n\r\n")
    assert status == (200 if offer == b"h2c" else 400)


def test_a_whole_url_of_this_host_is_served(ask: Ask) -> None:
    sent = b"GET http://localhost/_emulator/health HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n"
    assert ask(sent) == [200]


@pytest.mark.parametrize("part", [b"X: " + b"a" * 600_000, b"a: b\r\n" * 100_000], ids=["one", "many"])
def test_a_head_has_a_limit(ask: Ask, part: bytes) -> None:
    assert ask(HEALTH + part) in ([431], [])


def test_a_trailer_has_a_limit(ask: Ask) -> None:
    sent = CALL + b"Transfer-Encoding: chunked\r\n\r\n0\r\n" + b"a: b\r\n" * 100_000
    assert ask(sent) == []


def test_some_requests_may_be_sent_at_once(ask: Ask) -> None:
    most = http_connections.MOST_PIPELINED
    assert ask((HEALTH + b"\r\n") * most + LAST) == [200] * (most + 1)
    assert ask((HEALTH + b"\r\n") * (3 * most)) == []
