"""Parts of the workspace added, changed and removed by name at run time."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from werkzeug.test import Client

from emulator import Emulator
from emulator.workspace import parse_workspace
from emulator.workspace_document import document_of
from emulator.workspace_file import parse
from tests.server.live_workspace import DESTINATION, NEW, SUBSCRIPTION, WHOLE, workspace


def test_a_new_item_has_the_name_of_its_path(client: Client) -> None:
    answer = client.put(f"{WHOLE}/sources/x", json={"name": "y", "writeKey": "k"})
    assert (answer.status_code, answer.json["allowed"]) == (400, "x")


def test_a_wrong_part_is_answered_with_a_path_that_exists(client: Client) -> None:
    assert client.get(f"{WHOLE}/audience").json["hint"].startswith(f"Did you mean '{WHOLE}/audiences'?")


KEYS = {"advertisers": "id", "audiences": "key", "journeys": "id"}


@pytest.mark.parametrize("part", NEW)
def test_parts_are_added_read_changed_and_removed_by_name(client: Client, part: str) -> None:
    before = client.get(f"{WHOLE}/{part}").json["items"]
    path = f"{WHOLE}/{part}"
    added = client.post(path, json=NEW[part])
    assert (added.status_code, added.json["item"]) == (201, NEW[part])
    name = str(len(before)) if part == "faults" else NEW[part][KEYS.get(part, "name")]
    assert client.get(f"{path}/{name}").json["item"] == NEW[part]
    assert client.get(path).json["items"] == [*before, NEW[part]]
    renamed = {"times": 3} if part == "faults" else {"name": "Another"}
    patched = client.patch(f"{path}/{name}", json=renamed)
    assert patched.json["item"] == {**NEW[part], **renamed}
    name = "Another" if name == NEW[part].get("name") else name
    assert client.put(f"{path}/{name}", json=NEW[part]).json["item"] == NEW[part]
    name = str(len(before)) if part == "faults" else NEW[part][KEYS.get(part, "name")]
    assert client.delete(f"{path}/{name}").status_code == 200
    assert client.get(f"{path}/{name}").status_code == 404
    assert client.get(path).json["items"] == before


@pytest.mark.parametrize(
    "name", ["a/b", "/a", "a/", "a//b", "..", "Zoë 😀", "50% & more?", "a#b;c=d+e", "%2F", "line\nbreak"]
)
def test_a_name_may_be_any_text(client: Client, name: str) -> None:
    destination = f"{WHOLE}/destinations/{quote(name, safe='')}"
    given = {"settings": {"apiKey": "sa-local-write", "advertiser_id": "1001"}, "subscriptions": []}
    assert client.put(destination, json=given).status_code == 200
    assert client.get(destination).json["item"]["name"] == name
    subscription = {"action": "forwardAudienceEvent", "trigger": 'type = "identify"'}
    path = f"{destination}/subscriptions/{quote(name, safe='')}"
    assert client.put(path, json=subscription).json["item"] == {"name": name, **subscription, "mapping": {}}
    filter_ = {"if": "type = 'track'", "actions": [{"type": "DROP"}]}
    filter_path = f"{destination}/filters/{quote(name, safe='')}"
    assert client.put(filter_path, json=filter_).json["item"] == {"title": name, **filter_}
    off = client.patch(filter_path, json={"enabled": False}).json["item"]
    assert client.get(f"{destination}/filters").json["items"] == [off] == [{"title": name, **filter_, "enabled": False}]
    assert client.post(f"{destination}/filters", json=off).json["hint"].startswith("Choose another one")
    assert client.delete(filter_path).status_code == 200
    assert client.delete(path).status_code == client.delete(destination).status_code == 200


def test_a_subscription_that_is_posted_is_off_until_it_is_switched_on(emulator: Emulator) -> None:
    client = emulator.client
    item = {"action": "forwardAudienceEvent", "trigger": 'type = "identify"'}
    path = SUBSCRIPTION.rpartition("/")[0]
    added = client.post(path, json=item)
    assert (added.status_code, added.json["item"]["enabled"]) == (201, False)
    assert added.json["item"]["name"] == "forwardAudienceEvent"
    on = client.patch(f"{path}/forwardAudienceEvent", json={"enabled": True}).json["item"]
    assert "enabled" not in on
    assert client.put(f"{path}/forwardAudienceEvent", json=item).json["item"] == on
    assert client.delete(f"{path}/forwardAudienceEvent").status_code == 200
    assert [each["name"] for each in client.get(path).json["items"]] == ["Sync Audience"]


IN_USE = [
    ("audiences/vip_customers", "destinations[0].audiences[0], audiences[1]"),
    ("advertisers/1001", "tokens[0].scopes, tokens[1].scopes, destinations[0].settings.advertiser_id"),
    ("tokens/Local read and write", "destinations[0].settings.apiKey"),
    ("sources/Website", "destinations[0].source, sources[1].schema.forwardingBlockedEventsTo"),
    ("trackingPlans/Plan", "sources[0].trackingPlan"),
]


@pytest.mark.parametrize(("part", "places"), IN_USE)
def test_what_is_referred_to_cannot_be_removed(client: Client, part: str, places: str) -> None:
    condition = {"audience": "vip_customers"}
    client.put(f"{WHOLE}/audiences/also", json={"id": "aud_2", "name": "Also", "condition": condition})
    client.patch(f"{WHOLE}/destinations/{DESTINATION}", json={"source": "Website"})
    client.post(f"{WHOLE}/trackingPlans", json=NEW["trackingPlans"])
    client.patch(f"{WHOLE}/sources/Website", json={"trackingPlan": "Plan"})
    client.put(f"{WHOLE}/sources/App", json={"writeKey": "a", "schema": {"forwardingBlockedEventsTo": "Website"}})
    before = workspace(client)
    answer = client.delete(f"{WHOLE}/{part}")
    assert (answer.status_code, answer.json["found"]) == (400, places)
    assert workspace(client) == before


def test_an_unknown_name_is_answered_with_the_known_ones(client: Client) -> None:
    for method in ("GET", "PATCH", "DELETE"):
        answer = client.open(f"{WHOLE}/sources/Wbsite", method=method, json={})
        assert (answer.status_code, answer.json["allowed"]) == (404, "Website")
        assert answer.json["hint"] == "Did you mean 'Website'?"
    assert client.post(f"{WHOLE}/sources", json={"name": "Website", "writeKey": "x"}).status_code == 400


def test_the_yaml_of_a_workspace_with_everything_is_the_same_one(client: Client) -> None:
    for part, item in NEW.items():
        assert client.post(f"{WHOLE}/{part}", json=item).status_code == 201
    text = client.get(WHOLE, query_string={"format": "yaml"}).text
    assert document_of(parse_workspace(parse(text, where="yaml"))) == workspace(client)
