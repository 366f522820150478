"""The recording proxy: responses pass through unchanged, and refused requests are not sent."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from emulator.harness.recordings import Recording, read_exchanges
from emulator.harness.remote_guard import GuardedTransport, Permission
from emulator.server.recorder import create_recorder

SANDBOX = "https://sandbox.stackadapt.com/public/graphql"
PRODUCTION = "https://api.stackadapt.com/graphql"
QUERY = {"query": "{ tokenInfo { name } }"}
MUTATION = {"query": "mutation { deleteProfileList(input: {id: 1}) { userErrors { message } } }"}
BEARER = {"authorization": "Bearer sa-very-secret"}
HEADERS = {"content-type": "application/json", "retry-after": "7", "x-ratelimit-limit": "9", "set-cookie": "a=b"}


class Host:
    """The other host: keeps the requests, and responds or fails."""

    def __init__(self) -> None:
        self.arrived: list[httpx.Request] = []
        self.fails = False

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.arrived.append(request)
        if self.fails:
            raise httpx.ConnectError("gone", request=request)
        return httpx.Response(429, content=b'{"data": {"message": "ada@lovelace.org"}}', headers=HEADERS)


@pytest.fixture
def host() -> Host:
    return Host()


@pytest.fixture
def recording(tmp_path: Path) -> Iterator[Recording]:
    recording = Recording(tmp_path / "exchanges.jsonl", upstream=SANDBOX, key="k")
    yield recording
    recording.close()


def recorder(host: Host, recording: Recording, upstream: str, permission: Permission) -> httpx.Client:
    guarded = GuardedTransport(permission, announce=lambda _text: None, through=httpx.MockTransport(host))
    app = create_recorder(httpx.Client(transport=guarded), upstream, recording)
    return httpx.Client(transport=httpx.WSGITransport(app=app), base_url="http://127.0.0.1")


def test_a_response_passes_through_and_is_recorded_without_personal_data(host: Host, recording: Recording) -> None:
    client = recorder(host, recording, SANDBOX, Permission(remote=True))
    response = client.post("/graphql", json=QUERY, headers={**BEARER, "cookie": "c=d"})
    assert (response.status_code, response.content) == (429, b'{"data": {"message": "ada@lovelace.org"}}')
    assert {name: response.headers.get(name) for name in HEADERS} == {**HEADERS, "set-cookie": None}
    [arrived] = host.arrived
    assert (str(arrived.url), json.loads(arrived.content)) == (SANDBOX, QUERY)
    assert arrived.headers["authorization"] == BEARER["authorization"]
    assert "cookie" not in arrived.headers
    written = recording.path.read_bytes()
    assert b"lovelace" not in written
    assert b"sa-very-secret" not in written
    [(_, exchange)] = read_exchanges(recording.path)
    assert (exchange.status, exchange.token, exchange.request) == (429, "token-1", QUERY)
    assert exchange.headers == {name: value for name, value in HEADERS.items() if name != "set-cookie"}


@pytest.mark.parametrize(
    ("upstream", "permission", "body", "said"),
    [
        (SANDBOX, Permission(remote=True), MUTATION, "Add --allow-writes"),
        (PRODUCTION, Permission(remote=True, writes=True), MUTATION, "production hosts are never written to"),
        (SANDBOX, Permission(), QUERY, "Add --allow-remote"),
    ],
)
def test_a_request_that_is_not_allowed_is_neither_sent_nor_recorded(
    host: Host, recording: Recording, upstream: str, permission: Permission, body: object, said: str
) -> None:
    response = recorder(host, recording, upstream, permission).post("/graphql", json=body, headers=BEARER)
    assert response.status_code == 403
    [error] = response.json()["errors"]
    assert said in error["message"]
    assert error["extensions"] == {"emulator": True}
    assert host.arrived == []
    assert recording.path.read_bytes() == b""


def test_an_allowed_mutation_is_sent(host: Host, recording: Recording) -> None:
    client = recorder(host, recording, SANDBOX, Permission(remote=True, writes=True))
    client.post("/graphql", json=MUTATION, headers=BEARER)
    assert (len(host.arrived), recording.count) == (1, 1)


def test_a_body_may_have_16_mebibytes(host: Host, recording: Recording) -> None:
    client = recorder(host, recording, SANDBOX, Permission(remote=True, writes=True))
    body = json.dumps(QUERY).encode().ljust(16 * 1024 * 1024)
    assert client.post("/graphql", content=body).status_code == 429
    assert client.post("/graphql", content=body + b" ").status_code == 413
    assert (len(host.arrived), recording.count) == (1, 1)


def test_a_missing_response_is_a_bad_gateway_and_not_recorded(host: Host, recording: Recording) -> None:
    host.fails = True
    response = recorder(host, recording, SANDBOX, Permission(remote=True)).post("/graphql", json=QUERY)
    assert response.status_code == 502
    assert response.json()["errors"][0]["message"] == "No response from the endpoint: gone"
    assert recording.count == 0


@pytest.mark.parametrize("name", ["authorization", "accept", "content-type"])
def test_a_header_that_cannot_be_forwarded_is_a_bad_request(host: Host, recording: Recording, name: str) -> None:
    client = create_recorder(httpx.Client(transport=httpx.MockTransport(host)), SANDBOX, recording).test_client()
    response = client.post("/graphql", data=b"{}", headers={name: "Bearer sécret"})
    assert response.status_code == 400
    assert response.json is not None
    [error] = response.json["errors"]
    assert error["message"] == f"The header {name.title()} cannot be forwarded: it is not ASCII."
    assert error["extensions"] == {"emulator": True}
    assert (host.arrived, recording.count) == ([], 0)


def test_a_page_in_a_browser_is_refused(host: Host, recording: Recording) -> None:
    client = recorder(host, recording, SANDBOX, Permission(remote=True))
    assert client.post("/graphql", json=QUERY, headers={"host": "evil.example"}).status_code == 400
    assert client.get("/graphql").status_code == 405
    assert host.arrived == []


@pytest.mark.parametrize(
    ("method", "path", "status"), [("POST", "/v1/identify", 404), ("POST", "/", 404), ("GET", "/graphql", 405)]
)
def test_another_request_gets_what_is_forwarded(
    host: Host, recording: Recording, method: str, path: str, status: int
) -> None:
    response = recorder(host, recording, SANDBOX, Permission(remote=True)).request(method, path)
    message = f"The recorder forwards POST /graphql only, not {method} {path}."
    assert response.status_code == status
    assert response.json() == {"errors": [{"message": message, "extensions": {"emulator": True}}]}
    assert host.arrived == []


@pytest.mark.parametrize(
    ("name", "status"), [("[::1]:8586", 429), ("LOCALHOST.:8586", 429), ("evil.example", 400), ("localhost@evil", 400)]
)
def test_a_web_page_cannot_reach_it_by_its_own_name(host: Host, recording: Recording, name: str, status: int) -> None:
    client = recorder(host, recording, SANDBOX, Permission(remote=True))
    response = client.post("/graphql", json=QUERY, headers={**BEARER, "host": name})
    assert (response.status_code, len(host.arrived)) == (status, int(status == 429))
    if status == 400:
        assert name in response.json()["errors"][0]["message"]
