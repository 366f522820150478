"""Faults and the rate limit as a client observes them, in process and over a socket."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from threading import Event
from typing import Any

import httpx
import pytest

from emulator import Emulator, load_workspace
from emulator.clock import Clock, stopwatch
from emulator.events import GraphQLExchanged
from emulator.protocol import FAULT_HEADER
from emulator.rate_limit import parse_rate_limit

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
TOKEN = {"authorization": "Bearer sa-local-write"}
USER = "{ user { email } }"
UPSERT = "mutation($u: UpsertProfilesInput!) { upsertProfiles(input: $u) { userErrors { message path } } }"
# For a response that arrives, and for one that never does.
PATIENCE_SECONDS = 30
IMPATIENCE_SECONDS = 0.3


@dataclass
class GraphQLClient:
    """One emulator and a client of it."""

    emulator: Emulator
    client: httpx.Client

    def post(self, query: str = USER, *, fault: str | None = None, **variables: Any) -> httpx.Response:
        headers = TOKEN if fault is None else {**TOKEN, FAULT_HEADER: fault}
        return self.client.post("/graphql", json={"query": query, "variables": variables}, headers=headers)

    def upsert(self, *emails: str, fault: str | None = None) -> httpx.Response:
        profiles = json.dumps([{"email": email} for email in emails])
        given = {"advertiserId": "1001", "externalProvider": "segment_io", "profiles": profiles}
        return self.post(UPSERT, fault=fault, u=given)

    def emails(self) -> list[str]:
        return sorted(profile["email"] for profile in self.emulator.stackadapt.profiles())

    def last_entry(self) -> dict[str, Any]:
        entry: dict[str, Any] = self.client.get("/_emulator/journal?limit=10000").json()["entries"][-1]
        return entry


@pytest.fixture(params=["in process", "over a socket"])
def target(request: pytest.FixtureRequest) -> Iterator[GraphQLClient]:
    with Emulator(replace(load_workspace(), seed=1)) as emulator:
        if request.param == "in process":
            transport = httpx.WSGITransport(app=emulator.app)
            client = httpx.Client(transport=transport, base_url="http://127.0.0.1")
        else:
            client = httpx.Client(base_url=emulator.start(), trust_env=False, timeout=PATIENCE_SECONDS)
        with client:
            yield GraphQLClient(emulator, client)


@pytest.fixture
def serve() -> Iterator[Callable[..., GraphQLClient]]:
    """Starts emulators on a real port, each with a patient client."""
    opened: list[GraphQLClient] = []

    def start(clock: Clock | None = None, **workspace: Any) -> GraphQLClient:
        emulator = Emulator(replace(load_workspace(), seed=1, **workspace), clock=clock)
        opened.append(
            GraphQLClient(emulator, httpx.Client(base_url=emulator.start(), trust_env=False, timeout=PATIENCE_SECONDS))
        )
        return opened[-1]

    yield start
    for target in opened:
        target.client.close()
        target.emulator.close()


@pytest.mark.parametrize("status", [400, 401, 403, 429, 500, 502, 503, 599])
def test_a_status_has_an_error_body_marked_as_the_emulators(target: GraphQLClient, status: int) -> None:
    response = target.upsert("ada@example.com", fault=f"status={status}")
    assert response.status_code == status
    assert response.headers["content-type"].startswith("application/json")
    assert "retry-after" not in response.headers
    (error,) = response.json()["errors"]
    assert error["message"]
    assert error["extensions"] == {"traceId": target.last_entry()["traceId"], "emulator": True}
    assert target.emails() == []
    assert target.upsert("ada@example.com").status_code == 200
    assert target.emails() == ["ada@example.com"]


def test_a_status_429_may_have_a_retry_after_header(target: GraphQLClient) -> None:
    response = target.post(fault="status=429; retryAfter=30")
    assert (response.status_code, response.headers["retry-after"]) == (429, "30")


@pytest.mark.parametrize(("applied", "kept"), [("false", []), ("true", ["ada@example.com"])])
def test_a_reset_is_a_read_error_and_writes_only_if_applied(
    target: GraphQLClient, applied: str, kept: list[str]
) -> None:
    with pytest.raises(httpx.ReadError):
        target.upsert("ada@example.com", fault=f"reset; applied={applied}")
    assert target.emails() == kept
    entry = target.last_entry()
    assert (entry["status"], entry["outcome"], entry["faults"], entry["response"]) == (None, "noAnswer", ["reset"], "")
    assert target.post().status_code == 200


@pytest.mark.parametrize(("applied", "kept"), [("false", []), ("true", ["ada@example.com"])])
def test_a_timeout_leaves_the_client_waiting_and_writes_only_if_applied(
    target: GraphQLClient, applied: str, kept: list[str]
) -> None:
    done = Event()
    target.emulator.sandbox.journal.listen(
        lambda events: done.set() if any(isinstance(each, GraphQLExchanged) for each in events) else None
    )
    target.client.timeout = httpx.Timeout(PATIENCE_SECONDS, read=IMPATIENCE_SECONDS)
    with pytest.raises(httpx.ReadTimeout):
        target.upsert("ada@example.com", fault=f"timeout; applied={applied}")
    target.client.timeout = httpx.Timeout(PATIENCE_SECONDS)
    assert done.wait(PATIENCE_SECONDS)
    assert target.emails() == kept
    assert target.last_entry()["outcome"] == "noAnswer"
    assert target.post().status_code == 200


def test_a_truncated_body_is_incomplete_and_the_request_is_processed(target: GraphQLClient) -> None:
    with pytest.raises(httpx.RemoteProtocolError, match="without sending complete message body"):
        target.upsert("ada@example.com", fault="truncated=9")
    assert target.emails() == ["ada@example.com"]
    assert target.last_entry()["response"] == '{"data":{'
    assert target.post().status_code == 200


def test_an_html_page_is_sent_instead_of_json(target: GraphQLClient) -> None:
    response = target.upsert("ada@example.com", fault="notJson=502")
    assert response.status_code == 502
    assert response.headers["content-type"].startswith("text/html")
    assert response.text.startswith("<!DOCTYPE html>")
    assert target.emails() == []
    assert target.post(fault="notJson").status_code == 200
    assert target.last_entry()["outcome"] == "notGraphql"


def test_user_errors_have_status_200_and_nothing_is_written(target: GraphQLClient) -> None:
    response = target.upsert("ada@example.com", fault="userErrors=No.; operation=upsertProfiles")
    assert response.status_code == 200
    assert response.json()["data"]["upsertProfiles"]["userErrors"] == [{"message": "No.", "path": ["input"]}]
    assert target.emails() == []
    assert target.last_entry()["outcome"] == "userErrors"


def test_part_of_a_batch_is_rejected_at_ingestion(target: GraphQLClient) -> None:
    response = target.upsert(
        "ada@example.com", "Bob@example.org", "cyd@example.com", fault="partial; email=*@example.org"
    )
    assert response.json() == {"data": {"upsertProfiles": {"userErrors": []}}}
    assert target.emails() == ["ada@example.com", "cyd@example.com"]
    (rejection,) = target.emulator.stackadapt.rejections()
    assert (rejection["reason"], rejection["index"]) == ("INJECTED", 1)
    assert target.last_entry()["settled"] == {"visible": 2, "rejected": 1}
    assert target.last_entry()["reasons"] == {"INJECTED": 1}


def test_every_second_record_is_rejected_after_the_latency() -> None:
    workspace = load_workspace().with_options(latency="4h")
    with Emulator(replace(workspace, seed=1)) as emulator:
        target = GraphQLClient(
            emulator, httpx.Client(transport=httpx.WSGITransport(app=emulator.app), base_url="http://127.0.0.1")
        )
        target.upsert("a@b.io", "b@b.io", "c@b.io", "d@b.io", fault="partial=2")
        assert emulator.stackadapt.rejections() == []
        target.client.post("/_emulator/clock/advance", json={"hours": 4}).raise_for_status()
        assert target.emails() == ["a@b.io", "c@b.io"]


def test_latency_delays_the_response_over_a_socket_while_the_clock_runs(serve: Callable[..., GraphQLClient]) -> None:
    target = serve()
    elapsed = stopwatch()
    assert target.upsert("ada@example.com", fault="latency=60").status_code == 200
    assert elapsed() >= 60
    assert target.last_entry()["durationMs"] >= 60
    assert target.emails() == ["ada@example.com"]


def test_latency_on_a_frozen_clock_is_only_journalled(serve: Callable[..., GraphQLClient]) -> None:
    target = serve(clock=Clock(frozen_at=NOON))
    elapsed = stopwatch()
    assert target.post(fault="latency=30000").status_code == 200
    assert elapsed() < 10_000
    assert target.last_entry()["durationMs"] >= 30_000


def test_latency_in_process_is_only_journalled() -> None:
    with Emulator() as emulator:
        elapsed = stopwatch()
        headers = {**TOKEN, FAULT_HEADER: "latency=30000"}
        assert emulator.client.post("/graphql", json={"query": USER}, headers=headers).status_code == 200
        assert elapsed() < 10_000
        entry = emulator.client.get("/_emulator/journal").get_json()["entries"][0]
        assert entry["durationMs"] >= 30_000


def test_a_client_that_disconnects_ends_a_delay(serve: Callable[..., GraphQLClient]) -> None:
    """Eight threads serve: if they all still waited, no request could be served."""
    target = serve()
    elapsed = stopwatch()
    for _ in range(8):
        impatient = httpx.Client(base_url=target.client.base_url, trust_env=False, timeout=IMPATIENCE_SECONDS)
        with impatient, pytest.raises(httpx.ReadTimeout):
            impatient.post("/graphql", json={"query": USER}, headers={**TOKEN, FAULT_HEADER: "latency=30000"})
    assert target.post().status_code == 200
    assert elapsed() < 20_000


def test_silent_connections_occupy_no_thread(serve: Callable[..., GraphQLClient]) -> None:
    target = serve()
    body = json.dumps({"query": USER}).encode()
    request = (
        b"POST /graphql HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer sa-local-write\r\n"
        b"X-Emulator-Fault: timeout\r\nContent-Type: application/json\r\n"
        b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
    )
    address = (target.client.base_url.host, target.client.base_url.port or 0)
    waiting = [socket.create_connection(address) for _ in range(20)]
    try:
        for connection in waiting:
            connection.sendall(request)
        assert target.post().status_code == 200
    finally:
        for connection in waiting:
            connection.close()


def test_a_reset_over_a_socket_is_a_tcp_reset(serve: Callable[..., GraphQLClient]) -> None:
    target = serve()
    body = json.dumps({"query": USER}).encode()
    with socket.create_connection((target.client.base_url.host, target.client.base_url.port or 0)) as connection:
        connection.sendall(
            b"POST /graphql HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer sa-local-write\r\n"
            b"X-Emulator-Fault: reset\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
            % (len(body), body)
        )
        with pytest.raises(ConnectionResetError):
            connection.recv(1)


def test_an_invalid_header_is_refused_with_a_reason(target: GraphQLClient) -> None:
    response = target.post(fault="statsu=503")
    assert response.status_code == 400
    (error,) = response.json()["errors"]
    assert "Did you mean 'status'" in error["message"]
    assert error["extensions"]["emulator"] is True


def test_the_header_has_no_effect_without_a_token(target: GraphQLClient) -> None:
    response = target.client.post("/graphql", json={"query": USER}, headers={FAULT_HEADER: "reset"})
    assert response.status_code == 401


def test_rules_are_added_listed_and_removed_over_http(target: GraphQLClient) -> None:
    definition = {"fault": "status", "status": 503, "operation": "upsertProfiles", "email": "*@example.org"}
    added = target.client.post("/_emulator/faults", json=definition)
    assert added.status_code == 201
    assert added.json()["id"] == 1
    assert target.upsert("ada@example.com").status_code == 200
    assert target.upsert("ada@example.com", "bob@example.org").status_code == 503
    assert target.client.get("/_emulator/faults").json()["faults"] == [{**added.json(), "matched": 1}]
    assert target.client.delete("/_emulator/faults/2").status_code == 404
    assert target.client.delete("/_emulator/faults/1").status_code == 204
    assert target.client.get("/_emulator/faults").json() == {"faults": []}


def test_an_inline_document_is_matched_like_one_with_variables(target: GraphQLClient) -> None:
    target.client.post("/_emulator/faults", json={"fault": "status", "status": 503, "email": "ada@example.com"})
    inline = (
        'mutation { upsertProfiles(input: {advertiserId: 1001, externalProvider: "segment_io",'
        ' profiles: "[{\\"mail\\": \\"Ada@example.com\\"}]"}) { userErrors { message } } }'
    )
    assert target.post(inline).status_code == 503
    assert target.upsert("ada@example.com").status_code == 503


def test_a_rule_for_an_unknown_root_field_is_refused(target: GraphQLClient) -> None:
    response = target.client.post("/_emulator/faults", json={"fault": "reset", "operation": "upsertProfile"})
    assert response.status_code == 400
    assert "upsertProfile" in response.json()["hint"]
    response = target.upsert("ada@example.com", fault="reset; operation=upsertProfile")
    assert response.status_code == 400
    assert "Did you mean 'upsertProfiles'?" in response.json()["errors"][0]["message"]
    assert target.emails() == []


def test_a_reset_of_the_emulator_restores_the_faults_of_the_workspace(serve: Callable[..., GraphQLClient]) -> None:
    target = serve(faults=({"fault": "status", "status": 503, "times": 1},))
    assert [target.post().status_code for _ in range(2)] == [503, 200]
    target.client.post("/_emulator/reset").raise_for_status()
    assert [target.post().status_code for _ in range(2)] == [503, 200]


def test_there_is_no_rate_limit_by_default(target: GraphQLClient) -> None:
    assert target.client.get("/_emulator/rate-limit").json() == {"rateLimit": None}
    response = target.post()
    assert not {"retry-after", "x-ratelimit-limit", "ratelimit-limit"} & set(response.headers)


def test_the_rate_limit_responds_with_429_until_the_clock_advances(target: GraphQLClient) -> None:
    target.client.post("/_emulator/clock/freeze")
    shown = target.client.put("/_emulator/rate-limit", json={"requests": 2, "per": "1m"}).json()
    assert shown == {"rateLimit": {"requests": 2, "per": "60s", "burst": 2}}
    responses = [target.upsert("ada@example.com") for _ in range(3)]
    assert [response.status_code for response in responses] == [200, 200, 429]
    assert responses[2].headers["retry-after"] == "30"
    (error,) = responses[2].json()["errors"]
    assert (error["message"], error["extensions"]["emulator"]) == ("Too Many Requests", True)
    assert "retry-after" not in responses[0].headers
    entry = target.last_entry()
    assert (entry["operations"], entry["faults"], entry["status"]) == (["upsertProfiles"], ["rateLimit"], 429)
    other = {"authorization": "Bearer sa-local-read"}
    assert target.client.post("/graphql", json={"query": USER}, headers=other).status_code == 200
    target.client.post("/_emulator/clock/advance", json={"seconds": 30}).raise_for_status()
    assert target.post().status_code == 200
    assert target.client.delete("/_emulator/rate-limit").status_code == 204
    assert [target.post().status_code for _ in range(5)] == [200] * 5


def test_a_request_over_the_rate_limit_does_not_count_for_a_fault(serve: Callable[..., GraphQLClient]) -> None:
    target = serve(clock=Clock(frozen_at=NOON), rate_limit=parse_rate_limit({"requests": 1, "per": "1h"}))
    assert target.post().status_code == 200
    target.client.post("/_emulator/faults", json={"fault": "status", "status": 503, "times": 1})
    assert target.post().status_code == 429
    assert target.client.get("/_emulator/faults").json()["faults"][0]["remaining"] == 1


def test_an_invalid_rate_limit_is_refused(target: GraphQLClient) -> None:
    response = target.client.put("/_emulator/rate-limit", json={"requests": 2, "brust": 3})
    assert (response.status_code, response.json()["hint"]) == (400, "Did you mean 'burst'?")


def test_faults_and_rate_limits_without_effect_are_listed(target: GraphQLClient) -> None:
    for options in ({"operation": "user", "times": 1}, {"operation": "tokenInfo"}):
        target.client.post("/_emulator/faults", json={"fault": "status", "status": 503, **options}).raise_for_status()
    target.client.put("/_emulator/rate-limit", json={"requests": 5}).raise_for_status()
    target.post()
    unused = target.client.get("/_emulator/faults/unused").json()
    assert [(rule["id"], rule["operation"], rule["matched"]) for rule in unused["faults"]] == [(2, "tokenInfo", 0)]
    assert unused["rateLimits"] == [{"requests": 5, "per": "1s", "burst": 5}]
    target.client.post("/_emulator/reset")
    assert target.client.get("/_emulator/faults/unused").json() == {"faults": [], "rateLimits": []}
