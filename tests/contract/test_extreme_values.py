"""Values at the edge of what can be represented: refused with their place, or used; never a failure of the server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from werkzeug.test import Client

from emulator import Emulator
from emulator.durations import LONGEST, parse_duration
from emulator.errors import UserMistake
from emulator.workspace import built_in_workspace, parse_workspace
from emulator.workspace_document import document_of

TOKEN = {"authorization": "Bearer sa-local-write"}
UPSERT = "mutation($u: UpsertProfilesInput!) { upsertProfiles(input: $u) { userErrors { message } } }"


@pytest.fixture
def client() -> Iterator[Client]:
    with Emulator() as emulator:
        yield emulator.client


def send(client: Client, query: str, variables: Any = None, **headers: str) -> tuple[int, str]:
    body = {"query": query, "variables": variables}
    response = client.post("/graphql", json=body, headers={**TOKEN, **headers})
    return response.status_code, response.text


def upsert(client: Client, profiles: str) -> tuple[int, str]:
    given = {"advertiserId": "1001", "externalProvider": "segment_io", "profiles": profiles}
    return send(client, UPSERT, {"u": given})


def chain(length: int) -> str:
    """A query through so many fragments, each within the one before."""
    spreads = (f"fragment f{at} on Query {{ ...f{at + 1} }}" for at in range(1, length))
    return " ".join(("{ ...f1 }", *spreads, f"fragment f{length} on Query {{ __typename }}"))


@pytest.mark.parametrize("value", ["[" * 5000, "{" * 5000, "9" * 5000, "-" + "9" * 400, "1e999", "[1]"])
def test_the_fault_header(client: Client, value: str) -> None:
    status, text = send(client, "{ __typename }", **{"X-Emulator-Fault": f"status={value}"})
    assert (status, "X-Emulator-Fault" in text) == (400, True)


@pytest.mark.parametrize("depth", [1, 50, 101, 900, 965, 977, 5000, 100_000])
@pytest.mark.parametrize("opening", ["[", '{"a":'])
def test_nested_profiles(client: Client, depth: int, opening: str) -> None:
    closing = "]" if opening == "[" else "}"
    nested = f"{opening * depth}1{closing * depth}"
    status, text = upsert(client, f'[{{"email": "a@example.com", "x": {nested}}}]')
    assert status == 200
    assert ("profiles must be a JSON array of objects" in text) is (depth > 50)
    assert client.get("/_emulator/journal").status_code == 200
    assert client.get("/_emulator/records").status_code == 200


@pytest.mark.parametrize("length", [1, 100, 101, 490, 997, 998, 2000])
@pytest.mark.parametrize("headers", [TOKEN, {}], ids=["with a token", "without"])
def test_chained_fragments(client: Client, length: int, headers: dict[str, str]) -> None:
    response = client.post("/graphql", json={"query": chain(length)}, headers=headers)
    assert response.status_code == (401 if not headers else 200 if length <= 100 else 400)
    if headers and 100 < length < 2000:
        assert "fragments within each other; at most 100" in response.text
    assert client.get("/_emulator/journal").status_code == 200


@pytest.mark.parametrize(("values", "status"), [(10_000, 201), (10_001, 400), (260_000, 400)])
@pytest.mark.parametrize("tests", [1, 100])
def test_values_of_a_segment_rule(client: Client, values: int, status: int, tests: int) -> None:
    shares = [values // tests + (at < values % tests) for at in range(tests)]
    rules = [
        {"field": "email", "operator": "one_of", "value": [f"p{n}@example.com" for n in range(share)]}
        for share in shares
    ]
    body = {"advertiserId": "1001", "name": "x", "rule": {"any": rules}}
    assert client.post("/_emulator/segments", json=body).status_code == status
    assert client.get("/_emulator/segments").status_code == 200


@pytest.mark.parametrize("duration", ["36526d", "999999999d", "1000000000000d", "9" * 400 + "d", "P999999D", "900000h"])
def test_durations(client: Client, duration: str) -> None:
    with pytest.raises(UserMistake, match="this duration is too long"):
        parse_duration(duration)
    workspace = document_of(built_in_workspace())
    workspace["ingestion"] = {**workspace.get("ingestion", {}), "latency": duration}
    with pytest.raises(UserMistake, match="this duration is too long"):
        parse_workspace(workspace)
    with pytest.raises(UserMistake, match="this duration is too long"):
        built_in_workspace().with_options(latency=duration)
    response = client.post("/_emulator/clock/advance", json={"duration": duration})
    assert (response.status_code, response.get_json()["where"]) == (400, "duration")


def test_the_longest_duration_is_used() -> None:
    workspace = built_in_workspace().with_options(latency=f"{LONGEST.days}d")
    with Emulator(workspace) as emulator:
        assert upsert(emulator.client, json.dumps([{"email": "a@example.com"}]))[0] == 200
        assert emulator.client.get("/_emulator/records").get_json()["records"][0]["outcome"] == "queued"
