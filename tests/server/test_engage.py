"""Audiences over time and on demand, and journeys, through the HTTP endpoints and both services."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import yaml
from werkzeug.test import Client

from emulator import Emulator
from emulator.artefacts import fixture
from emulator.workspace import parse_workspace

DEFAULT = yaml.safe_load(fixture("workspace.yaml").read_text())
STEP = "winback__offer_1"


def shop() -> dict[str, Any]:
    """The default workspace with an audience of recent buyers and a journey for those who stay away."""
    document = copy.deepcopy(DEFAULT)
    recent = {
        "key": "recent_buyers",
        "id": "aud_recent",
        "name": "Recent buyers",
        "condition": {
            "all": [
                {"event": "Order Completed", "within": "30d"},
                {"trait": "email", "operator": "exists"},
            ]
        },
    }
    winback = {
        "id": "jrn_winback",
        "name": "Win back",
        "entry": {"all": [{"event": "Order Completed"}, {"not": {"audience": "recent_buyers"}}]},
        "steps": [{"key": STEP, "name": "Offer", "wait": "7d"}],
    }
    document["audiences"].append(recent)
    document["journeys"] = [winback]
    destination = document["destinations"][0]
    destination["audiences"].append({"key": "recent_buyers", "sendTrack": False})
    destination["journeySteps"] = [{"key": STEP}]
    return document


@pytest.fixture
def open_client() -> Iterator[Callable[..., Client]]:
    opened: list[Emulator] = []

    def open_(**more: Any) -> Client:
        opened.append(Emulator(parse_workspace(shop()), **more))
        return opened[-1].client

    yield open_
    for emulator in opened:
        emulator.close()


def buy(client: Client, user: str = "u1") -> None:
    ada = {"userId": user, "writeKey": "segment-local"}
    client.post("/v1/identify", json=ada | {"traits": {"email": f"{user}@example.com"}})
    assert client.post("/v1/track", json=ada | {"event": "Order Completed"}).status_code == 200


def advance(client: Client, **duration: int) -> None:
    assert client.post("/_emulator/clock/advance", json=duration).status_code == 200


def memberships(client: Client, user: str = "u1") -> list[str]:
    """The audiences in which StackAdapt has the profile."""
    [profile] = (client.get(f"/_emulator/profiles?email={user}@example.com").json or {})["profiles"]
    return [audience["name"] for audience in profile["audiences"]]


def test_a_membership_ends_in_stackadapt_when_its_time_window_has_passed(open_client: Callable[..., Client]) -> None:
    client = open_client()
    client.post("/_emulator/clock/freeze")
    buy(client)
    assert memberships(client) == ["recent_buyers"]
    advance(client, days=29)
    assert memberships(client) == ["recent_buyers"]
    advance(client, days=1)
    assert memberships(client) == []
    advance(client, days=7)
    assert memberships(client) == [STEP]
    [journey] = (client.get("/_emulator/journeys").json or {})["journeys"]
    assert [step["size"] for step in journey["steps"]] == [1]


def test_an_audience_is_computed_on_demand(open_client: Callable[..., Client]) -> None:
    client = open_client()
    buy(client)
    path = "/_emulator/audiences/recent_buyers/compute"
    assert client.post(path).json == {"audience": "recent_buyers", "profiles": 1, "entered": 0, "left": 0, "events": 0}
    before = (client.get("/_emulator/counts").json or {})["segment"]["events"]
    assert client.post(path, json={"destination": "StackAdapt Acme"}).status_code == 200
    assert (client.get("/_emulator/counts").json or {})["segment"]["events"] == before + 1


@pytest.mark.parametrize(
    ("path", "body", "status", "words"),
    [
        ("recent_buyer", {}, 404, "Did you mean 'recent_buyers'?"),
        ("recent_buyers", {"destination": "StackAdapt"}, 404, "StackAdapt Acme"),
        ("recent_buyers", {"destinaton": "StackAdapt Acme"}, 400, "Did you mean 'destination'?"),
        ("recent_buyers", {"destination": ""}, 400, "this string is too short"),
    ],
)
def test_an_invalid_computation_is_rejected(
    open_client: Callable[..., Client], path: str, body: Any, status: int, words: str
) -> None:
    answer = open_client().post(f"/_emulator/audiences/{path}/compute", json=body)
    assert answer.status_code == status
    assert words in answer.text


def test_a_snapshot_restores_events_journeys_and_what_is_due(open_client: Callable[..., Client]) -> None:
    client, other = open_client(), open_client()
    client.post("/_emulator/clock/freeze")
    buy(client)
    advance(client, days=31)
    buy(client, "u2")
    assert other.put("/_emulator/snapshot", data=client.get("/_emulator/snapshot").data).status_code == 200
    advance(other, days=37)
    assert (memberships(other), memberships(other, "u2")) == ([STEP], [STEP])


def test_it_all_works_on_postgresql(open_client: Callable[..., Client], database: str) -> None:
    client = open_client(database=database)
    client.post("/_emulator/clock/freeze")
    anonymous = {"anonymousId": "a", "writeKey": "segment-local", "event": "Order Completed"}
    client.post("/v1/track", json=anonymous)
    buy(client)
    merged = client.post("/v1/track", json=anonymous | {"userId": "u1", "event": "Merged"})
    assert merged.status_code == 200
    assert memberships(client) == ["recent_buyers"]
    advance(client, days=37)
    assert memberships(client) == [STEP]
    assert client.post("/_emulator/audiences/recent_buyers/compute").json == {
        "audience": "recent_buyers",
        "profiles": 1,
        "entered": 0,
        "left": 0,
        "events": 0,
    }
    deleted = client.post("/_emulator/regulations", json={"userId": "u1"}).json or {}
    assert deleted["deleted"] is True
