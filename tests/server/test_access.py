"""Who may use the control API: no page of another origin, and with a control token only callers that have it."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from typing import Any

import pytest
from werkzeug.test import Client

from emulator import Emulator
from emulator.errors import InputError
from emulator.protocol import CONTROL_HEADER
from emulator.server.app import create_app

TOKEN = "control-of-the-test"
CHANGING = ("POST", "PUT", "PATCH", "DELETE")
# What a browser sends with the request of a page.
FOREIGN = [
    {"Origin": "http://evil.example"},
    {"Origin": "http://localhost:3000"},
    {"Origin": "https://localhost:80000"},
    {"Origin": "null"},
    {"Origin": ""},
    {"Origin": "http://localhost", "Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
]
OWN = [
    {},
    {"Origin": "http://localhost"},
    {"Origin": "http://LOCALHOST:80"},
    {"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"},
    {"Sec-Fetch-Site": "none"},
]


def changing_routes() -> Iterator[tuple[str, str]]:
    """The method and the path of every control route that may change something."""
    for rule in create_app().url_map.iter_rules():
        if rule.rule.startswith("/_emulator"):
            path = rule.rule.replace("<int:", "<")
            for name in rule.arguments:
                path = path.replace(f"<{name}>", "1").replace(f"<path:{name}>", "1")
            for method in sorted((rule.methods or set()).intersection(CHANGING)):
                yield method, path


@pytest.fixture
def client() -> Iterator[Client]:
    with Emulator() as emulator:
        yield emulator.client


@pytest.fixture
def closed() -> Iterator[Client]:
    with Emulator(control_token=TOKEN) as emulator:
        yield emulator.client


@pytest.mark.parametrize(("method", "path"), sorted(set(changing_routes())))
def test_no_page_of_another_origin_changes_anything(client: Client, method: str, path: str) -> None:
    for headers in FOREIGN:
        response = client.open(path, method=method, headers=headers)
        assert (response.status_code, response.json["error"]) == (403, "Forbidden"), headers


@pytest.mark.parametrize("headers", OWN, ids=str)
def test_scripts_and_the_emulators_own_pages_do(client: Client, headers: dict[str, str]) -> None:
    assert client.post("/_emulator/reset", headers=headers).status_code == 200


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
def test_a_page_may_read_and_may_send_calls(client: Client, headers: dict[str, str]) -> None:
    assert client.get("/_emulator/health", headers=headers).status_code == 200
    call = {"userId": "u1", "writeKey": "segment-local"}
    assert client.post("/v1/identify", json=call, headers=headers).status_code == 200


def test_the_error_names_both_origins(client: Client) -> None:
    assert client.post("/_emulator/reset", headers={"Origin": "http://evil.example"}).json == {
        "error": "Forbidden",
        "message": "a web page of another origin must not change the emulator",
        "where": "Origin",
        "found": "http://evil.example",
        "allowed": "http://localhost",
        "hint": "Send control requests from a test, a script or the command line.",
    }


@pytest.mark.parametrize("sent", [None, "", "other", f"{TOKEN} ", "é"])
def test_with_a_control_token_every_request_needs_it(closed: Client, sent: str | None) -> None:
    headers = {} if sent is None else {CONTROL_HEADER: sent}
    for method, path in {("GET", "/_emulator/profiles"), ("GET", "/_emulator/nowhere"), *changing_routes()}:
        response = closed.open(path, method=method, headers=headers)
        assert (response.status_code, response.json["error"]) == (401, "Unauthenticated"), path
        assert TOKEN not in response.text


def test_with_the_control_token_requests_are_served(closed: Client) -> None:
    headers = {CONTROL_HEADER: TOKEN}
    assert closed.get("/_emulator/profiles", headers=headers).status_code == 200
    assert closed.post("/_emulator/reset", headers=headers).status_code == 200


def test_health_and_both_services_need_no_control_token(closed: Client) -> None:
    assert closed.get("/_emulator/health").status_code == 200
    assert closed.post("/v1/identify", json={"userId": "u1", "writeKey": "segment-local"}).status_code == 200
    bearer = {"authorization": "Bearer sa-local-write"}
    assert closed.post("/graphql", json={"query": "{ __typename }"}, headers=bearer).status_code == 200


@pytest.mark.parametrize("method", ["GET", "OPTIONS"])
@pytest.mark.parametrize(
    "path", ["/graphql", "/_emulator/profiles", "/_emulator/reset", "/_emulator/sandboxes/default"]
)
def test_a_page_of_another_origin_reads_nothing(client: Client, path: str, method: str) -> None:
    headers = {**FOREIGN[0], "Access-Control-Request-Method": "POST", "Authorization": "Bearer sa-local-read"}
    response = client.open(path, method=method, headers=headers, query_string={"query": "{ __typename }"})
    assert not [name for name, _ in response.headers if name.startswith("Access-Control-")]


def reading_routes() -> list[str]:
    """The path of every control route that reads."""
    rules = [rule for rule in create_app().url_map.iter_rules() if rule.rule.startswith("/_emulator")]
    paths = {re.sub(r"<[^>]*>", "1", rule.rule) for rule in rules if "GET" in (rule.methods or set())}
    return sorted(paths - {"/_emulator/snapshot", "/_emulator/wait"})


def state(client: Client) -> list[Any]:
    """Everything that a request can change."""
    snapshot = gzip.decompress(client.get("/_emulator/snapshot").data)
    lists = ("faults", "rate-limit", "journal", "sandboxes", "workspace", "clock")
    return [snapshot, *(client.get(f"/_emulator/{name}").json for name in lists)]


def test_no_get_changes_anything(client: Client) -> None:
    client.post("/_emulator/clock/freeze")
    client.post("/_emulator/faults", json={"fault": "status", "status": 503, "operation": "user"})
    client.post(
        "/v1/identify", json={"userId": "u1", "writeKey": "segment-local", "traits": {"email": "a@example.com"}}
    )
    before = state(client)
    for path in reading_routes():
        for query in ({}, {"email": "a@example.com"}, {"format": "csv"}):
            client.get(path, query_string=query)
    assert state(client) == before
    assert len(reading_routes()) > 20


@pytest.mark.parametrize("token", ["", " ", "a b", "tok\u00e9n", "a\nb", "\x7f", "a" * 1001])
def test_a_control_token_that_no_request_could_send_is_refused_at_start(token: str) -> None:
    with pytest.raises(InputError, match="the control token") as refused:
        create_app(token)
    assert refused.value.where == "--control-token"
    assert not token.strip() or token not in str(refused.value)
