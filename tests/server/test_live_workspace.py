"""The workspace changed at run time as a whole and by patch: secrets, stale changes, mistakes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import Client

from emulator import Emulator, load_workspace
from emulator.workspace_document import document_of
from tests.server.live_workspace import DESTINATION, WHOLE, emails, identify, workspace

SANDBOX = {"X-Emulator-Sandbox": "own"}


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
