"""The workspace changed at run time: whole, by patch, and part by part; what that means for stored data."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from werkzeug.test import Client

from emulator import Emulator, load_workspace
from emulator.workspace import parse_workspace
from emulator.workspace_document import document_of
from emulator.workspace_file import parse

WHOLE = "/_emulator/workspace"
DESTINATION = "StackAdapt Acme"
SUBSCRIPTION = f"{WHOLE}/destinations/{DESTINATION}/subscriptions/Sync Audience"
SANDBOX = {"X-Emulator-Sandbox": "own"}


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator() as emulator:
        emulator.client.post("/_emulator/clock/freeze")
        yield emulator


@pytest.fixture
def client(emulator: Emulator) -> Client:
    return emulator.client


def workspace(client: Client, **headers: str) -> Any:
    return client.get(WHOLE, headers=headers).json["workspace"]


def identify(client: Client, user: str, write_key: str = "segment-local", **traits: Any) -> int:
    given = {"email": f"{user}@example.com", "total_spent": 900, **traits}
    return client.post("/v1/identify", json={"userId": user, "writeKey": write_key, "traits": given}).status_code


def emails(emulator: Emulator) -> list[str]:
    return [profile["email"] for profile in emulator.stackadapt.profiles()]


def slow(client: Client) -> None:
    """Lets events wait in the queue."""
    patched = client.patch(f"{WHOLE}/destinations/{DESTINATION}", json={"batch": {"age": "1h"}})
    assert patched.status_code == 200


def test_what_get_returns_put_takes_back(client: Client) -> None:
    first = client.get(WHOLE)
    assert first.json["workspace"]["tokens"][0]["token"] == "sa-local-write"
    for body in (first.json, first.json["workspace"]):
        answer = client.put(WHOLE, json=body)
        assert (answer.status_code, answer.json, answer.headers["ETag"]) == (200, first.json, first.headers["ETag"])


def test_a_named_sandbox_keeps_its_secrets(client: Client) -> None:
    made = client.post("/_emulator/sandboxes", json={"name": "own", "seed": 7}).json
    document = workspace(client, **SANDBOX)
    assert client.put(WHOLE, json=document, headers=SANDBOX).json["workspace"] == document
    document["sources"].append({"name": "App", "writeKey": "mine"})
    document["seed"] = 8
    changed = client.put(WHOLE, json=document, headers=SANDBOX).json["workspace"]
    now = client.get("/_emulator/sandboxes/own").json
    assert (now["token"], now["writeKey"], now["seed"]) == (made["token"], made["writeKey"], 8)
    assert changed["sources"][1]["writeKey"] == now["writeKeys"]["App"] != "mine"
    assert identify(client, "ada", now["writeKeys"]["App"]) == 200
    assert identify(client, "ada", "mine") == 400
    assert len(client.get("/_emulator/profiles", headers=SANDBOX).json["profiles"]) == 1
    assert client.get("/_emulator/profiles").json["profiles"] == []


def test_a_new_token_is_accepted_and_a_removed_one_refused(client: Client) -> None:
    new = {"token": "sa-new", "name": "New", "scopes": {"1001": ["READ"]}}
    assert client.post(f"{WHOLE}/tokens", json=new).json["item"] == new
    query = {"json": {"query": "{ __typename }"}}
    assert client.post("/graphql", headers={"authorization": "Bearer sa-new"}, **query).status_code == 200
    assert client.delete(f"{WHOLE}/tokens/New").status_code == 200
    assert client.post("/graphql", headers={"authorization": "Bearer sa-new"}, **query).status_code == 401


def test_the_default_sandbox_cannot_take_the_token_of_a_named_one(client: Client) -> None:
    made = client.post("/_emulator/sandboxes", json={"name": "own"}).json
    answer = client.patch(f"{WHOLE}/tokens/Local read only", json={"token": made["token"]})
    assert (answer.status_code, answer.json["message"]) == (400, "this token belongs to the sandbox 'own'")


def test_secrets_are_masked_on_request_and_a_masked_workspace_is_not_taken(client: Client) -> None:
    masked = client.get(WHOLE, query_string={"mask": "true"}).json["workspace"]
    secrets = ("sa-local-write", "sa-local-read", "segment-local")
    assert not any(secret in str(masked) for secret in secrets)
    assert not any(
        secret in client.get(WHOLE, query_string={"mask": "true", "format": "yaml"}).text for secret in secrets
    )
    answer = client.put(WHOLE, json=masked)
    assert (answer.status_code, answer.json["where"]) == (400, "workspace: tokens[0].token")


def test_as_yaml_it_is_a_file_that_a_server_takes(client: Client, tmp_path: Path) -> None:
    answer = client.get(WHOLE, query_string={"format": "yaml"})
    assert answer.mimetype == "application/yaml"
    (tmp_path / "workspace.yaml").write_text(answer.text, encoding="utf-8")
    assert document_of(load_workspace(tmp_path / "workspace.yaml")) == workspace(client)


def test_a_stale_change_is_refused(client: Client) -> None:
    tag = client.get(WHOLE).headers["ETag"]
    first = client.patch(WHOLE, json={"timing": "realistic"}, headers={"If-Match": tag})
    assert first.status_code == 200
    for method, path in (
        ("PATCH", WHOLE),
        ("PATCH", f"{WHOLE}/sources/Website"),
        ("DELETE", f"{WHOLE}/sources/Website"),
    ):
        stale = client.open(path, method=method, json={}, headers={"If-Match": tag})
        assert (stale.status_code, stale.json["where"], stale.json["found"]) == (412, "If-Match", tag)
        assert stale.json["allowed"] == first.headers["ETag"] == client.get(path).headers["ETag"]


@pytest.mark.parametrize("given", ['"', '""', "junk", '"other"', ",", '""""', 'W/"x"'])
def test_a_header_without_the_tag_changes_nothing(client: Client, given: str) -> None:
    assert client.patch(WHOLE, json={"name": "lost"}, headers={"If-Match": given}).status_code == 412
    assert workspace(client)["name"] == "local"


def test_any_tag_is_taken(client: Client) -> None:
    assert client.patch(WHOLE, json={"name": "new"}, headers={"If-Match": "*"}).status_code == 200


def test_a_masked_workspace_is_not_checked_either(client: Client) -> None:
    shown = client.get(f"{WHOLE}?mask=true").json["workspace"]
    answer = client.post(f"{WHOLE}/check", json=shown)
    assert (answer.status_code, answer.json["message"]) == (400, "this secret is masked")


def test_a_token_under_a_misspelled_key_is_masked(client: Client) -> None:
    client.patch(f"{WHOLE}/destinations/{DESTINATION}", json={"settings": {"apikey": "secret-token"}})
    assert "secret-token" not in client.get(f"{WHOLE}?mask=true").text


@pytest.mark.parametrize(
    "patch",
    [
        {"tokens": "secret-token"},
        {"tokens": ["secret-token"]},
        {"tokens": [{"token": ["secret-token"], "name": "a", "scopes": {}}]},
        {"sources": ["secret-token"]},
        {"sources": "secret-token"},
        {"destinations": [{"name": "a", "settings": "secret-token", "subscriptions": []}]},
        {"destinations": [{"name": "a", "settings": ["secret-token"], "subscriptions": []}]},
        {"destinations": [{"name": "a", "settings": {"apiKey": ["secret-token"]}, "subscriptions": []}]},
    ],
)
def test_an_error_does_not_show_what_may_be_a_secret(client: Client, patch: dict[str, Any]) -> None:
    answer = client.patch(WHOLE, json=patch)
    assert answer.status_code == 400
    assert "secret-token" not in answer.text


def test_a_new_item_has_the_name_of_its_path(client: Client) -> None:
    answer = client.put(f"{WHOLE}/sources/x", json={"name": "y", "writeKey": "k"})
    assert (answer.status_code, answer.json["allowed"]) == (400, "x")


def test_a_wrong_part_is_answered_with_a_path_that_exists(client: Client) -> None:
    assert client.get(f"{WHOLE}/audience").json["hint"].startswith(f"Did you mean '{WHOLE}/audiences'?")


def test_a_merge_patch_removes_by_null_and_replaces_arrays(client: Client) -> None:
    client.patch(WHOLE, json={"seed": 4, "rateLimit": {"requests": 5, "per": "1s"}})
    client.patch(WHOLE, json={"seed": None, "rateLimit": {"requests": 6}, "audiences": [], "destinations": []})
    now = workspace(client)
    assert "seed" not in now
    assert now["rateLimit"] == {"requests": 6, "per": "1s", "burst": 5}
    assert (now["audiences"], now["destinations"]) == ([], [])


BROKEN: list[tuple[str, dict[str, Any], str]] = [
    ("schema", {"timing": "slow"}, "workspace: timing"),
    ("unknown key", {"audiance": []}, "workspace"),
    ("latency", {"ingestion": {"latency": "soon"}}, "workspace: ingestion.latency"),
    ("reference", {"audiences": []}, "workspace: destinations[0].audiences[0].key"),
    (
        "condition",
        {
            "audiences": [
                {"key": "vip_customers", "id": "aud_1", "name": "V", "condition": {"audience": "vip_customers"}}
            ]
        },
        "audience 'vip_customers': condition",
    ),
    ("fault", {"faults": [{"fault": "nothing"}]}, "workspace: faults[0]"),
    ("API version", {"apiVersion": "1999-01"}, "apiVersion"),
]


@pytest.mark.parametrize(("change", "where"), [each[1:] for each in BROKEN], ids=[each[0] for each in BROKEN])
def test_a_broken_workspace_changes_nothing(emulator: Emulator, change: dict[str, Any], where: str) -> None:
    client = emulator.client
    before = client.get(WHOLE)
    answer = client.patch(WHOLE, json=change)
    assert answer.status_code == 400
    assert where in answer.json["where"], answer.json
    after = client.get(WHOLE)
    assert (after.json, after.headers["ETag"]) == (before.json, before.headers["ETag"])
    assert identify(client, "ada") == 200
    assert emails(emulator) == ["ada@example.com"]
    checked = client.post(f"{WHOLE}/check", json={"workspace": {**before.json["workspace"], **change}}).json
    assert not checked["valid"]
    assert checked["findings"]


def test_check_changes_nothing(client: Client) -> None:
    document = workspace(client)
    checked = client.post(f"{WHOLE}/check", json={**document, "destinations": []}).json
    assert checked["valid"]
    assert "has no destination" in str(checked["findings"])
    assert workspace(client) == document


def test_responses_have_the_findings_of_lint(client: Client) -> None:
    assert {finding["severity"] for finding in client.get(WHOLE).json["findings"]} == {"note"}
    disabled = client.patch(f"{WHOLE}/destinations/{DESTINATION}", json={"enabled": False}).json
    assert "DESTINATION_DISABLED" in str(disabled["findings"])
    assert client.get(f"{WHOLE}/destinations").json["findings"] == disabled["findings"]


NEW: dict[str, dict[str, Any]] = {
    "advertisers": {"id": "7", "name": "Seventh"},
    "tokens": {"token": "sa-t", "name": "T", "scopes": {}},
    "sources": {"name": "App", "writeKey": "app-key"},
    "trackingPlans": {"name": "Plan", "rules": [{"type": "IDENTIFY", "jsonSchema": {"type": "object"}}]},
    "audiences": {"key": "new", "id": "aud_new", "name": "New", "condition": {"trait": "city", "operator": "exists"}},
    "journeys": {
        "id": "jou_1",
        "name": "Trip",
        "entry": {"trait": "city", "operator": "exists"},
        "steps": [{"key": "first", "name": "First"}],
    },
    "destinations": {
        "name": "Second",
        "settings": {"apiKey": "sa-local-write", "advertiser_id": "1002"},
        "subscriptions": [],
        "audiences": [],
        "journeySteps": [],
    },
    "faults": {"fault": "status", "status": 503},
}
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


def test_the_yaml_of_a_workspace_with_everything_is_the_same_one(client: Client) -> None:
    for part, item in NEW.items():
        assert client.post(f"{WHOLE}/{part}", json=item).status_code == 201
    text = client.get(WHOLE, query_string={"format": "yaml"}).text
    assert document_of(parse_workspace(parse(text, where="yaml"))) == workspace(client)
