"""The control routes for audience memberships and deletions, through both services."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from werkzeug.test import Client

from emulator import Emulator

ADA = {"userId": "u1", "email": "ada@example.com", "traits": {"first_name": "Ada"}}


@pytest.fixture
def client() -> Iterator[Client]:
    with Emulator() as emulator:
        yield emulator.client


def profiles(client: Client) -> list[dict[str, Any]]:
    found = client.get("/_emulator/profiles").json
    assert found is not None
    return list(found["profiles"])


def test_entering_creates_a_profile_and_leaving_ends_its_membership(client: Client) -> None:
    assert client.post("/_emulator/audiences/vip_customers/enter", json=ADA).status_code == 200
    (profile,) = profiles(client)
    assert [audience["name"] for audience in profile["audiences"]] == ["vip_customers"]
    client.post("/_emulator/audiences/vip_customers/exit", json=ADA)
    assert profiles(client)[0]["audiences"] == []


def test_a_deletion_reaches_both_services(client: Client) -> None:
    client.post("/_emulator/audiences/vip_customers/enter", json=ADA)
    done = client.post("/_emulator/regulations", json={"userId": "u1"}).json
    assert done is not None
    assert (done["deleted"], done["destinations"][0]["outcome"]) == (True, "sent")
    assert profiles(client) == []


def test_a_delivery_has_the_trace_id_of_its_request(client: Client) -> None:
    client.post("/_emulator/audiences/vip_customers/enter", json=ADA)
    found = client.get("/_emulator/deliveries?userId=u1").json
    assert found is not None
    (trace_id,) = {delivery["traceId"] for delivery in found["deliveries"]}
    journal = client.get(f"/_emulator/journal?traceId={trace_id}").json
    records = client.get(f"/_emulator/records?requestId={trace_id}&email=ADA@example.com").json
    assert journal is not None
    assert journal["total"] == 1
    assert records is not None
    assert [record["outcome"] for record in records["records"]] == ["visible", "visible"]
    assert client.get("/_emulator/deliveries?userId=u2").json == {"deliveries": []}


@pytest.mark.parametrize("asked", ["josé@x.co", "JOSÉ@X.CO", "josÉ@x.co"])
def test_events_are_found_by_email_in_any_case(client: Client, asked: str) -> None:
    for email in ("josÉ@x.co", "ann@x.co"):
        person = {"userId": email, "traits": {"email": email, "total_spent": 900}, "writeKey": "segment-local"}
        client.post("/v1/identify", json=person)
    found = client.get("/_emulator/deliveries", query_string={"email": asked}).json
    assert found is not None
    assert [(delivery["type"], delivery["userId"]) for delivery in found["deliveries"]] == [
        ("identify", "josÉ@x.co"),
        ("track", "josÉ@x.co"),
    ]


@pytest.mark.parametrize(
    ("path", "body", "message"),
    [
        (
            "audiences/vip_customers/enter",
            {"mail": "a@b.com"},
            "mail: unknown key 'mail': Did you mean 'email'",
        ),
        ("audiences/vip_customers/enter", {}, "matches none of the allowed forms"),
        ("audiences/vip_customers/enter", {"email": 5}, "email: must be a string"),
        ("audiences/vip_customers/enter", {"email": "a@b.com", "traits": []}, "traits: must be an object"),
        ("regulations", {}, "'regulationType' is missing"),
    ],
)
def test_invalid_input_is_located(client: Client, path: str, body: dict[str, Any], message: str) -> None:
    answer = client.post(f"/_emulator/{path}", json=body)
    assert answer.status_code == 400
    assert answer.json is not None
    shown = ": ".join(str(answer.json[key]) for key in ("where", "message", "hint") if key in answer.json)
    assert re.search(message, shown)


def test_an_unknown_audience_is_not_found(client: Client) -> None:
    assert client.post("/_emulator/audiences/vip/enter", json=ADA).status_code == 404
