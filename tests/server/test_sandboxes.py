"""Sandboxes created at run time: their own secrets, data, clock, faults and journal."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from werkzeug.test import Client

from emulator import Emulator
from emulator.events import GraphQLExchanged
from emulator.workspace import Workspace, parse_workspace

UPSERT = "mutation($u: UpsertProfilesInput!) { upsertProfiles(input: $u) { userErrors { message path } } }"
EMAILS = '{ cdpProfiles(advertiserId: "1001", filterBy: {limit: 1000}) { size profiles { nodes { email } } } }'


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator() as emulator:
        yield emulator


@pytest.fixture
def client(emulator: Emulator) -> Client:
    return emulator.client


WORKSPACE = {
    "advertisers": [{"id": "5", "name": "Other"}],
    "tokens": [{"token": "theirs", "name": "Both", "scopes": {"5": ["READ", "WRITE"]}}],
    "sources": [{"name": "App", "writeKey": "theirs-too"}],
    "ingestion": {"latency": "1h"},
}
# Fits the schema, but is invalid: found when it is compiled.
IMPOSSIBLE = {"key": "x", "id": "aud_x", "name": "X", "condition": {"trait": "a", "operator": "one_of", "value": 3}}


def created(client: Client, **body: Any) -> dict[str, Any]:
    answer = client.post("/_emulator/sandboxes", json=body)
    assert (answer.status_code, answer.is_json) == (201, True), answer.text
    shown: dict[str, Any] = answer.json or {}
    return shown


def identify(client: Client, write_key: str, user: str) -> int:
    body = {"userId": user, "writeKey": write_key, "traits": {"email": f"{user}@example.com", "total_spent": 900}}
    return client.post("/v1/identify", json=body).status_code


def emails(client: Client, token: str) -> list[str]:
    answer = client.post("/graphql", json={"query": EMAILS}, headers={"authorization": f"Bearer {token}"})
    assert answer.status_code == 200, answer.text
    return [node["email"] for node in (answer.json or {})["data"]["cdpProfiles"]["profiles"]["nodes"]]


def of(sandbox: dict[str, Any]) -> dict[str, str]:
    return {"X-Emulator-Sandbox": sandbox["name"]}


def test_a_new_sandbox_has_secrets_and_urls(client: Client) -> None:
    shown = created(client, name="checkout", seed=7)
    assert (shown["name"], shown["seed"]) == ("checkout", 7)
    assert shown["token"] == shown["tokens"]["Local read and write"]
    assert shown["graphql"].endswith("/graphql")
    assert client.get("/_emulator/sandboxes/checkout").json == shown


def test_an_event_reaches_the_sandbox_of_its_write_key_only(client: Client) -> None:
    first, second = created(client), created(client)
    assert identify(client, first["writeKey"], "ada") == 200
    assert emails(client, first["token"]) == ["ada@example.com"]
    assert emails(client, second["token"]) == []
    assert emails(client, "sa-local-write") == []


def test_a_read_only_token_of_a_sandbox_is_read_only(client: Client) -> None:
    token = created(client)["tokens"]["Local read only"]
    given = {"advertiserId": "1001", "externalProvider": "segment_io", "profiles": '[{"email": "a@example.com"}]'}
    answer = client.post(
        "/graphql", json={"query": UPSERT, "variables": {"u": given}}, headers={"authorization": f"Bearer {token}"}
    )
    assert (answer.json or {})["data"]["upsertProfiles"]["userErrors"] != []
    assert emails(client, token) == []


def test_secrets_are_new_even_for_the_same_name_and_seed() -> None:
    with Emulator() as one, Emulator() as other:
        first, second = (created(emulator.client, name="same", seed=1) for emulator in (one, other))
    secrets = {*first["tokens"].values(), *second["tokens"].values(), first["writeKey"], second["writeKey"]}
    assert len(secrets) == 6
    assert all(len(secret) > 32 for secret in secrets)


def test_a_token_is_not_a_write_key_nor_the_reverse(client: Client) -> None:
    sandbox = created(client)
    assert identify(client, sandbox["token"], "ada") == 400
    answer = client.post("/graphql", json={"query": EMAILS}, headers={"authorization": f"Bearer {sandbox['writeKey']}"})
    assert answer.status_code == 401


def test_a_control_request_selects_its_sandbox_by_header_or_token(client: Client) -> None:
    sandbox = created(client, name="mine")
    by_token = {"authorization": f"Bearer {sandbox['token']}"}
    for headers, name in (({}, "default"), (of(sandbox), "mine"), (by_token, "mine")):
        assert (client.get("/_emulator/health", headers=headers).json or {})["sandbox"] == name


def test_an_unknown_sandbox_is_not_found_and_the_closest_suggested(client: Client) -> None:
    created(client, name="checkout")
    for answer in (
        client.get("/_emulator/health", headers={"X-Emulator-Sandbox": "chekout"}),
        client.get("/_emulator/sandboxes/chekout"),
        client.delete("/_emulator/sandboxes/chekout"),
    ):
        assert answer.status_code == 404
        assert (answer.json or {})["hint"] == "Did you mean 'checkout'?"


def test_an_unknown_token_is_not_found_and_not_repeated(client: Client) -> None:
    answer = client.get("/_emulator/health", headers={"authorization": "Bearer sa-wrong-secret"})
    assert answer.status_code == 404
    assert "sa-wrong-secret" not in answer.text


def test_each_sandbox_has_its_own_clock_faults_and_journal(emulator: Emulator, client: Client) -> None:
    sandbox = created(client, name="mine")
    client.post("/_emulator/clock/advance", json={"hours": 4}, headers=of(sandbox))
    client.post("/_emulator/faults", json={"fault": "status", "status": 503}, headers=of(sandbox))
    ahead = (client.get("/_emulator/clock", headers=of(sandbox)).json or {})["aheadSeconds"]
    assert (ahead, (client.get("/_emulator/clock").json or {})["aheadSeconds"]) == (4 * 3600, 0)
    assert emails(client, "sa-local-write") == []
    matched = client.post("/graphql", json={"query": EMAILS}, headers={"authorization": f"Bearer {sandbox['token']}"})
    assert matched.status_code == 503
    journals = {name: emulator.sandboxes.services(name).sandbox.journal for name in ("default", "mine")}
    statuses = {
        name: [exchange.status for exchange in journal.entries(GraphQLExchanged)] for name, journal in journals.items()
    }
    assert statuses == {"default": [200], "mine": [503]}


def test_a_reset_affects_one_sandbox_only(client: Client) -> None:
    sandbox = created(client)
    identify(client, sandbox["writeKey"], "ada")
    identify(client, "segment-local", "bob")
    client.post("/_emulator/reset", headers=of(sandbox))
    assert (emails(client, sandbox["token"]), emails(client, "sa-local-write")) == ([], ["bob@example.com"])
    client.post("/_emulator/reset")
    assert (client.get("/_emulator/sandboxes/" + sandbox["name"])).status_code == 200


def test_a_deleted_sandbox_is_gone_and_its_name_available(client: Client) -> None:
    sandbox = created(client, name="short")
    identify(client, sandbox["writeKey"], "ada")
    assert client.delete("/_emulator/sandboxes/short").status_code == 204
    assert identify(client, sandbox["writeKey"], "ada") == 400
    listed = (client.get("/_emulator/sandboxes").json or {})["sandboxes"]
    assert [each["name"] for each in listed] == ["default"]
    again = created(client, name="short")
    assert again["token"] != sandbox["token"]
    assert emails(client, again["token"]) == []


def test_the_default_sandbox_cannot_be_deleted(client: Client) -> None:
    assert client.delete("/_emulator/sandboxes/default").status_code == 400
    assert emails(client, "sa-local-write") == []


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({"name": "Upper"}, "name"),
        ({"name": "../etc"}, "name"),
        ({"name": ""}, "name"),
        ({"name": "x" * 41}, "name"),
        ({"name": 5}, "name"),
        ({"name": "default"}, "name"),
        ({"name": "taken"}, "name"),
        ({"seed": "7"}, "seed"),
        ({"seed": -1}, "seed"),
        ({"seed": True}, "seed"),
        ({"sed": 1}, "sed"),
        ({"workspace": "mine"}, "workspace"),
        ({"workspace": {**WORKSPACE, "apiVersion": "2025-06"}}, "apiVersion"),
        ({"workspace": {**WORKSPACE, "audiences": [IMPOSSIBLE]}}, "audience 'x': condition.value"),
    ],
)
def test_an_invalid_sandbox_is_rejected_with_the_place(client: Client, body: dict[str, Any], where: str) -> None:
    created(client, name="taken")
    answer = client.post("/_emulator/sandboxes", json=body)
    assert answer.status_code == 400
    assert (answer.json or {})["where"] == where
    assert len((client.get("/_emulator/sandboxes").json or {})["sandboxes"]) == 2


def test_a_sandbox_can_have_its_own_workspace(client: Client) -> None:
    shown = created(client, name="other", workspace=WORKSPACE)
    assert shown["advertisers"] == {"5": "Other"}
    assert "theirs" not in json.dumps(shown)
    upsert = {"advertiserId": "5", "externalProvider": "segment_io", "profiles": [{"email": "ada@example.com"}]}
    sent = {"query": UPSERT, "variables": {"u": upsert}}
    answer = client.post("/graphql", json=sent, headers={"authorization": f"Bearer {shown['token']}"})
    assert answer.json == {"data": {"upsertProfiles": {"userErrors": []}}}
    assert client.get("/_emulator/profiles", headers=of(shown)).json == {"profiles": []}
    client.post("/_emulator/clock/advance", json={"hours": 1}, headers=of(shown))
    [profile] = (client.get("/_emulator/profiles", headers=of(shown)).json or {})["profiles"]
    assert profile["advertiserId"] == "5"


@pytest.mark.parametrize("text", [json.dumps(WORKSPACE), f"# mine\n{yaml.safe_dump(WORKSPACE)}"], ids=["JSON", "YAML"])
def test_a_workspace_can_be_the_content_of_its_file(client: Client, text: str) -> None:
    shown = created(client, name="other", workspace=text)
    assert shown["advertisers"] == {"5": "Other"}
    assert "theirs" not in json.dumps(shown)


def test_a_mistake_in_the_content_of_a_file_has_its_line(client: Client) -> None:
    answer = client.post("/_emulator/sandboxes", json={"workspace": "name: [a\nseed: 1\n"})
    assert answer.status_code == 400
    assert (answer.json or {})["where"] == "workspace, line 2, column 5"


def test_the_body_is_optional(client: Client) -> None:
    assert client.post("/_emulator/sandboxes").status_code == 201


def test_two_sandboxes_under_load_never_see_each_other_s_profiles(emulator: Emulator) -> None:
    url = emulator.start()
    pair = [created(emulator.client, name=name) for name in ("left", "right")]

    def hammer(turn: int) -> set[str]:
        sandbox = pair[turn % 2]
        with httpx.Client(base_url=url, trust_env=False, timeout=60) as http:
            for number in range(10):
                email = f"{sandbox['name']}-{turn}-{number}@example.com"
                given = {"advertiserId": "1001", "externalProvider": "segment_io"}
                given["profiles"] = json.dumps([{"email": email, "userId": "same"}])
                query = {"query": UPSERT, "variables": {"u": given}}
                token = {"authorization": f"Bearer {sandbox['token']}"}
                assert http.post("/graphql", json=query, headers=token).json()["data"]
                traits = {"email": f"{sandbox['name']}-s{turn}-{number}@example.com", "total_spent": 900}
                event = {"userId": f"u{turn}-{number}", "traits": traits}
                assert http.post("/v1/identify", json=event, auth=(sandbox["writeKey"], "")).status_code == 200
                body = http.post("/graphql", json={"query": EMAILS}, headers=token).json()
                seen = {node["email"] for node in body["data"]["cdpProfiles"]["profiles"]["nodes"]}
                foreign = {each for each in seen if not each.startswith(sandbox["name"])}
                if foreign:
                    return foreign
        return set()

    with ThreadPoolExecutor(8) as pool:
        assert set().union(*pool.map(hammer, range(8))) == set()
    for sandbox in pair:
        counts = emulator.client.get("/_emulator/counts", headers=of(sandbox)).json or {}
        assert counts["stackadapt"]["profiles"] == 80
        assert counts["segment"]["calls"]["accepted"] == 40


def test_a_folder_keeps_sandboxes_with_tokens_data_and_time(tmp_path: Path) -> None:
    with Emulator(data=tmp_path) as emulator:
        sandbox = created(emulator.client, name="kept")
        identify(emulator.client, sandbox["writeKey"], "ada")
        emulator.client.post("/_emulator/clock/advance", json={"hours": 4}, headers=of(sandbox))
    key = emulator.sandboxes.get("kept").key
    assert sorted(file.stem for file in tmp_path.glob("*.sqlite")) == ["default", key]
    with Emulator(data=tmp_path) as emulator:
        client = emulator.client
        assert client.get("/_emulator/sandboxes/kept").json == sandbox
        assert emails(client, sandbox["token"]) == ["ada@example.com"]
        assert (client.get("/_emulator/clock", headers=of(sandbox)).json or {})["aheadSeconds"] == 4 * 3600
        assert client.delete("/_emulator/sandboxes/kept").status_code == 204
    assert [file.name for file in tmp_path.glob("*.sqlite")] == ["default.sqlite"]


def test_a_folder_keeps_the_workspace_of_a_sandbox(tmp_path: Path) -> None:
    with Emulator(data=tmp_path) as emulator:
        sandbox = created(emulator.client, name="other", workspace=WORKSPACE)
    with Emulator(data=tmp_path) as emulator:
        assert emulator.client.get("/_emulator/sandboxes/other").json == sandbox
        emulator.client.delete("/_emulator/sandboxes/other")
        assert created(emulator.client, name="other")["advertisers"] != {"5": "Other"}


@pytest.fixture
def outgrown(tmp_path: Path) -> dict[str, Any]:
    """A sandbox in `tmp_path` whose stored workspace has a key that the schema no longer has."""
    with Emulator(data=tmp_path) as emulator:
        sandbox = created(emulator.client, name="old", workspace=WORKSPACE)
        created(emulator.client, name="young", seed=7)
    with closing(sqlite3.connect(tmp_path / "default.sqlite")) as database, database:
        database.execute("update sandbox_workspaces set workspace = json_set(workspace, '$.tokns', 1)")
    return sandbox


def test_an_invalid_stored_workspace_does_not_affect_other_sandboxes(tmp_path: Path, outgrown: dict[str, Any]) -> None:
    with Emulator(data=tmp_path) as emulator:
        client = emulator.client
        assert emails(client, "sa-local-write") == []
        default, old, young = (client.get("/_emulator/sandboxes").json or {})["sandboxes"]
        assert [default["name"], old["name"], young] == ["default", "old", {"name": "young", "seed": 7}]
        assert "unknown key 'tokns'" in old["error"]


def test_requests_to_an_unreadable_sandbox_get_the_reason(tmp_path: Path, outgrown: dict[str, Any]) -> None:
    with Emulator(data=tmp_path) as emulator:
        client, token = emulator.client, {"authorization": f"Bearer {outgrown['token']}"}
        for answer in (
            client.get("/_emulator/sandboxes/old"),
            client.get("/_emulator/health", headers=of(outgrown)),
            client.get("/_emulator/health", headers=token),
            client.post("/graphql", json={"query": EMAILS}, headers=token),
            client.post("/v1/identify", json={"userId": "ada"}, auth=(outgrown["writeKey"], "")),
        ):
            assert answer.status_code == 400
            error = answer.json or {}
            assert (error["error"], error["where"]) == ("WorkspaceError", "sandbox 'old'")
            assert "'tokns'" in error["message"]
            assert error["hint"] == "DELETE /_emulator/sandboxes/old and create it again."


def test_an_unreadable_sandbox_can_be_deleted_and_created_again(tmp_path: Path, outgrown: dict[str, Any]) -> None:
    with Emulator(data=tmp_path) as emulator:
        assert emulator.client.delete("/_emulator/sandboxes/old").status_code == 204
        assert emails(emulator.client, created(emulator.client, name="old")["token"]) == []


def test_a_workspace_is_parsed_on_first_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Emulator(data=tmp_path) as emulator:
        pair = [created(emulator.client, name=name, workspace=WORKSPACE) for name in ("left", "right")]
    read: list[Any] = []

    def counted(document: Mapping[str, Any]) -> Workspace:
        read.append(document)
        return parse_workspace(document)

    monkeypatch.setattr("emulator.server.sandboxes.parse_workspace", counted)
    with Emulator(data=tmp_path) as emulator:
        assert read == []
        for sandbox in (pair[0], pair[0]):
            assert identify(emulator.client, sandbox["writeKey"], "ada") == 200
        assert len(read) == 1


def test_files_are_readable_by_their_owner_only(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    with Emulator(data=folder) as emulator:
        created(emulator.client, name="kept")
        modes = {file.name: file.stat().st_mode & 0o077 for file in (folder, *folder.iterdir())}
    assert len(modes) > 2
    assert set(modes.values()) == {0}
