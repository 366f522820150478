"""Requests that are refused before they belong to a sandbox: listed in the default one, without their secrets."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest
from werkzeug.test import Client

from emulator import Emulator, load_workspace
from emulator.artefacts import fixture
from emulator.protocol import SANDBOX_HEADER
from emulator.workspace_file import read

SECRET = "sa-wrong-secret-0123456789"
KEY = "segment-wrong-key-0123456789"
PRINT = f"sha256:{sha256(SECRET.encode()).hexdigest()[:8]}"
KEY_PRINT = f"sha256:{sha256(KEY.encode()).hexdigest()[:8]}"
QUERY = {"query": "{ user { email } }"}
ADA = {"userId": "u1", "messageId": "m1", "traits": {"email": "ada@example.com"}}
UPSERT = (
    'mutation { upsertProfiles(input: {advertiserId: 1001, externalProvider: "segment_io", '
    'profiles: "[{\\"email\\": \\"ada@example.com\\"}]"}) { userErrors { message } } }'
)


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator() as emulator:
        yield emulator


@pytest.fixture
def client(emulator: Emulator) -> Client:
    return emulator.client


def entries(client: Client, query: str = "", **headers: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.get(f"/_emulator/journal{query}", headers=headers).get_json()["entries"]
    return found


def calls(client: Client, query: str = "?accepted=false", **headers: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.get(f"/_emulator/calls{query}", headers=headers).get_json()["calls"]
    return found


def bearer(secret: str) -> dict[str, str]:
    return {"authorization": f"Bearer {secret}"}


@pytest.mark.parametrize(
    ("method", "sent", "expected"),
    [
        ("POST", {"json": QUERY}, (401, "no_token", None, ["user"])),
        ("POST", {"json": QUERY, "headers": {"authorization": "Bearer"}}, (401, "no_token", None, ["user"])),
        ("POST", {"json": QUERY, "headers": bearer(SECRET)}, (401, "unknown_token", PRINT, ["user"])),
        ("POST", {"json": QUERY, "headers": {"authorization": SECRET}}, (401, "not_bearer", PRINT, ["user"])),
        (
            "POST",
            {"json": QUERY, "headers": {"authorization": f"Basic {SECRET}"}},
            (401, "not_bearer", PRINT, ["user"]),
        ),
        (
            "POST",
            {"data": f"not JSON {SECRET}", "headers": bearer(SECRET), "content_type": "application/json"},
            (400, "invalid_body", PRINT, []),
        ),
        ("POST", {"data": f"query={SECRET}", "headers": bearer(SECRET)}, (415, "invalid_body", PRINT, [])),
        ("POST", {"data": b"x" * (8 * 1024 * 1024 + 1)}, (413, "body_too_large", None, [])),
        ("GET", {"headers": bearer(SECRET)}, (405, "method_not_allowed", PRINT, [])),
        ("OPTIONS", {}, (405, "method_not_allowed", None, [])),
    ],
    ids=["none", "empty", "unknown", "bare", "basic", "invalid body", "form", "too large", "GET", "preflight"],
)
def test_a_refused_request_is_in_the_default_journal(
    client: Client, method: str, sent: dict[str, Any], expected: tuple[Any, ...]
) -> None:
    response = client.open("/graphql", method=method, **sent)
    [entry] = entries(client)
    status, refusal, credential, operations = expected
    assert response.status_code == status
    assert {name: entry[name] for name in ("token", "status", "outcome", "refusal", "credential", "method")} == {
        "token": None,
        "status": status,
        "outcome": "refused",
        "refusal": refusal,
        "credential": credential,
        "method": method,
    }
    assert entry["operations"] == operations
    assert entry["traceId"] == response.headers["x-emulator-trace-id"]
    assert SECRET not in json.dumps(entry)


def test_a_refused_request_is_found_by_operation_and_email(client: Client) -> None:
    client.post("/graphql", json={"query": UPSERT}, headers=bearer(SECRET))
    [entry] = entries(client, "?email=ada@example.com&operation=upsertProfiles&outcome=refused&advertiserId=1001")
    assert entry["records"][0]["record"] == {"email": "ada@example.com"}
    assert client.get("/_emulator/profiles").json == {"profiles": []}


def test_a_token_in_place_of_an_advertiser_is_not_in_the_journal(client: Client) -> None:
    document = UPSERT.replace("1001", f'"{SECRET}"')
    client.post("/graphql", json={"query": document}, headers=bearer(SECRET))
    [entry] = entries(client)
    assert entry["advertiserIds"] == ["***"]
    assert SECRET not in json.dumps(entry)


def test_a_secret_is_found_as_json_spells_it(client: Client) -> None:
    secret = 'sa-"quoted"-\\-secret'
    client.post("/graphql", json={**QUERY, "variables": {"t": secret}}, headers=bearer(secret))
    [entry] = entries(client)
    assert json.loads(entry["request"])["variables"] == {"t": "***"}


@pytest.mark.parametrize("field", ["query", "variables"])
@pytest.mark.parametrize("secret", [SECRET, "sa-local-write", "sa-local-read", "segment-local"])
def test_no_secret_of_the_request_or_of_the_workspace_is_in_the_journal(
    client: Client, field: str, secret: str
) -> None:
    body = (
        {"query": f"{{ user {{ email }} }} # {secret}"} if field == "query" else {**QUERY, "variables": {"t": secret}}
    )
    client.post("/graphql", json=body, headers=bearer(SECRET))
    client.post("/graphql", json={**body, "unknown": 1}, headers=bearer(SECRET))
    client.post(f"/api/graphql/{secret}", json=body, headers=bearer(SECRET))
    listed = entries(client)
    assert [entry["status"] for entry in listed] == [401, 400, 404]
    assert secret not in json.dumps(listed)


@pytest.mark.parametrize(
    ("sent", "credential", "message"),
    [
        ({"json": {**ADA, "writeKey": KEY}}, KEY_PRINT, "No source has this write key."),
        ({"json": ADA, "auth": (KEY, "")}, KEY_PRINT, "No source has this write key."),
        ({"json": ADA}, None, "The request has no write key."),
    ],
    ids=["in the body", "basic", "none"],
)
def test_a_call_with_an_unknown_write_key_is_listed(
    client: Client, sent: dict[str, Any], credential: str | None, message: str
) -> None:
    client.post("/_emulator/clock/freeze")
    assert client.post("/v1/identify", **sent).status_code == 400
    assert calls(client) == [
        {
            "at": (client.get("/_emulator/clock").json or {})["now"],
            "source": None,
            "call": "identify",
            "event": None,
            "messageId": "m1",
            "userId": "u1",
            "email": "ada@example.com",
            "accepted": False,
            "status": 400,
            "reason": "unknown_source",
            "message": message,
            "notes": [],
            "credential": credential,
        }
    ]


def test_refused_calls_are_counted(client: Client) -> None:
    for _ in range(2):
        client.post("/v1/batch", json={"batch": [{"type": "identify", **ADA}] * 3}, auth=(KEY, ""))
    client.post("/v1/track", data="{", auth=("segment-local", ""))
    client.post("/identify", json=ADA)
    counted = client.get("/_emulator/counts").get_json()["segment"]["calls"]
    assert counted == {"accepted": 0, "failed": {"unknown_source": 6, "invalid_request": 1, "unknown_path": 1}}
    client.post("/_emulator/reset")
    assert client.get("/_emulator/counts").get_json()["segment"]["calls"] == {"accepted": 0, "failed": {}}
    assert calls(client) == []


def test_each_call_of_a_refused_batch_is_listed(client: Client) -> None:
    track = {"type": "track", "userId": 7, "event": "e", "properties": {"email": "bob@example.com"}}
    batch = [{"type": "identify", **ADA}, track, {"type": "identify", "context": {"traits": {"email": "c@d.io"}}}, 5]
    client.post("/v1/batch", json={"batch": batch, "writeKey": KEY})
    assert [(call["call"], call["userId"], call["email"]) for call in calls(client)] == [
        ("identify", "u1", "ada@example.com"),
        ("track", "7", "bob@example.com"),
        ("identify", None, "c@d.io"),
        ("batch", None, None),
    ]
    assert KEY not in json.dumps(calls(client))


@pytest.mark.parametrize(
    ("sent", "source", "message"),
    [
        ({"data": "{", "auth": ("segment-local", "")}, "Website", "malformed JSON"),
        ({"data": "{", "auth": (KEY, "")}, None, "malformed JSON"),
        ({"data": "{"}, None, "malformed JSON"),
        ({"data": "x" * 40_000, "auth": ("segment-local", "")}, "Website", "Exceed payload limit"),
    ],
    ids=["known key", "unknown key", "no key", "too large"],
)
def test_a_call_whose_body_cannot_be_read_is_listed(
    client: Client, sent: dict[str, Any], source: str | None, message: str
) -> None:
    client.post("/v1/track", **sent)
    [call] = calls(client)
    assert (call["source"], call["call"], call["status"], call["message"]) == (source, "track", 400, message)
    assert (call["reason"], call["messageId"], call["userId"]) == ("invalid_request", None, None)


def test_the_secrets_of_a_deleted_sandbox_are_unknown_in_the_default_one(client: Client) -> None:
    sandbox = client.post("/_emulator/sandboxes", json={"name": "gone"}).get_json()
    client.delete("/_emulator/sandboxes/gone")
    client.post("/graphql", json=QUERY, headers=bearer(sandbox["token"]))
    client.post("/v1/identify", json=ADA, auth=(sandbox["writeKey"], ""))
    assert [entry["refusal"] for entry in entries(client)] == ["unknown_token"]
    assert [call["reason"] for call in calls(client)] == ["unknown_source"]


def test_a_request_that_names_a_sandbox_is_listed_there(client: Client) -> None:
    client.post("/_emulator/sandboxes", json={"name": "mine"})
    mine = {SANDBOX_HEADER: "mine"}
    client.post("/graphql", json=QUERY, headers={**bearer(SECRET), **mine})
    client.post("/v1/identify", json=ADA, auth=(KEY, ""), headers=mine)
    client.post("/graphql", json=QUERY, headers={**bearer(SECRET), SANDBOX_HEADER: "other"})
    assert (len(entries(client, **mine)), len(calls(client, **mine))) == (1, 1)
    assert (len(entries(client)), len(calls(client))) == (1, 0)


def test_a_delivery_with_an_unknown_token_is_listed_in_its_own_sandbox(client: Client) -> None:
    workspace = deepcopy(dict(read(fixture("workspace.yaml"))))
    workspace["destinations"][0]["settings"]["apiKey"] = SECRET
    sandbox = client.post("/_emulator/sandboxes", json={"name": "mine", "workspace": workspace}).get_json()
    vip = {**ADA, "traits": {"email": "ada@example.com", "total_spent": 900}}
    client.post("/v1/identify", json=vip, auth=(sandbox["writeKey"], ""))
    [entry] = entries(client, **{SANDBOX_HEADER: "mine"})
    deliveries = client.get("/_emulator/deliveries", headers={SANDBOX_HEADER: "mine"}).get_json()["deliveries"]
    assert {(each["reason"], each["traceId"]) for each in deliveries} == {("401", entry["traceId"])}
    assert entries(client) == []


def test_a_refused_request_leaves_seeded_ids_unchanged() -> None:
    found = []
    for refused in (0, 3):
        with Emulator(replace(load_workspace(), seed=1)) as emulator:
            for _ in range(refused):
                emulator.client.post("/graphql", json=QUERY, headers=bearer(SECRET))
                emulator.client.post("/v1/identify", json={"userId": "u"}, auth=(KEY, ""))
            emulator.client.post("/graphql", json=QUERY, headers=bearer("sa-local-write"))
            found.append(entries(emulator.client, "?status=200")[0]["traceId"])
    assert found[0] == found[1]


def test_a_write_key_in_the_user_name_of_basic_authentication_is_not_repeated(client: Client) -> None:
    basic = "Basic " + base64.b64encode(f"{KEY}:{SECRET}".encode()).decode()
    client.post(f"/v1/{KEY}/identify", json=ADA, headers={"authorization": basic})
    [call] = calls(client)
    assert call["message"] == "unknown path '/v1/***/identify', instead of '/v1/identify'"
    assert call["credential"] == KEY_PRINT
