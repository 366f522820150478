"""Loopback names are the same in a Host header, in an address of a command and in `serve --host`, however spelled.

A name that only looks like one is refused by all of them: a web page may have resolved it to this machine.
"""

from __future__ import annotations

import copy
import json
import socket
from collections.abc import Iterator
from contextlib import closing
from ipaddress import IPv4Address, IPv6Address
from typing import Any

import httpx
import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st
from werkzeug.test import EnvironBuilder, run_wsgi_app

from emulator import Emulator
from emulator.addresses import address, is_loopback
from emulator.artefacts import fixture
from emulator.cli.serve import warning_about
from emulator.errors import UserMistake, WorkspaceError
from emulator.harness.remote_guard import Permission, check_visit
from emulator.server.host_names import ANY_HOST, open_to
from emulator.server.listener import bind, url_of
from emulator.workspace import parse_workspace

DEFAULT = yaml.safe_load(fixture("workspace.yaml").read_text())

LOOPBACK = [
    *("localhost", "LOCALHOST", "LocalHost.", "localhost."),
    *("127.0.0.1", "127.0.0.2", "127.255.255.254"),
    *("[::1]", "[0:0:0:0:0:0:0:1]", "[0000:0000:0000:0000:0000:0000:0000:0001]", "[::0001]", "[::0.0.0.1]"),
    *("[::ffff:127.0.0.1]", "[::FFFF:7f00:1]", "[0:0:0:0:0:ffff:127.8.9.1]"),
]  # fmt: skip
OTHERS = [
    *("evil.example", "evil-localhost", "localhost.evil.com", "localhost.localdomain", "127.0.0.1.evil.com"),
    # A resolver may ask the network for these.
    *("app.localhost", "127.0.0.1.", "localhost.local", "localtest.me"),
    # Some parsers read these as 127.0.0.1, others as names or as other addresses.
    *("2130706433", "0177.0.0.1", "0x7f.1", "0x7f000001", "127.1", "127.0.1", "127.0.0.01", "0"),
    *("0.0.0.0", "[::]", "[::2]", "[::ffff:10.0.0.1]", "[::127.0.0.1]", "[64:ff9b::7f00:1]", "10.0.0.1"),
]  # fmt: skip
MALFORMED = [
    *("", " ", ":8585", "localhost:x", "localhost:-1", "localhost:0", "localhost:65536", "localhost:123456"),
    *("me@localhost", "me:secret@localhost", "evil.example@localhost", "localhost@evil.example"),
    *("localhost/", "http://localhost", "localhost, localhost", "local host", "localhost..", ".localhost"),
    *("::1", "::1:8585", "[::1", "::1]", "[[::1]]", "[127.0.0.1]", "[localhost]", "[::1%25lo]", "[:::]"),
    *("１２７.0.0.1", "localhost\u3002", "loc\xe4lhost", "localhost%00"),
]  # fmt: skip
HEALTH = "/_emulator/health"


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    with Emulator() as emulator:
        yield emulator


@pytest.fixture(scope="module")
def opened() -> Iterator[Emulator]:
    """As `serve --host 0.0.0.0`."""
    with Emulator() as emulator:
        emulator.app.config[ANY_HOST] = True
        yield emulator


def answered(emulator: Emulator, host: str, path: str = HEALTH, method: str = "GET") -> tuple[int, Any]:
    """Status and body for a Host header. Called without werkzeug's client, which fails on some of them itself."""
    environ = EnvironBuilder(path=path, method=method).get_environ()
    content, status, _ = run_wsgi_app(emulator.app, {**environ, "HTTP_HOST": host}, buffered=True)
    return int(status[:3]), json.loads(b"".join(content))


def statuses(emulator: Emulator, *hosts: str) -> list[int]:
    return [answered(emulator, host)[0] for host in hosts]


def visits(host: str) -> bool:
    """Whether a command sends a request to this host without being allowed to."""
    try:
        check_visit(address(f"http://{host}:8585/graphql"), Permission())
    except UserMistake:
        return False
    return True


def is_endpoint(host: str) -> bool:
    """Whether a workspace may have its destination there."""
    document = copy.deepcopy(DEFAULT)
    document["destinations"][0]["endpoint"] = f"http://{host}:8585/graphql"
    try:
        parse_workspace(document)
    except WorkspaceError:
        return False
    return True


@pytest.mark.parametrize("host", LOOPBACK)
def test_every_spelling_of_a_loopback_host_is_one(emulator: Emulator, host: str) -> None:
    ports = ("", ":", ":8585", ":1", ":65535")
    assert statuses(emulator, *(f"{host}{port}" for port in ports)) == [200] * len(ports)
    assert (visits(host), is_endpoint(host), is_loopback(host.strip("[]"))) == (True, True, True)


@pytest.mark.parametrize("host", OTHERS)
def test_a_name_that_resembles_one_is_another_host(emulator: Emulator, host: str) -> None:
    assert statuses(emulator, host, f"{host}:8585") == [400, 400]
    assert (visits(host), is_endpoint(host)) == (False, False)


@pytest.mark.parametrize("host", MALFORMED)
def test_what_is_not_a_host_name_is_refused_by_every_server(emulator: Emulator, opened: Emulator, host: str) -> None:
    for server in (emulator, opened):
        status, body = answered(server, host.encode().decode("latin-1"))
        assert (status, body["message"]) == (400, "the Host header is not a host name with an optional port")


@settings(deadline=None)
@given(st.ip_addresses(v=4, network="127.0.0.0/8"), st.ip_addresses())
def test_an_address_is_loopback_as_the_standard_says(loopback: IPv4Address, other: IPv4Address | IPv6Address) -> None:
    mapped = IPv6Address(f"::ffff:{loopback}")
    assert all(map(is_loopback, (str(loopback), str(mapped), mapped.exploded, f"[{mapped}]")))
    inner = other.ipv4_mapped if isinstance(other, IPv6Address) else None
    assert is_loopback(str(other)) is (inner or other).is_loopback


@settings(max_examples=200, deadline=None)
@given(st.text(st.characters(max_codepoint=255), max_size=80))
@example("a" * 64)
@example("a." * 200)
@example("my_service:8585")
def test_any_header_is_answered_by_both_servers(emulator: Emulator, opened: Emulator, host: str) -> None:
    """With 200 or 400, and what one on loopback accepts is accepted by one that is open to others."""
    assert statuses(emulator, host) + statuses(opened, host) in ([200, 200], [400, 200], [400, 400])


@pytest.mark.parametrize("host", ["stackadapt", "stackadapt_emulator:8585", "emulator.example:", "10.1.2.3", "[::2]"])
def test_a_server_open_to_others_answers_every_name_and_uses_it_in_urls(opened: Emulator, host: str) -> None:
    assert statuses(opened, host) == [200]
    status, body = answered(opened, host, "/api/graphql", "POST")
    assert status == 404
    assert body["hint"].endswith(f"http://{host.removesuffix(':')}/graphql.")


def sent(url: str, request: str) -> tuple[str, str]:
    """The status line and the rest of the response to the lines of a request."""
    to = httpx.URL(url)
    with socket.create_connection((to.host, to.port or 80), timeout=20) as connection:
        connection.sendall(request.replace("\n", "\r\n").encode() + b"\r\n\r\n")
        connection.shutdown(socket.SHUT_WR)
        with connection.makefile("rb") as answer:
            line, _, rest = answer.read().decode().partition("\r\n")
    return line, rest


def test_a_request_without_a_host_header_is_served_before_http_1_1(emulator: Emulator) -> None:
    line, rest = sent(emulator.url, f"GET {HEALTH} HTTP/1.0")
    assert "200 OK" in line
    # Its URLs have the server's own address.
    assert f"{emulator.url}/graphql" in sent(emulator.url, "POST /api/graphql HTTP/1.0\ncontent-length: 0")[1]
    assert "400" in sent(emulator.url, f"GET {HEALTH} HTTP/1.0\nhost: evil.example")[0]
    line, rest = sent(emulator.url, f"GET {HEALTH} HTTP/1.1")
    assert "400" in line
    assert "the request has no Host header" in rest
    assert f"Use {emulator.url}." in rest


def test_two_host_headers_are_refused(emulator: Emulator) -> None:
    assert "400" in sent(emulator.url, f"GET {HEALTH} HTTP/1.1\nhost: localhost\nhost: evil.example")[0]


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.0.0.2", "127.1", "localhost", "LOCALHOST", "localhost.", "::1", "[::1]", "::ffff:7f00:1"]
)
def test_the_printed_url_is_accepted_by_the_server_and_by_commands(host: str) -> None:
    with Emulator() as emulator:
        try:
            url = emulator.start(host=host)
        except UserMistake:
            if ":" in host:
                pytest.skip("this machine has no IPv6")
            raise
        assert httpx.get(f"{url}{HEALTH}", trust_env=False).status_code == 200
        assert httpx.get(f"{url}{HEALTH}", headers={"host": "evil.example"}, trust_env=False).status_code == 400
        check_visit(httpx.URL(url), Permission())
        assert warning_about(httpx.URL(url).host) is None


# Several processes are behind a proxy, whose address would be printed.
@pytest.mark.one_process
@pytest.mark.parametrize(("host", "printed"), [("0.0.0.0", "127.0.0.1"), ("::", "[::1]")])
def test_a_server_on_every_interface_prints_an_address_that_clients_can_use(host: str, printed: str) -> None:
    with Emulator() as emulator:
        try:
            url = emulator.start(host=host)
        except UserMistake:
            pytest.skip("this machine has no IPv6")
        assert url.startswith(f"http://{printed}:")
        assert httpx.get(f"{url}{HEALTH}", headers={"host": "stackadapt"}, trust_env=False).status_code == 200


def test_a_name_given_to_listen_on_is_accepted_beside_the_loopback_names() -> None:
    with Emulator() as emulator, closing(bind("127.0.0.1", 0)) as listening:
        open_to(emulator.app, "Devbox", listening)
        assert url_of(listening).startswith("http://127.0.0.1:")
        assert statuses(emulator, "devbox", "DEVBOX:8585", "localhost", "evil.example") == [200, 200, 200, 400]


def test_an_empty_host_does_not_open_the_server_to_others() -> None:
    with pytest.raises(UserMistake, match="no address to listen on"):
        bind("", 0)
