"""What answers at a URL is found out once, and asked through the caller's clients only."""

from __future__ import annotations

import httpx
import pytest

from emulator import Emulator
from emulator.errors import InputError, UserMistake
from emulator.harness.client import Endpoint
from emulator.harness.client.opening import EmulatorAt, GraphQLAt, answering_at, in_process

HOST = "http://graphql.example.org:81"


class Host:
    """Clients whose requests end in an answer to the probe, and what became of them."""

    def __init__(self, answer: httpx.Response | httpx.HTTPError) -> None:
        self._answer = answer
        self.clients: list[httpx.Client] = []
        self.asked: list[str] = []

    def connect(self, root: str) -> httpx.Client:
        self.clients.append(httpx.Client(base_url=root, transport=httpx.MockTransport(self._answered)))
        return self.clients[-1]

    def found(self, url: str = HOST, **given: str | None) -> EmulatorAt | GraphQLAt:
        return answering_at(url, self.connect, **{"token": "t", "advertiser_id": "1", **given})  # type: ignore[arg-type]

    def _answered(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(f"{request.method} {request.url.path}")
        if isinstance(self._answer, httpx.HTTPError):
            raise self._answer
        return self._answer


def test_an_emulator_says_that_it_is_one() -> None:
    host = Host(httpx.Response(200, json={"status": "ok"}))
    found = host.found(token=None, advertiser_id=None)
    assert isinstance(found, EmulatorAt)
    assert (found.url, host.asked) == ("http://graphql.example.org:81", ["GET /_emulator/health"])


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
def test_whoever_says_anything_else_is_asked_for_graphql_alone(answer: httpx.Response, path: str, graphql: str) -> None:
    found = Host(answer).found(HOST + path)
    assert isinstance(found, GraphQLAt)
    assert (found.url, found.path) == ("http://graphql.example.org:81", graphql)


def test_a_client_is_closed_when_nobody_asks_any_more() -> None:
    host = Host(httpx.Response(404))
    found = host.found()
    assert isinstance(found, GraphQLAt)
    with found.open() as endpoint:
        assert not endpoint.client.is_closed
    assert [client.is_closed for client in host.clients] == [True, True]


def test_an_endpoint_is_named_without_what_may_be_secret() -> None:
    host = Host(httpx.Response(404))
    found = host.found(f"{HOST}/graphql?key=secret", token="secret")
    assert isinstance(found, GraphQLAt)
    with found.open() as endpoint:
        assert endpoint.url == HOST
        assert endpoint.token == "secret"
        assert "secret" not in repr((endpoint, found))
    behind = Endpoint(client=host.clients[0], token="t", advertiser_id="1", address=lambda: f"{HOST}?key=secret")
    assert behind.url == HOST


def test_nobody_there_is_told_with_the_address() -> None:
    with pytest.raises(UserMistake, match=r"^http://graphql\.example\.org:81: nobody answers: refused\.$"):
        Host(httpx.ConnectError("refused")).found()


@pytest.mark.parametrize("missing", ["token", "advertiser_id"])
def test_a_bare_endpoint_needs_both_options_by_the_caller_s_names(missing: str) -> None:
    option = missing.removesuffix("_id")
    with pytest.raises(UserMistake, match=rf"graphql\.example\.org:81: .* so it needs --our-{option}\."):
        Host(httpx.Response(404)).found(options="--our-", **{missing: None})


def test_what_is_no_url_asks_nobody() -> None:
    host = Host(httpx.Response(404))
    with pytest.raises(InputError, match="must be http or https"):
        host.found("foo")
    assert host.clients == []


def test_an_application_is_asked_without_a_socket() -> None:
    with Emulator() as emulator, in_process(emulator.app, address=lambda: emulator.url) as endpoint:
        assert endpoint.control.get("health")["status"] == "ok"
        assert endpoint.url == emulator.url
