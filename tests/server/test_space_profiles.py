"""`/_emulator/space/profiles`: the profiles of the Engage space, sent or not."""

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
        for name in ("ann", "bob", "cy"):
            traits = {"email": f"{name}@example.com", "shoe": 38}
            assert emulator.client.post("/v1/identify", json={"userId": name, "traits": traits}, auth=AUTH).status == (
                "200 OK"
            )
        yield emulator.client


def shown(client: Client, query: str = "") -> list[Any]:
    answer = client.get(f"/_emulator/space/profiles{query}").json
    assert answer is not None
    return list(answer["profiles"])


def test_profiles_without_an_audience_are_listed(client: Client) -> None:
    [ann] = shown(client, "?userId=ann")
    assert (ann["userId"], ann["email"], ann["audiences"]) == ("ann", "ann@example.com", [])
    assert ann["traits"] == {"email": "ann@example.com", "shoe": 38}
    assert ann["externalIds"] == [{"type": "user_id", "id": "ann"}, {"type": "email", "id": "ann@example.com"}]
    assert client.get("/_emulator/profiles").json == {"profiles": []}


def test_all_given_identifiers_must_match(client: Client) -> None:
    assert [person["userId"] for person in shown(client, "?email=bob@example.com")] == ["bob"]
    assert [person["userId"] for person in shown(client, "?userId=bob&email=bob@example.com")] == ["bob"]
    assert shown(client, "?userId=ann&email=bob@example.com") == []
    assert shown(client, "?email=BOB@example.com") == [], "Engage compares letter by letter"


def test_pages_start_with_the_oldest(client: Client) -> None:
    assert [person["userId"] for person in shown(client, "?limit=2")] == ["ann", "bob"]
    assert [person["userId"] for person in shown(client, "?limit=2&offset=2")] == ["cy"]


def test_each_audience_of_a_profile_is_explained(client: Client) -> None:
    assert client.get("/_emulator/audiences/explain?userId=ann").json == {
        "audiences": [
            {
                "profile": "use_000000000000000000000000001",
                "audience": "vip_customers",
                "journey": None,
                "name": "VIP Customers",
                "member": False,
                "nextComputation": None,
                "conditions": {
                    "text": "total_spent needs a number ≥ 500",
                    "passed": False,
                    "found": None,
                    "type": None,
                    "needs": "a number ≥ 500",
                },
                "failed": ["total_spent is missing, needs a number ≥ 500"],
                "change": {"traits": {"total_spent": 500}, "events": []},
            }
        ]
    }
    assert client.get("/_emulator/audiences/explain?email=unknown@example.com").json == {"audiences": []}
