"""Faults and the rate limit as a client meets them, in process and over a socket."""

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
# For an answer that comes, and for one that never will.
PATIENCE_SECONDS = 30
IMPATIENCE_SECONDS = 0.3


@dataclass
class Door:
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
def door(request: pytest.FixtureRequest) -> Iterator[Door]:
    with Emulator(replace(load_workspace(), seed=1)) as emulator:
        if request.param == "in process":
            transport = httpx.WSGITransport(app=emulator.app)
            client = httpx.Client(transport=transport, base_url="http://127.0.0.1")
        else:
            client = httpx.Client(base_url=emulator.start(), trust_env=False, timeout=PATIENCE_SECONDS)
        with client:
            yield Door(emulator, client)


@pytest.fixture
def served() -> Iterator[Callable[..., Door]]:
    """Emulators on a real port, with a client that waits as long as it must."""
    opened: list[Door] = []

    def serve(clock: Clock | None = None, **workspace: Any) -> Door:
        emulator = Emulator(replace(load_workspace(), seed=1, **workspace), clock=clock)
        opened.append(
            Door(emulator, httpx.Client(base_url=emulator.start(), trust_env=False, timeout=PATIENCE_SECONDS))
        )
        return opened[-1]

    yield serve
    for door in opened:
        door.client.close()
        door.emulator.close()


@pytest.mark.parametrize("status", [400, 401, 403, 429, 500, 502, 503, 599])
def test_a_status_is_answered_with_an_envelope_that_says_who_made_it(door: Door, status: int) -> None:
    answer = door.upsert("ada@example.com", fault=f"status={status}")
    assert answer.status_code == status
    assert answer.headers["content-type"].startswith("application/json")
    assert "retry-after" not in answer.headers
    (error,) = answer.json()["errors"]
    assert error["message"]
    assert error["extensions"] == {"traceId": door.last_entry()["traceId"], "emulator": True}
    assert door.emails() == []
    assert door.upsert("ada@example.com").status_code == 200
    assert door.emails() == ["ada@example.com"]


def test_too_many_requests_may_say_when_to_come_back(door: Door) -> None:
    answer = door.post(fault="status=429; retryAfter=30")
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "30")


@pytest.mark.parametrize(("applied", "kept"), [("false", []), ("true", ["ada@example.com"])])
def test_a_reset_is_a_read_error_and_writes_only_if_told(door: Door, applied: str, kept: list[str]) -> None:
    with pytest.raises(httpx.ReadError):
        door.upsert("ada@example.com", fault=f"reset; applied={applied}")
    assert door.emails() == kept
    entry = door.last_entry()
    assert (entry["status"], entry["outcome"], entry["faults"], entry["response"]) == (None, "noAnswer", ["reset"], "")
    assert door.post().status_code == 200


@pytest.mark.parametrize(("applied", "kept"), [("false", []), ("true", ["ada@example.com"])])
def test_a_timeout_leaves_the_client_waiting_and_writes_only_if_told(door: Door, applied: str, kept: list[str]) -> None:
    done = Event()
    door.emulator.sandbox.journal.listen(lambda event: done.set() if isinstance(event, GraphQLExchanged) else None)
    door.client.timeout = httpx.Timeout(PATIENCE_SECONDS, read=IMPATIENCE_SECONDS)
    with pytest.raises(httpx.ReadTimeout):
        door.upsert("ada@example.com", fault=f"timeout; applied={applied}")
    door.client.timeout = httpx.Timeout(PATIENCE_SECONDS)
    assert done.wait(PATIENCE_SECONDS)
    assert door.emails() == kept
    assert door.last_entry()["outcome"] == "noAnswer"
    assert door.post().status_code == 200


def test_a_truncated_body_breaks_off_and_what_was_asked_is_done(door: Door) -> None:
    with pytest.raises(httpx.RemoteProtocolError, match="without sending complete message body"):
        door.upsert("ada@example.com", fault="truncated=9")
    assert door.emails() == ["ada@example.com"]
    assert door.last_entry()["response"] == '{"data":{'
    assert door.post().status_code == 200


def test_a_page_of_html_comes_instead_of_json(door: Door) -> None:
    answer = door.upsert("ada@example.com", fault="notJson=502")
    assert answer.status_code == 502
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.text.startswith("<!DOCTYPE html>")
    assert door.emails() == []
    assert door.post(fault="notJson").status_code == 200
    assert door.last_entry()["outcome"] == "notGraphql"


def test_user_errors_come_with_status_200_and_nothing_is_written(door: Door) -> None:
    answer = door.upsert("ada@example.com", fault="userErrors=No.; operation=upsertProfiles")
    assert answer.status_code == 200
    assert answer.json()["data"]["upsertProfiles"]["userErrors"] == [{"message": "No.", "path": ["input"]}]
    assert door.emails() == []
    assert door.last_entry()["outcome"] == "userErrors"


def test_part_of_a_batch_is_refused_at_ingestion(door: Door) -> None:
    answer = door.upsert("ada@example.com", "Bob@example.org", "cyd@example.com", fault="partial; email=*@example.org")
    assert answer.json() == {"data": {"upsertProfiles": {"userErrors": []}}}
    assert door.emails() == ["ada@example.com", "cyd@example.com"]
    (rejection,) = door.emulator.stackadapt.rejections()
    assert (rejection["reason"], rejection["index"]) == ("INJECTED", 1)
    assert door.last_entry()["settled"] == {"visible": 2, "rejected": 1}
    assert door.last_entry()["reasons"] == {"INJECTED": 1}


def test_every_second_record_is_refused_after_the_latency() -> None:
    workspace = load_workspace().with_options(latency="4h")
    with Emulator(replace(workspace, seed=1)) as emulator:
        door = Door(
            emulator, httpx.Client(transport=httpx.WSGITransport(app=emulator.app), base_url="http://127.0.0.1")
        )
        door.upsert("a@b.io", "b@b.io", "c@b.io", "d@b.io", fault="partial=2")
        assert emulator.stackadapt.rejections() == []
        door.client.post("/_emulator/clock/advance", json={"hours": 4}).raise_for_status()
        assert door.emails() == ["a@b.io", "c@b.io"]


def test_latency_delays_the_answer_over_a_socket_while_the_clock_runs(served: Callable[..., Door]) -> None:
    door = served()
    elapsed = stopwatch()
    assert door.upsert("ada@example.com", fault="latency=60").status_code == 200
    assert elapsed() >= 60
    assert door.last_entry()["durationMs"] >= 60
    assert door.emails() == ["ada@example.com"]


def test_latency_on_a_frozen_clock_is_only_written_down(served: Callable[..., Door]) -> None:
    door = served(clock=Clock(frozen_at=NOON))
    elapsed = stopwatch()
    assert door.post(fault="latency=30000").status_code == 200
    assert elapsed() < 10_000
    assert door.last_entry()["durationMs"] >= 30_000


def test_latency_in_process_is_only_written_down() -> None:
    with Emulator() as emulator:
        elapsed = stopwatch()
        headers = {**TOKEN, FAULT_HEADER: "latency=30000"}
        assert emulator.client.post("/graphql", json={"query": USER}, headers=headers).status_code == 200
        assert elapsed() < 10_000
        entry = emulator.client.get("/_emulator/journal").get_json()["entries"][0]
        assert entry["durationMs"] >= 30_000


def test_a_caller_who_hangs_up_ends_a_delay(served: Callable[..., Door]) -> None:
    """Eight threads serve: were they all still waiting, nobody could be answered."""
    door = served()
    elapsed = stopwatch()
    for _ in range(8):
        impatient = httpx.Client(base_url=door.client.base_url, trust_env=False, timeout=IMPATIENCE_SECONDS)
        with impatient, pytest.raises(httpx.ReadTimeout):
            impatient.post("/graphql", json={"query": USER}, headers={**TOKEN, FAULT_HEADER: "latency=30000"})
    assert door.post().status_code == 200
    assert elapsed() < 20_000


def test_silent_connections_hold_no_thread(served: Callable[..., Door]) -> None:
    door = served()
    body = json.dumps({"query": USER}).encode()
    request = (
        b"POST /graphql HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer sa-local-write\r\n"
        b"X-Emulator-Fault: timeout\r\nContent-Type: application/json\r\n"
        b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
    )
    address = (door.client.base_url.host, door.client.base_url.port or 0)
    waiting = [socket.create_connection(address) for _ in range(20)]
    try:
        for connection in waiting:
            connection.sendall(request)
        assert door.post().status_code == 200
    finally:
        for connection in waiting:
            connection.close()


def test_a_reset_is_a_real_one(served: Callable[..., Door]) -> None:
    door = served()
    body = json.dumps({"query": USER}).encode()
    with socket.create_connection((door.client.base_url.host, door.client.base_url.port or 0)) as connection:
        connection.sendall(
            b"POST /graphql HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer sa-local-write\r\n"
            b"X-Emulator-Fault: reset\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
        )
        with pytest.raises(ConnectionResetError):
            connection.recv(1)


def test_a_bad_header_is_refused_with_its_reason(door: Door) -> None:
    answer = door.post(fault="statsu=503")
    assert answer.status_code == 400
    (error,) = answer.json()["errors"]
    assert "Did you mean 'status'" in error["message"]
    assert error["extensions"]["emulator"] is True


def test_the_header_of_a_stranger_does_nothing(door: Door) -> None:
    answer = door.client.post("/graphql", json={"query": USER}, headers={FAULT_HEADER: "reset"})
    assert answer.status_code == 401


def test_rules_are_added_listed_and_removed_over_http(door: Door) -> None:
    definition = {"fault": "status", "status": 503, "operation": "upsertProfiles", "email": "*@example.org"}
    added = door.client.post("/_emulator/faults", json=definition)
    assert added.status_code == 201
    assert added.json()["id"] == 1
    assert door.upsert("ada@example.com").status_code == 200
    assert door.upsert("ada@example.com", "bob@example.org").status_code == 503
    assert door.client.get("/_emulator/faults").json()["faults"] == [{**added.json(), "matched": 1}]
    assert door.client.delete("/_emulator/faults/2").status_code == 404
    assert door.client.delete("/_emulator/faults/1").status_code == 204
    assert door.client.get("/_emulator/faults").json() == {"faults": []}


def test_an_inline_document_is_matched_like_one_with_variables(door: Door) -> None:
    door.client.post("/_emulator/faults", json={"fault": "status", "status": 503, "email": "ada@example.com"})
    inline = (
        'mutation { upsertProfiles(input: {advertiserId: 1001, externalProvider: "segment_io",'
        ' profiles: "[{\\"mail\\": \\"Ada@example.com\\"}]"}) { userErrors { message } } }'
    )
    assert door.post(inline).status_code == 503
    assert door.upsert("ada@example.com").status_code == 503


def test_a_rule_for_a_field_that_does_not_exist_is_refused(door: Door) -> None:
    answer = door.client.post("/_emulator/faults", json={"fault": "reset", "operation": "upsertProfile"})
    assert answer.status_code == 400
    assert "upsertProfile" in answer.json()["hint"]
    answer = door.upsert("ada@example.com", fault="reset; operation=upsertProfile")
    assert answer.status_code == 400
    assert "Did you mean 'upsertProfiles'?" in answer.json()["errors"][0]["message"]
    assert door.emails() == []


def test_a_reset_of_the_emulator_brings_the_faults_of_the_workspace_back(served: Callable[..., Door]) -> None:
    door = served(faults=({"fault": "status", "status": 503, "times": 1},))
    assert [door.post().status_code for _ in range(2)] == [503, 200]
    door.client.post("/_emulator/reset").raise_for_status()
    assert [door.post().status_code for _ in range(2)] == [503, 200]


def test_no_limit_is_in_force_by_default(door: Door) -> None:
    assert door.client.get("/_emulator/rate-limit").json() == {"rateLimit": None}
    answer = door.post()
    assert not {"retry-after", "x-ratelimit-limit", "ratelimit-limit"} & set(answer.headers)


def test_the_limit_answers_429_until_the_clock_has_moved(door: Door) -> None:
    door.client.post("/_emulator/clock/freeze")
    shown = door.client.put("/_emulator/rate-limit", json={"requests": 2, "per": "1m"}).json()
    assert shown == {"rateLimit": {"requests": 2, "per": "60s", "burst": 2}}
    answers = [door.upsert("ada@example.com") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[2].headers["retry-after"] == "30"
    (error,) = answers[2].json()["errors"]
    assert (error["message"], error["extensions"]["emulator"]) == ("Too Many Requests", True)
    assert "retry-after" not in answers[0].headers
    entry = door.last_entry()
    assert (entry["operations"], entry["faults"], entry["status"]) == (["upsertProfiles"], ["rateLimit"], 429)
    other = {"authorization": "Bearer sa-local-read"}
    assert door.client.post("/graphql", json={"query": USER}, headers=other).status_code == 200
    door.client.post("/_emulator/clock/advance", json={"seconds": 30}).raise_for_status()
    assert door.post().status_code == 200
    assert door.client.delete("/_emulator/rate-limit").status_code == 204
    assert [door.post().status_code for _ in range(5)] == [200] * 5


def test_a_limited_request_does_not_use_up_a_fault(served: Callable[..., Door]) -> None:
    door = served(clock=Clock(frozen_at=NOON), rate_limit=parse_rate_limit({"requests": 1, "per": "1h"}))
    assert door.post().status_code == 200
    door.client.post("/_emulator/faults", json={"fault": "status", "status": 503, "times": 1})
    assert door.post().status_code == 429
    assert door.client.get("/_emulator/faults").json()["faults"][0]["remaining"] == 1


def test_a_bad_limit_is_refused(door: Door) -> None:
    answer = door.client.put("/_emulator/rate-limit", json={"requests": 2, "brust": 3})
    assert (answer.status_code, answer.json()["hint"]) == (400, "Did you mean 'burst'?")
