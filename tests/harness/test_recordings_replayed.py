"""Replaying a recording: the differences between the responses, and what is not a difference."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from emulator import Emulator
from emulator.errors import InputError
from emulator.harness.client import Endpoint, sandbox_at
from emulator.harness.recordings import Recording, replay
from emulator.harness.recordings.differences import GeneratedIds, differences
from emulator.harness.remote_guard import GuardedTransport, Permission
from emulator.harness.scenarios import FAILED, PASSED, SKIPPED, Result, graphql_only, separate_emulators
from emulator.workspace import Workspace, load_workspace

AT = datetime(2026, 6, 14, 12, tzinfo=UTC)
WRITE, READ = "sa-local-write", "sa-local-read"
UPSERT = """mutation($a: ID!, $p: JSON!) { upsertProfiles(input: {
  advertiserId: $a, externalProvider: "segmentio", syncId: "s", profiles: $p }) { userErrors { message path } } }"""
PROFILES = """query($after: String) { cdpProfiles(advertiserId: 1001) { size profiles(first: 1, after: $after) {
  pageInfo { endCursor hasNextPage } nodes { email } } } }"""
MAKE_LIST = """mutation($i: ProfileListInput!) { createProfileList(input: $i) {
  userErrors { message path } profileList { id name createdAt } } }"""
DELETE_LIST = "mutation($id: ID!) { deleteProfileList(input: {id: $id}) { userErrors { message } } }"


class Upstream:
    """An emulator in place of the real service, whose responses are recorded."""

    def __init__(self, client: httpx.Client, recording: Recording) -> None:
        self._client = client
        self._recording = recording
        self.at = AT

    def post(
        self, query: str, variables: Mapping[str, Any] | None = None, *, token: str | None = WRITE, **changed: Any
    ) -> Any:
        request = json.dumps({"query": query, "variables": dict(variables or {})})
        headers = {"content-type": "application/json"}
        headers |= {} if token is None else {"authorization": f"Bearer {token}"}
        answer = self._client.post("/graphql", content=request, headers=headers)
        shown: dict[str, Any] = {"status": answer.status_code, "headers": answer.headers, "response": answer.text}
        self._recording.keep(
            at=self.at, token=token, accept="application/json", request=request, **{**shown, **changed}
        )
        return answer.json().get("data")

    def upsert(self, *people: Mapping[str, Any], advertiser: str = "1001", **changed: Any) -> None:
        self.post(UPSERT, {"a": advertiser, "p": json.dumps(people)}, **changed)


@contextmanager
def own_emulator(workspace: Workspace) -> Iterator[Endpoint]:
    with Emulator(workspace) as emulator:
        client = httpx.Client(transport=httpx.WSGITransport(app=emulator.app), base_url="http://127.0.0.1")
        yield sandbox_at(client)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "exchanges.jsonl"


@pytest.fixture
def upstream(path: Path) -> Iterator[Upstream]:
    with Emulator(load_workspace()) as emulator:
        recording = Recording(path, upstream="https://real.example/graphql", key="k")
        client = httpx.Client(transport=httpx.WSGITransport(app=emulator.app), base_url="http://127.0.0.1")
        yield Upstream(client, recording)
        recording.close()


def replayed(path: Path, **options: Any) -> list[Result]:
    return list(replay(path, separate_emulators(own_emulator), **options))


def outcomes(results: list[Result]) -> list[str]:
    return [result.outcome for result in results]


def differing(result: Result) -> list[tuple[str, str]]:
    return [(check.expected, check.found) for check in result.checks]


def test_a_recording_of_an_emulator_has_no_differences(upstream: Upstream, path: Path) -> None:
    upstream.upsert({"email": "zoe@lovelace.org", "first_name": "Zoe"}, {"email": "ada@lovelace.org"})
    page = upstream.post(PROFILES)["cdpProfiles"]["profiles"]
    upstream.post(PROFILES, {"after": page["pageInfo"]["endCursor"]})
    made = upstream.post(MAKE_LIST, {"i": {"advertiserId": "1001", "name": "VIPs"}})["createProfileList"]
    upstream.post(DELETE_LIST, {"id": made["profileList"]["id"]})
    upstream.post("{ tokenInfo { name createdAt scopesByAdvertiser { nodes { scopes advertiser { id name } } } } }")
    upstream.post("{ tokenInfo { name } }", token=READ)
    upstream.upsert({"email": "a@b.org"}, token=READ)
    upstream.upsert({"email": "a@b.org"}, advertiser="23")
    upstream.post("{ nowhere }")
    upstream.post('{ a(b: "ada@lovelace.org") nowhere ')
    upstream.post("{ tokenInfo { name } }", token="unknown-token")
    upstream.post("{ __schema { types { name } } }", token=None)
    results = replayed(path)
    assert [differing(result) for result in results] == [[]] * len(results)
    assert outcomes(results) == [PASSED] * 13


def test_a_changed_text_and_a_missing_field_are_one_difference_each(upstream: Upstream, path: Path) -> None:
    upstream.upsert(response='{"data": {"upsertProfiles": {"userErrors": [{"message": "Too late.", "path": ["a"]}]}}}')
    upstream.upsert(response='{"data": {"upsertProfiles": {}}}')
    changed, missing = replayed(path)
    assert (changed.outcome, missing.outcome) == (FAILED, FAILED)
    assert changed.case.title == "line 1: mutation upsertProfiles"
    assert differing(missing) == [("data.upsertProfiles.userErrors: missing", "[]")]
    assert differing(changed) == [
        ('data.upsertProfiles.userErrors[0]: {"message": "Too late.", "path": ["a"]}', "missing"),
    ]


def test_status_and_body_that_is_not_json_are_compared(upstream: Upstream, path: Path) -> None:
    upstream.post("{ nowhere }", status=422, response="no")
    [result] = replayed(path)
    assert differing(result)[0] == ("status: 422", "200")
    assert differing(result)[1][0] == 'body: "no"'


def test_a_server_error_is_compared(upstream: Upstream, path: Path) -> None:
    upstream.post("{ tokenInfo { name } }", status=500)
    [result] = replayed(path)
    assert (result.outcome, differing(result)) == (FAILED, [("status: 500", "200")])


def test_content_types_are_compared(upstream: Upstream, path: Path) -> None:
    upstream.post("{ tokenInfo { name } }", headers={"content-type": "text/html; charset=utf-8"})
    upstream.post("{ tokenInfo { name } }", headers={"content-type": "application/json"})
    other, same = replayed(path)
    assert differing(other) == [('content-type: "text/html"', '"application/json"')]
    assert differing(same) == []


def test_a_response_of_a_busy_service_is_skipped(upstream: Upstream, path: Path) -> None:
    for status in (429, 503):
        upstream.post("{ tokenInfo { name } }", status=status, response="slow down")
    results = replayed(path)
    assert outcomes(results) == [SKIPPED, SKIPPED]
    assert results[0].reason == "The service was busy: it responded with status 429."


def test_the_clock_advances_as_in_the_recording(upstream: Upstream, path: Path) -> None:
    unseen = '{"data": {"cdpProfiles": {"size": 0, "profiles": {"nodes": []}}}}'
    query = "{ cdpProfiles(advertiserId: 1001) { size profiles { nodes { email } } } }"
    upstream.upsert({"email": "ada@lovelace.org"})
    upstream.at += timedelta(hours=3)
    upstream.post(query, response=unseen)
    upstream.at += timedelta(hours=2)
    upstream.post(query)
    assert outcomes(replayed(path, latency="4h")) == [PASSED, PASSED, PASSED]
    assert outcomes(replayed(path)) == [PASSED, FAILED, PASSED]


def test_a_mutation_at_a_remote_endpoint_is_skipped_without_permission(upstream: Upstream, path: Path) -> None:
    upstream.upsert({"email": "ada@lovelace.org"})
    upstream.post("{ tokenInfo { name } }")
    answer = {"data": {"tokenInfo": {"name": "Local read and write"}}}
    far_end = httpx.MockTransport(lambda _request: httpx.Response(200, json=answer))
    transport = GuardedTransport(Permission(remote=True), announce=lambda _text: None, through=far_end)
    endpoint = Endpoint(
        client=httpx.Client(transport=transport, base_url="https://real.example"),
        token="real-token",
        advertiser_id="1001",
        controlled=False,
    )
    held_back, passed = replay(path, graphql_only(endpoint))
    assert (held_back.outcome, passed.outcome) == (SKIPPED, PASSED)
    assert "nothing was sent" in (held_back.reason or "")


def test_a_file_without_an_exchange_is_an_error(path: Path) -> None:
    path.write_text("\n")
    with pytest.raises(InputError, match="no exchange in this recording"):
        replayed(path)


@pytest.mark.parametrize(
    ("recorded", "found", "paths"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({"a": 1, "b": 2}, {"a": 2, "c": 2}, ["a", "b", "c"]),
        ({"a": [1, {"b": 2}]}, {"a": [1, {"b": 3}, 4]}, ["a[1].b", "a[2]"]),
        ({"a": 1}, {"a": True}, ["a"]),
        ({"a": None}, {}, ["a"]),
        ({"traceId": "1"}, {"traceId": "2"}, []),
        ({"traceId": "1"}, {}, ["traceId"]),
        ({"at": "2026-01-01T00:00:00Z"}, {"at": "2027-02-02T10:00:00.000Z"}, []),
        ({"at": "2026-01-01"}, {"at": "2026-01-02"}, ["at"]),
        ({"at": "2026-01-01T00:00:00Z"}, {"at": "soon"}, ["at"]),
        ({"at": "soon"}, {"at": "2026-01-01T00:00:00Z"}, ["at"]),
        ({"id": "7"}, {"id": "8"}, []),
        ({"id": "7"}, {"id": None}, ["id"]),
        ([{"id": "7"}, {"id": "7"}], [{"id": "8"}, {"id": "9"}], ["[1].id"]),
        ({"message": "a"}, {"message": "a", "extensions": {"emulator": True}}, []),
        ({"extensions": {"code": 1}}, {"extensions": {"emulator": True, "code": 2}}, ["extensions.code"]),
        ({"locations": [{"line": 1, "column": 2}]}, {"locations": [{"line": 1, "column": 9}]}, []),
    ],
)
def test_one_path_for_each_difference(recorded: Any, found: Any, paths: list[str]) -> None:
    assert [difference.path for difference in differences(recorded, found, GeneratedIds())] == paths


def test_an_id_that_the_client_chose_must_not_change() -> None:
    ids = GeneratedIds()
    ids.add_request(json.dumps({"variables": {"profiles": json.dumps([{"external_id": "aud_1"}])}}))
    assert [each.path for each in differences({"externalId": "aud_1"}, {"externalId": "aud_2"}, ids)] == ["externalId"]


def test_later_requests_use_the_ids_of_the_replay() -> None:
    ids = GeneratedIds()
    assert not list(differences({"id": "7", "endCursor": "abc"}, {"id": "81", "endCursor": "xyz"}, ids))
    asked = {
        "query": 'query { a(id: 7, first: 7, after: "abc", ids: ["7"]) }',
        "variables": {"id": 7, "n": 7, "c": "abc"},
    }
    assert ids.translate(asked) == {
        "query": 'query { a(id: 81, first: 7, after: "xyz", ids: ["81"]) }',
        "variables": {"id": "81", "n": 7, "c": "xyz"},
    }
