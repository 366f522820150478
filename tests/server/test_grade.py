"""`POST /_emulator/grade`: what the journal shows about the client that sent its requests."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from emulator import Emulator
from emulator.artefacts import contract_json
from emulator.harness.grade import NAMES

SEND = """mutation { upsertProfiles(input: {advertiserId: 1001, externalProvider: "segment_io", syncId: "%s",
  profiles: [{email: "ada@example.com"}]}) { userErrors { message } } }"""
READ = '{ cdpProfiles(advertiserId: "1001") { nextToken } }'
PEOPLE = [{"email": "ada@example.com", "consent": "no"}]
Results = dict[str, str]


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator() as opened:
        yield opened


def send(emulator: Emulator, document: str, token: str = "write", fault: str | None = None) -> None:
    headers = {"authorization": f"Bearer sa-local-{token}"} | ({"X-Emulator-Fault": fault} if fault else {})
    emulator.client.post("/graphql", json={"query": document}, headers=headers)


def results(emulator: Emulator, **body: Any) -> Results:
    grade = emulator.client.post("/_emulator/grade", json=body).json
    Draft202012Validator(contract_json("grade.schema.json")).validate(grade)
    return {point["name"]: point["result"] for point in grade["points"]}


def test_an_empty_journal_shows_nothing(emulator: Emulator) -> None:
    assert set(results(emulator).values()) == {"not seen"}
    assert results(emulator, only=["jitter", "paging"]) == {"jitter": "not seen", "paging": "not seen"}


def test_the_requests_of_a_sandbox_are_judged(emulator: Emulator) -> None:
    send(emulator, READ)
    send(emulator, SEND % 1, fault="status=400")
    send(emulator, SEND % 2)
    found = results(emulator, people=PEOPLE)
    assert [*found] == [*NAMES]
    assert {name for name, result in found.items() if result == "failed"} == {"stop-4xx", "read-token", "consent"}
    # Only the exit code of a client shows whether it noticed them.
    assert found["user-errors"] == "not seen"


def test_a_client_that_does_better_passes(emulator: Emulator) -> None:
    send(emulator, READ, token="read")
    send(emulator, SEND % 1, fault="status=503")
    send(emulator, SEND % 1)
    send(emulator, SEND.replace("ada", "bob") % 1, fault="status=400")
    found = results(emulator, people=[*PEOPLE, {"email": "bob@example.com", "consent": "yes"}], only=[*NAMES])
    assert {name for name, result in found.items() if result == "failed"} == {"consent"}
    assert {found[name] for name in ("retry-5xx", "stop-4xx", "read-token")} == {"passed"}


def test_markdown(emulator: Emulator) -> None:
    response = emulator.client.post("/_emulator/grade?format=markdown")
    assert response.content_type == "text/markdown; charset=utf-8"
    assert response.text.startswith("### Grade of the client: ")


@pytest.mark.parametrize(
    ("body", "where", "message"),
    [
        ({"only": ["retry-42"]}, "only", "unknown point 'retry-42'"),
        ({"people": [{"email": "ada@example.com"}]}, "people[0]", "consent"),
        ({"people": [{"email": "ada@example.com", "consent": "maybe"}]}, "people[0].consent", ""),
        ({"points": []}, "points", "points"),
    ],
)
def test_mistakes_are_named(emulator: Emulator, body: dict[str, Any], where: str, message: str) -> None:
    response = emulator.client.post("/_emulator/grade", json=body)
    assert response.status_code == 400
    assert response.json["where"] == where
    assert message in response.json["message"]
