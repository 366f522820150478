"""The recording proxy: answers pass through unchanged, and what the guard holds back goes nowhere."""

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


class FarEnd:
    """The other host: notes what arrives, and answers or breaks."""

    def __init__(self) -> None:
        self.arrived: list[httpx.Request] = []
        self.breaks = False

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.arrived.append(request)
        if self.breaks:
            raise httpx.ConnectError("gone", request=request)
        return httpx.Response(429, content=b'{"data": {"message": "ada@lovelace.org"}}', headers=HEADERS)


@pytest.fixture
def far_end() -> FarEnd:
    return FarEnd()


@pytest.fixture
def recording(tmp_path: Path) -> Iterator[Recording]:
    recording = Recording(tmp_path / "exchanges.jsonl", upstream=SANDBOX, key="k")
    yield recording
    recording.close()


def recorder(far_end: FarEnd, recording: Recording, upstream: str, permission: Permission) -> httpx.Client:
    guarded = GuardedTransport(permission, announce=lambda _text: None, through=httpx.MockTransport(far_end))
    app = create_recorder(httpx.Client(transport=guarded), upstream, recording)
    return httpx.Client(transport=httpx.WSGITransport(app=app), base_url="http://127.0.0.1")


def test_an_answer_passes_through_as_it_is_and_is_recorded_safe(far_end: FarEnd, recording: Recording) -> None:
    client = recorder(far_end, recording, SANDBOX, Permission(remote=True))
    answer = client.post("/graphql", json=QUERY, headers={**BEARER, "cookie": "c=d"})
    assert (answer.status_code, answer.content) == (429, b'{"data": {"message": "ada@lovelace.org"}}')
    assert {name: answer.headers.get(name) for name in HEADERS} == {**HEADERS, "set-cookie": None}
    [arrived] = far_end.arrived
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
def test_what_the_guard_holds_back_is_neither_sent_nor_recorded(
    far_end: FarEnd, recording: Recording, upstream: str, permission: Permission, body: object, said: str
) -> None:
    answer = recorder(far_end, recording, upstream, permission).post("/graphql", json=body, headers=BEARER)
    assert answer.status_code == 403
    [error] = answer.json()["errors"]
    assert said in error["message"]
    assert error["extensions"] == {"emulator": True}
    assert far_end.arrived == []
    assert recording.path.read_bytes() == b""


def test_a_mutation_that_is_allowed_is_sent(far_end: FarEnd, recording: Recording) -> None:
    client = recorder(far_end, recording, SANDBOX, Permission(remote=True, writes=True))
    client.post("/graphql", json=MUTATION, headers=BEARER)
    assert (len(far_end.arrived), recording.count) == (1, 1)


def test_a_body_may_have_16_megabytes(far_end: FarEnd, recording: Recording) -> None:
    client = recorder(far_end, recording, SANDBOX, Permission(remote=True, writes=True))
    body = json.dumps(QUERY).encode().ljust(16 * 1024 * 1024)
    assert client.post("/graphql", content=body).status_code == 429
    assert client.post("/graphql", content=body + b" ").status_code == 413
    assert (len(far_end.arrived), recording.count) == (1, 1)


def test_no_answer_is_a_bad_gateway_and_no_exchange(far_end: FarEnd, recording: Recording) -> None:
    far_end.breaks = True
    answer = recorder(far_end, recording, SANDBOX, Permission(remote=True)).post("/graphql", json=QUERY)
    assert answer.status_code == 502
    assert answer.json()["errors"][0]["message"] == "The endpoint gave no answer: gone."
    assert recording.count == 0


@pytest.mark.parametrize("name", ["authorization", "accept", "content-type"])
def test_a_header_that_cannot_be_passed_on_is_a_bad_request(far_end: FarEnd, recording: Recording, name: str) -> None:
    client = create_recorder(httpx.Client(transport=httpx.MockTransport(far_end)), SANDBOX, recording).test_client()
    answer = client.post("/graphql", data=b"{}", headers={name: "Bearer sécret"})
    assert answer.status_code == 400
    assert answer.json is not None
    [error] = answer.json["errors"]
    assert error["message"] == f"The header {name.title()} cannot be passed on: it is not ASCII throughout."
    assert error["extensions"] == {"emulator": True}
    assert (far_end.arrived, recording.count) == ([], 0)


def test_a_page_in_a_browser_does_not_get_through(far_end: FarEnd, recording: Recording) -> None:
    client = recorder(far_end, recording, SANDBOX, Permission(remote=True))
    assert client.post("/graphql", json=QUERY, headers={"host": "evil.example"}).status_code == 400
    assert client.get("/graphql").status_code == 405
    assert far_end.arrived == []
