"""A URL is probed once, and only through the clients of the caller."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from emulator import Emulator
from emulator.errors import InputError, UserMistake
from emulator.harness.client import Endpoint, RemoteEmulator, RemoteGraphQL, in_process, probe

HOST = "http://graphql.example.org:81"


class Host:
    """Makes clients that respond to the probe, and keeps them with their requests."""

    def __init__(self, answer: httpx.Response | httpx.HTTPError) -> None:
        self._answer = answer
        self.clients: list[httpx.Client] = []
        self.asked: list[str] = []

    def connect(self, root: str) -> httpx.Client:
        self.clients.append(httpx.Client(base_url=root, transport=httpx.MockTransport(self._answered)))
        return self.clients[-1]

    def found(self, url: str = HOST, **given: Any) -> RemoteEmulator | RemoteGraphQL:
        return probe(url, self.connect, **{"token": "t", "advertiser_id": "1", **given})

    def _answered(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(f"{request.method} {request.url.path}")
        if isinstance(self._answer, httpx.HTTPError):
            raise self._answer
        return self._answer


def test_an_emulator_is_recognized() -> None:
    host = Host(httpx.Response(200, json={"status": "ok"}))
    found = host.found(token=None, advertiser_id=None)
    assert isinstance(found, RemoteEmulator)
    assert (found.url, host.asked[0]) == ("http://graphql.example.org:81", "GET /_emulator/health")


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(404, html="<html>"),
        httpx.Response(200, html="<html>"),
        httpx.Response(200, json=["ok"]),
        httpx.Response(200, json={"status": "down"}),
        httpx.Response(503, json={"status": "ok"}),
        httpx.Response(200, content=b"\xff"),
    ],
)
@pytest.mark.parametrize(
    ("path", "graphql"), [("", "/graphql"), ("/", "/graphql"), ("/public/graphql?key=secret", "/public/graphql")]
)
def test_any_other_response_is_a_graphql_endpoint(answer: httpx.Response, path: str, graphql: str) -> None:
    found = Host(answer).found(HOST + path)
    assert isinstance(found, RemoteGraphQL)
    assert (found.url, found.path) == ("http://graphql.example.org:81", graphql)


def test_clients_are_closed_after_use() -> None:
    host = Host(httpx.Response(404))
    found = host.found()
    assert isinstance(found, RemoteGraphQL)
    with found.open() as endpoint:
        assert not endpoint.client.is_closed
    assert [client.is_closed for client in host.clients] == [True, True]


def test_the_url_of_an_endpoint_contains_no_secrets() -> None:
    host = Host(httpx.Response(404))
    found = host.found(f"{HOST}/graphql?key=secret", token="secret")
    assert isinstance(found, RemoteGraphQL)
    with found.open() as endpoint:
        assert endpoint.url == HOST
        assert endpoint.token == "secret"
        assert "secret" not in repr((endpoint, found))
    behind = Endpoint(client=host.clients[0], token="t", advertiser_id="1", address=lambda: f"{HOST}?key=secret")
    assert behind.url == HOST


def test_no_response_is_an_error_with_the_address() -> None:
    with pytest.raises(UserMistake, match=r"^http://graphql\.example\.org:81: no response: refused$"):
        Host(httpx.ConnectError("refused")).found()


@pytest.mark.parametrize("missing", ["token", "advertiser_id"])
def test_a_graphql_endpoint_needs_token_and_advertiser(missing: str) -> None:
    option = missing.removesuffix("_id")
    with pytest.raises(
        UserMistake, match=rf"graphql\.example\.org:81: not an emulator, so --our-{option} is required$"
    ):
        Host(httpx.Response(404)).found(options="--our-", **{missing: None})


def test_an_invalid_url_is_not_probed() -> None:
    host = Host(httpx.Response(404))
    with pytest.raises(InputError, match="http or https"):
        host.found("foo")
    assert host.clients == []


def test_an_emulator_in_process_needs_no_socket() -> None:
    with Emulator() as emulator, in_process(emulator.app, address=lambda: emulator.url) as endpoint:
        assert endpoint.control.get("health")["status"] == "ok"
        assert endpoint.url == emulator.url
