"""What a change of the workspace means for stored data, queued events and running calls."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from typing import Any

import pytest
from werkzeug.test import Client

from emulator import Emulator
from tests.server.live_workspace import DESTINATION, NEW, SUBSCRIPTION, WHOLE, emails, identify, workspace


def slow(client: Client) -> None:
    """Lets events wait in the queue."""
    patched = client.patch(f"{WHOLE}/destinations/{DESTINATION}", json={"batch": {"age": "1h"}})
    assert patched.status_code == 200


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"destinations": []}, "the destination instance 'StackAdapt Acme' was removed from the workspace"),
        ("removed", "the subscription 'Sync Audience' of 'StackAdapt Acme' was removed from the workspace"),
        ("off", "destinations[0].subscriptions[0].enabled is false since the workspace was changed"),
        ("disabled", "destinations[0].enabled is false since the workspace was changed"),
    ],
)
@pytest.mark.parametrize("retried", [False, True])
def test_what_is_queued_for_what_is_gone_ends_with_a_reason(
    emulator: Emulator, change: Any, message: str, retried: bool
) -> None:
    client = emulator.client
    before = workspace(client)
    if retried:
        client.post("/_emulator/faults", json={"fault": "status", "status": 503, "times": 1})
    else:
        slow(client)
    identify(client, "ada")
    delivery = client.get("/_emulator/deliveries").json["deliveries"][0]
    assert delivery["outcome"] == ("retrying" if retried else "queued")
    if change == "removed":
        client.delete(SUBSCRIPTION)
    elif isinstance(change, str):
        path = SUBSCRIPTION if change == "off" else f"{WHOLE}/destinations/{DESTINATION}"
        client.patch(path, json={"enabled": False})
    else:
        client.patch(WHOLE, json=change)
    letters = client.get("/_emulator/dead-letters").json["deadLetters"]
    assert {(each["outcome"], each["reason"], each["message"]) for each in letters} == {
        ("discarded", "WORKSPACE_CHANGED", message)
    }
    client.post("/_emulator/clock/advance", json={"hours": 4})
    assert emails(emulator) == []
    stop = emulator.why(email="ada@example.com").as_dict()["stopped"]
    assert (stop["reason"], stop["stage"]) == ("WORKSPACE_CHANGED", "destination")
    assert {batch["outcome"] for batch in emulator.segment.batches()} <= {"discarded"}
    client.put(WHOLE, json=before)
    assert client.post("/_emulator/dead-letters/replay", json={}).json["replayed"] == len(letters)
    assert emails(emulator) == ["ada@example.com"]


def test_data_queue_and_clock_stay(emulator: Emulator) -> None:
    client = emulator.client
    identify(client, "ada")
    slow(client)
    identify(client, "bob")
    clock = client.get("/_emulator/clock").json
    calls = client.get("/_emulator/calls").json
    client.patch(WHOLE, json={"name": "other", "timing": "realistic"})
    assert client.get("/_emulator/clock").json == clock
    assert client.get("/_emulator/calls").json == calls
    assert emails(emulator) == ["ada@example.com"]
    client.post("/_emulator/clock/advance", json={"hours": 9})
    assert sorted(emails(emulator)) == ["ada@example.com", "bob@example.com"]


def test_nobody_is_computed_until_that_is_asked_for(emulator: Emulator) -> None:
    client = emulator.client
    identify(client, "ada", total_spent=100)
    condition = {"condition": {"trait": "total_spent", "operator": "at_least", "value": 50}}
    path = f"{WHOLE}/audiences/vip_customers"
    assert "computed" not in client.patch(path, json=condition).json
    assert emulator.segment.members("vip_customers") == []
    computed = client.patch(path, json={"name": "Some"}, query_string={"compute": "true"}).json["computed"]
    assert computed == [{"audience": "vip_customers", "profiles": 1, "entered": 1, "left": 0, "events": 2}]
    assert emails(emulator) == ["ada@example.com"]


def test_a_removed_audience_loses_its_members_without_an_event(emulator: Emulator) -> None:
    client = emulator.client
    identify(client, "ada")
    before, events = workspace(client), client.get("/_emulator/counts").json["segment"]["events"]
    document = deepcopy(before)
    document["audiences"] = []
    document["destinations"][0]["audiences"] = []
    client.put(WHOLE, json=document)
    assert emulator.segment.profiles()[0]["audiences"] == []
    client.put(WHOLE, json=before)
    assert emulator.segment.members("vip_customers") == []
    assert client.get("/_emulator/counts").json["segment"]["events"] == events
    assert emulator.segment.compute("vip_customers")["entered"] == 1


def test_a_removed_journey_loses_its_progress_without_an_event(emulator: Emulator) -> None:
    client = emulator.client
    journey = NEW["journeys"]
    client.post(f"{WHOLE}/journeys", json=journey)
    identify(client, "ada", city="Rome")
    assert emulator.segment.journeys()[0]["size"] == 1
    assert client.delete(f"{WHOLE}/journeys/jou_1").status_code == 200
    client.post(f"{WHOLE}/journeys", json=journey)
    assert emulator.segment.journeys()[0]["size"] == 0


def test_a_condition_that_depends_on_time_is_due_from_its_change_on(emulator: Emulator) -> None:
    client = emulator.client
    event = {"event": "Visited", "within": "7d"}
    audience = {"key": "recent", "id": "aud_r", "name": "Recent", "condition": event}
    client.post(f"{WHOLE}/audiences", json=audience)
    client.post("/v1/track", json={"userId": "ada", "event": "Visited", "writeKey": "segment-local"})
    assert len(emulator.segment.members("recent")) == 1
    client.patch(f"{WHOLE}/audiences/recent", json={"condition": {"within": "2d"}})
    client.post("/_emulator/clock/advance", json={"hours": 49})
    assert emulator.segment.members("recent") == []


def test_settings_of_stackadapt_take_effect(emulator: Emulator) -> None:
    client = emulator.client
    query = {"query": "{ user { email } }"}
    token = {"authorization": "Bearer sa-local-write"}
    client.patch(WHOLE, json={"user": {"email": "new@example.com"}, "ingestion": {"latency": "2h"}})
    assert client.post("/graphql", json=query, headers=token).json["data"]["user"]["email"] == "new@example.com"
    identify(client, "ada")
    assert emails(emulator) == []
    client.post("/_emulator/clock/advance", json={"hours": 2})
    assert emails(emulator) == ["ada@example.com"]
    client.patch(WHOLE, json={"rateLimit": {"requests": 1, "per": "1h"}})
    assert [client.post("/graphql", json=query, headers=token).status_code for _ in range(2)] == [200, 429]
    client.patch(WHOLE, json={"rateLimit": None, "faults": [{"fault": "status", "status": 503}]})
    assert client.post("/graphql", json=query, headers=token).status_code == 503


def test_faults_keep_their_counters_and_those_added_later_stay(client: Client) -> None:
    client.patch(WHOLE, json={"faults": [{"fault": "status", "status": 503, "times": 2}]})
    client.post("/_emulator/faults", json={"fault": "status", "status": 500, "operation": "user"})
    token = {"authorization": "Bearer sa-local-write"}
    client.post("/graphql", json={"query": "{ __typename }"}, headers=token)
    client.patch(WHOLE, json={"faults": [*workspace(client)["faults"], {"fault": "status", "status": 502}]})
    shown = [
        (each["status"], each["remaining"], each["matched"]) for each in client.get("/_emulator/faults").json["faults"]
    ]
    assert shown == [(503, 1, 1), (500, None, 0), (502, None, 0)]


def test_concurrent_changes_are_made_one_after_the_other(client: Client) -> None:
    def add(number: int) -> int:
        return client.post(f"{WHOLE}/sources", json={"name": f"s{number}", "writeKey": f"k{number}"}).status_code

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(add, range(12))) == {201}
    assert len(workspace(client)["sources"]) == 13


def test_calls_during_changes_are_neither_lost_nor_sent_twice(emulator: Emulator) -> None:
    client = emulator.client
    on, off = workspace(client), deepcopy(workspace(client))
    off["destinations"] = []

    def send(number: int) -> int:
        if number % 5 == 0:
            return client.put(WHOLE, json=off if number % 2 else on).status_code
        return identify(emulator.app.test_client(), f"u{number}")

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(send, range(100))) == {200}
    client.put(WHOLE, json=off)
    deliveries = emulator.segment.deliveries(limit=1000)
    assert {each["outcome"] for each in deliveries} <= {"sent", "discarded"}
    sent = [each["userId"] for each in deliveries if each["outcome"] == "sent" and each["type"] == "identify"]
    assert len(sent) == len(set(sent)) == len(emails(emulator))
    assert len(emulator.segment.profiles(limit=1000)) == 80
