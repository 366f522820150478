"""`messageId` selects a call, the deliveries of an event, and the requests whose batch contained it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from werkzeug.test import Client

from emulator import Emulator

PEOPLE = {"u1": "Ada@Example.com", "u2": "bob@example.com"}


def person(user_id: str, email: str) -> dict[str, Any]:
    return {"userId": user_id, "traits": {"email": email, "total_spent": 900}}


@pytest.fixture
def client() -> Iterator[Client]:
    """An emulator to which two people were sent in one batch, and whose first request was answered with 503."""
    with Emulator() as emulator:
        emulator.client.post("/_emulator/clock/freeze")
        emulator.client.post("/_emulator/faults", json={"fault": "status", "status": 503, "times": 1})
        batch = [{"type": "identify", "messageId": f"m-{user}", **person(user, PEOPLE[user])} for user in PEOPLE]
        emulator.client.post("/v1/batch", json={"batch": batch}, auth=("segment-local", ""))
        emulator.client.post("/_emulator/clock/advance", json={"hours": 4})
        yield emulator.client


def listed(client: Client, path: str, key: str) -> list[dict[str, Any]]:
    response = client.get(f"/_emulator/{path}")
    assert response.status_code == 200, response.text
    found: list[dict[str, Any]] = response.get_json()[key]
    return found


@pytest.mark.parametrize(
    ("query", "users"),
    [
        ("messageId=m-u1", ["u1"]),
        ("messageId=other", []),
        ("userId=u2", ["u2"]),
        ("email=ada@example.COM", ["u1"]),
        ("email=ada@example.com&userId=u2", []),
        ("email=ada@example.com&accepted=true", ["u1"]),
        ("", ["u1", "u2"]),
    ],
)
def test_calls_are_filtered_by_message_and_person(client: Client, query: str, users: list[str]) -> None:
    assert [call["userId"] for call in listed(client, f"calls?{query}", "calls")] == users


def test_deliveries_are_filtered_by_message(client: Client) -> None:
    everything = listed(client, "deliveries", "deliveries")
    assert len(everything) == 4
    for each in everything:
        assert listed(client, f"deliveries?messageId={each['messageId']}", "deliveries") == [each]
    assert listed(client, "deliveries?messageId=other", "deliveries") == []


def test_requests_are_filtered_by_the_events_of_their_batch(client: Client) -> None:
    """The attempt that failed and its retry, but no request of other events."""
    client.post("/v1/identify", json=person("u3", "cyd@example.com"), auth=("segment-local", ""))
    seen = {}
    for delivery in listed(client, "deliveries", "deliveries"):
        entries = listed(client, f"journal?messageId={delivery['messageId']}", "entries")
        assert entries[-1]["traceId"] == delivery["traceId"]
        seen[delivery["userId"], delivery["type"]] = [entry["status"] for entry in entries]
    assert seen == {
        ("u1", "identify"): [503, 200],
        ("u1", "track"): [503, 200],
        ("u2", "identify"): [503, 200],
        ("u2", "track"): [503, 200],
        ("u3", "identify"): [200],
        ("u3", "track"): [200],
    }
    assert listed(client, "journal?messageId=other", "entries") == []
