"""`/_emulator/calls`: which calls Segment dropped, although it responded with 200, and why."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from werkzeug.test import Client

from emulator import Emulator

AUTH = ("segment-local", "")


@pytest.fixture
def client() -> Iterator[Client]:
    with Emulator() as emulator:
        emulator.client.post("/_emulator/clock/freeze")
        batch = [
            {"type": "identify", "userId": "u1", "messageId": "m1"},
            {"type": "track", "userId": "u1", "messageId": "m2"},
            {"type": "identify", "userId": "u1", "messageId": "m1"},
        ]
        assert emulator.client.post("/v1/batch", json={"batch": batch}, auth=AUTH).json == {"success": True}
        yield emulator.client


def calls(client: Client, query: str = "") -> Any:
    return client.get(f"/_emulator/calls{query}").json


def rows(answer: Any) -> list[tuple[str, str, bool, str | None]]:
    return [(call["call"], call["messageId"], call["accepted"], call["reason"]) for call in answer["calls"]]


def test_every_call_is_listed_in_order_with_its_outcome(client: Client) -> None:
    answer = calls(client)
    assert answer["total"] == 3
    assert [(name, accepted) for _, name, accepted, _ in rows(answer)] == [("m1", True), ("m2", False), ("m1", False)]
    assert answer["calls"][0]["at"] == (client.get("/_emulator/clock").json or {})["now"]
    assert answer["calls"][0]["source"] == "Website"


def test_dropped_calls_have_a_reason(client: Client) -> None:
    assert rows(calls(client, "?accepted=false")) == [
        ("track", "m2", False, "event_not_defined"),
        ("identify", "m1", False, "duplicate"),
    ]
    assert calls(client, "?accepted=false")["total"] == 2
    assert rows(calls(client, "?accepted=true")) == [("identify", "m1", True, None)]


def test_calls_are_paged(client: Client) -> None:
    second = calls(client, "?limit=1&offset=1")
    assert (second["total"], [call["messageId"] for call in second["calls"]]) == (3, ["m2"])
    assert client.get("/_emulator/calls?accepted=no").status_code == 400


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("?source=Website", ["m1", "m2", "m1"]),
        ("?source=unknown", []),
        ("?reason=duplicate", ["m1"]),
        ("?type=track", ["m2"]),
        ("?search=U1", ["m1", "m2", "m1"]),
        ("?search=TRACK", ["m2"]),
        ("?search=not_defined", ["m2"]),
        ("?search=m1&accepted=true", ["m1"]),
    ],
)
def test_calls_are_found_by_each_filter(client: Client, query: str, found: list[str]) -> None:
    assert [call["messageId"] for call in calls(client, query)["calls"]] == found


def test_pages_from_the_newest_stay_where_they_are_while_calls_come_in(client: Client) -> None:
    first = calls(client, "?before=newest&limit=2")
    assert [call["reason"] for call in first["calls"]] == ["duplicate", "event_not_defined"]
    client.post("/v1/identify", json={"userId": "u2"}, auth=AUTH)
    second = calls(client, f"?before={first['next']}&limit=2")
    assert ([call["messageId"] for call in second["calls"]], second["next"]) == (["m1"], None)
    assert calls(client, "?before=newest&limit=1")["calls"][0]["userId"] == "u2"
    refused = client.get("/_emulator/calls?before=unknown")
    assert (refused.status_code, (refused.json or {})["where"]) == (400, "before")
    assert calls(client, "?before=00000000-1")["calls"] == []


def test_a_call_is_shown_as_it_came_in_without_its_write_key(client: Client) -> None:
    sent = {"userId": "u3", "event": "Order Completed", "properties": {"total": 1}, "writeKey": AUTH[0]}
    client.post("/v1/track", json=sent)
    (call,) = calls(client, "?userId=u3&content=true")["calls"]
    assert call["event"] == "Order Completed"
    del sent["writeKey"]
    assert call["content"] == {"type": "track", **sent}
    assert "content" not in calls(client, "?userId=u3")["calls"][0]
