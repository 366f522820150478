"""A request to a wrong path, method or host name: the error names the right one, and the request is listed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from werkzeug.test import Client

from emulator import Emulator

ROOT = "http://localhost"
CALL = {"userId": "u1", "traits": {"email": "ada@example.com"}}
KEY = ("segment-local", "")
ENDPOINTS = (
    "StackAdapt is at /graphql, the Tracking API at /v1/identify, /v1/track and /v1/batch, the control API at "
    "/_emulator/health."
)
OTHERS = (
    "For clients on other machines or in other containers, start the server with serve --host 0.0.0.0, which accepts "
    "every host name."
)
NO_SETTINGS = (
    "The emulator has no settings for the browser SDK: pass cdnSettings, as `stackadapt-emulator docs clients` shows."
)
LISTED = "GET /_emulator/openapi.json lists every path."


@pytest.fixture
def client() -> Iterator[Client]:
    with Emulator() as emulator:
        yield emulator.client


def tracking(path: str) -> str:
    return f"The path is {path}: the Tracking API is at {ROOT}/v1."


def doubled(path: str) -> str:
    return f"The path is {path}: the SDK adds /v1 itself, so set its host to {ROOT}."


GRAPHQL = f"The path is /graphql: set the client's URL to {ROOT}/graphql."


@pytest.mark.parametrize(
    ("path", "hint"),
    [
        ("/identify", tracking("/v1/identify")),
        ("/batch", tracking("/v1/batch")),
        ("/batch/", tracking("/v1/batch")),
        ("/i", tracking("/v1/identify")),
        ("/t", tracking("/v1/track")),
        ("/api/v1/track", tracking("/v1/track")),
        ("/v2/track", tracking("/v1/track")),
        ("/V1/Identify", tracking("/v1/identify")),
        ("/v1/identfy", tracking("/v1/identify")),
        ("/v1/identify/u1", tracking("/v1/identify")),
        ("/v1/import/more/parts", tracking("/v1/import")),
        ("/v1/v1/batch", doubled("/v1/batch")),
        ("/v1/v1/identify", doubled("/v1/identify")),
        ("/v1/v1/i", doubled("/v1/identify")),
        ("/api/graphql", GRAPHQL),
        ("/v1/graphql", GRAPHQL),
        ("/GraphQL", GRAPHQL),
        ("/public/graphql", GRAPHQL),
        ("/_emulator/profile", f"Did you mean '/_emulator/profiles'? {LISTED}"),
        ("/_emulator/space/profile", f"Did you mean '/_emulator/space/profiles'? {LISTED}"),
        ("/_emulator/segment/3", f"Did you mean '/_emulator/segments/3'? {LISTED}"),
        (
            "/_emulator/audiences/vip/entr",
            f"Did you mean '/_emulator/audiences/vip/enter'? {LISTED}",
        ),
        ("/_emulator/batch", f"Did you mean '/_emulator/batches'? {LISTED}"),
        ("/_emulator/health/", f"Did you mean '/_emulator/health'? {LISTED}"),
        ("/_emulator/nonsense", LISTED),
        ("/_emulator", LISTED),
        ("/emulator/health", f"Did you mean '/_emulator/health'? {ENDPOINTS}"),
        ("/profiles", f"Did you mean '/_emulator/profiles'? {ENDPOINTS}"),
        ("/v1/projects/key/settings", NO_SETTINGS),
        ("/nowhere", ENDPOINTS),
        ("/v1", ENDPOINTS),
        ("/v1/x", ENDPOINTS),
        ("/a/b/c", ENDPOINTS),
        ("/favicon.ico", ENDPOINTS),
    ],
)
def test_an_unknown_path_gets_the_right_one(client: Client, path: str, hint: str) -> None:
    response = client.post(path, json=CALL)
    assert response.status_code == 404
    assert response.json == {
        "error": "Not Found",
        "message": f"unknown path {path!r}",
        "where": "path",
        "found": path,
        "hint": hint,
    }


@pytest.mark.parametrize(
    ("method", "path", "allowed", "hint"),
    [
        ("GET", "/v1/identify", "POST", "Send POST."),
        ("PUT", "/v1/batch", "POST", "Send POST."),
        ("POST", "/", "GET", ENDPOINTS),
        ("DELETE", "/_emulator/health", "GET", "Send GET."),
        ("GET", "/_emulator/reset", "POST", "Send POST."),
        ("PUT", "/_emulator/segments/1", "DELETE, GET, PATCH", "Send DELETE, GET or PATCH."),
    ],
)
def test_a_method_that_is_not_allowed_gets_those_that_are(
    client: Client, method: str, path: str, allowed: str, hint: str
) -> None:
    response = client.open(path, method=method, json={})
    assert response.status_code == 405
    assert response.json == {
        "error": "Method Not Allowed",
        "message": f"{method} is not allowed at {path}",
        "where": "method",
        "found": method,
        "allowed": allowed,
        "hint": hint,
    }


@pytest.mark.parametrize("host", ["stackadapt", "stackadapt:8585", "127.0.0.1.example"])
def test_an_untrusted_host_name_gets_what_is_allowed_and_what_to_do(client: Client, host: str) -> None:
    response = client.post("/v1/identify", json=CALL, auth=KEY, headers={"host": host})
    assert response.status_code == 400
    assert response.json == {
        "error": "Bad Request",
        "message": f"the host name {host!r} is not accepted",
        "where": "Host",
        "found": host,
        "allowed": "127.0.0.1, localhost, [::1]",
        "hint": f"Use {ROOT}. {OTHERS}",
    }


def seen(client: Client) -> list[tuple[Any, ...]]:
    calls = client.get("/_emulator/calls").get_json()["calls"]
    entries = client.get("/_emulator/journal").get_json()["entries"]
    listed: list[tuple[Any, ...]] = [
        (call["call"], call["source"], call["userId"], call["status"], call["reason"], call["message"])
        for call in calls
    ]
    return listed + [(entry["path"], entry["status"], entry["refusal"], entry["response"]) for entry in entries]


@pytest.mark.parametrize(
    ("path", "headers", "expected"),
    [
        (
            "/identify",
            {},
            [("identify", "Website", "u1", 404, "unknown_path", "unknown path '/identify', instead of '/v1/identify'")],
        ),
        (
            "/v1/v1/i",
            {},
            [("identify", "Website", "u1", 404, "unknown_path", "unknown path '/v1/v1/i', instead of '/v1/identify'")],
        ),
        (
            "/api/graphql",
            {},
            [("/api/graphql", 404, "unknown_path", "unknown path '/api/graphql', instead of '/graphql'")],
        ),
        (
            "/v1/track",
            {"host": "stackadapt"},
            [("track", None, None, 400, "untrusted_host", "the host name 'stackadapt' is not accepted")],
        ),
        (
            "/graphql",
            {"host": "stackadapt"},
            [("/graphql", 400, "untrusted_host", "the host name 'stackadapt' is not accepted")],
        ),
        ("/_emulator/profile", {}, []),
        ("/nowhere", {}, []),
    ],
)
def test_a_request_that_was_meant_for_an_api_is_listed(
    client: Client, path: str, headers: dict[str, str], expected: list[tuple[Any, ...]]
) -> None:
    # A page of another origin sends no credentials of ours.
    client.post(path, json=CALL, headers=headers, auth=None if headers else KEY)
    assert seen(client) == expected


@pytest.mark.parametrize("path", ["/i", "/v1/v1/i"])
def test_a_preflight_request_to_a_wrong_path_is_listed(client: Client, path: str) -> None:
    """A browser sends no POST after it, so that nothing else would say why no call comes in."""
    client.options(path, headers={"origin": "http://localhost:3000", "access-control-request-method": "POST"})
    message = f"unknown path {path!r}, instead of '/v1/identify'"
    assert seen(client) == [("identify", None, None, 404, "unknown_path", message)]


def test_another_method_is_listed(client: Client) -> None:
    client.get("/v1/track", auth=KEY)
    message = "GET is not allowed at /v1/track"
    assert seen(client) == [("track", "Website", None, 405, "method_not_allowed", message)]
    client.get("/_emulator/reset")
    client.post("/")
    assert len(seen(client)) == 1


def test_a_page_is_not_listed(client: Client) -> None:
    client.get("/identify")
    client.get("/graphiql")
    assert seen(client) == []


def test_a_wrong_path_with_the_secret_of_a_sandbox_is_listed_there(client: Client) -> None:
    sandbox = client.post("/_emulator/sandboxes", json={"name": "mine"}).get_json()
    client.post("/identify", json=CALL, auth=(sandbox["writeKey"], ""))
    client.post(
        "/api/graphql", json={"query": "{ user { email } }"}, headers={"authorization": f"Bearer {sandbox['token']}"}
    )
    assert seen(client) == []
    mine = {"X-Emulator-Sandbox": "mine"}
    assert client.get("/_emulator/calls", headers=mine).get_json()["total"] == 1
    [entry] = client.get("/_emulator/journal", headers=mine).get_json()["entries"]
    assert (entry["token"], entry["operations"]) == ("Local read and write", ["user"])
