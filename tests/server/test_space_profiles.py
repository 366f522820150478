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


def test_profiles_are_found_by_any_identifier_and_by_their_id(client: Client) -> None:
    for query in ("?externalId=ann", "?externalId=ann@example.com", "?profileId=use_000000000000000000000000001"):
        assert [person["userId"] for person in shown(client, query)] == ["ann"], query
    for query in ("?externalId=ANN", "?profileId=use_00000000000000000000000000z", "?profileId=" + "z" * 40):
        assert shown(client, query) == [], query
    explained = client.get("/_emulator/audiences/explain?profileId=use_000000000000000000000000002").json
    assert explained is not None
    assert {each["profile"] for each in explained["audiences"]} == {"use_000000000000000000000000002"}


def paged(client: Client, path: str) -> list[str]:
    found: list[str] = []
    after: int | None = 0
    while after is not None:
        page: Any = client.get(f"{path}?limit=2&after={after}").json
        assert len(page["profiles"]) <= 2
        found += [person["userId"] for person in page["profiles"]]
        after = page["next"]
    return found


def test_pages_by_position_have_every_profile_once(client: Client) -> None:
    assert paged(client, "/_emulator/space/profiles") == ["ann", "bob", "cy"]
    for name in ("ann", "cy", "bob"):
        client.post("/_emulator/audiences/vip_customers/enter", json={"userId": name})
    client.post("/_emulator/audiences/vip_customers/exit", json={"userId": "bob"})
    assert paged(client, "/_emulator/audiences/vip_customers/members") == ["ann", "cy"]
    assert client.get("/_emulator/audiences/vip_customers/members").json["next"] is None  # type: ignore[index]
    assert client.get("/_emulator/audiences/unknown/members").status_code == 404


def test_those_in_a_step_are_as_many_as_the_step_says(client: Client) -> None:
    journey = {
        "id": "welcome",
        "name": "Welcome",
        "entry": {"trait": "shoe", "operator": "exists"},
        "steps": [
            {"key": "first", "name": "First"},
            {"key": "second", "name": "Second", "wait": "1h", "condition": {"trait": "ok", "operator": "exists"}},
        ],
    }
    assert client.post("/_emulator/workspace/journeys", json=journey).status_code == 201
    for name in ("ann", "bob"):
        client.post("/v1/identify", json={"userId": name, "traits": {"shoe": 39}}, auth=AUTH)
    [shown_journey] = client.get("/_emulator/journeys").json["journeys"]  # type: ignore[index]
    assert (shown_journey["entryText"], shown_journey["exitText"]) == ("shoe needs any value", None)
    assert [(step["wait"], step["conditionText"]) for step in shown_journey["steps"]] == [
        (None, None),
        ("1h", "ok needs any value"),
    ]
    for step in shown_journey["steps"]:
        assert len(paged(client, f"/_emulator/journeys/welcome/steps/{step['key']}/members")) == step["size"]
    assert [step["size"] for step in shown_journey["steps"]] == [2, 0]
    for path in ("welcome/steps/unknown", "unknown/steps/first"):
        assert client.get(f"/_emulator/journeys/{path}/members").status_code == 404


HAS_SHOES = {"trait": "shoe", "operator": "exists"}
AUDIENCE = {"key": "big_feet", "id": "aud_feet", "name": "Big feet"}


def preview(client: Client, **audience: Any) -> Any:
    return client.post("/_emulator/audiences/preview", json={**AUDIENCE, **audience})


@pytest.mark.parametrize(
    ("condition", "text", "size"),
    [
        ({"trait": "shoe", "operator": "at_least", "value": 38}, "shoe needs a number ≥ 38", 3),
        (
            {
                "all": [
                    {"trait": "shoe", "operator": "exists"},
                    {"trait": "email", "operator": "contains", "value": "bob"},
                ]
            },
            'shoe needs any value and email needs a string with "bob" in it',
            1,
        ),
        (
            {"any": [{"audience": "vip_customers"}, {"not": HAS_SHOES}]},
            "audience vip_customers needs a member or shoe needs no value",
            0,
        ),
    ],
)
def test_a_preview_says_what_an_audience_would_have(client: Client, condition: Any, text: str, size: int) -> None:
    before = client.get("/_emulator/workspace").json
    answer = preview(client, condition=condition).json
    assert (answer["conditionText"], answer["size"], answer["profiles"], answer["complete"]) == (text, size, 3, True)
    assert any("not connected" in each for each in answer["warnings"])
    assert client.get("/_emulator/workspace").json == before
    client.post("/_emulator/workspace/audiences", json={**AUDIENCE, "condition": condition})
    client.post("/_emulator/audiences/big_feet/compute")
    listed = {each["key"]: each for each in client.get("/_emulator/audiences").json["audiences"]}  # type: ignore[index]
    assert (listed["big_feet"]["conditionText"], listed["big_feet"]["size"]) == (text, size)


def test_a_preview_refuses_what_the_workspace_would_not_take(client: Client) -> None:
    answer = preview(client, condition={"trait": "shoe", "operator": "biger", "value": 1})
    assert answer.status_code == 400
    assert "operator" in answer.json["where"]
    assert preview(client, condition={"audience": "unknown"}).status_code == 400
