"""Several server processes on one PostgreSQL database act as one emulator."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from emulator import Emulator

UPSERT = "mutation($u: UpsertProfilesInput!) { upsertProfiles(input: $u) { userErrors { message path } } }"
SHARED = {"X-Emulator-Sandbox": "shared"}


def send(url: str, token: str, number: int) -> bool:
    records = [{"email": f"p{number}x{n}@example.com"} for n in range(20)] + [{"email": "all@example.com"}]
    given = {"advertiserId": "1001", "externalProvider": "segment_io", "profiles": json.dumps(records)}
    body = {"query": UPSERT, "variables": {"u": given}}
    headers = {"authorization": f"Bearer {token}"}
    answer = httpx.post(f"{url}/graphql", json=body, headers=headers, trust_env=False, timeout=60)
    return bool(answer.json() == {"data": {"upsertProfiles": {"userErrors": []}}})


def workers_of(process: subprocess.Popen[str]) -> list[int]:
    listed = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(process.pid)], capture_output=True, text=True, check=True
    )
    return [int(pid) for pid in listed.stdout.split()]


def test_workers_share_data_clock_and_sandboxes_and_stop_together(database: str, serve: Callable[..., Any]) -> None:
    served = serve("--database", database, "--workers", "3")
    url = served.url
    made = httpx.post(f"{url}/_emulator/sandboxes", json={"name": "shared"}, trust_env=False, timeout=60).json()
    httpx.post(f"{url}/_emulator/clock/advance", json={"hours": 4}, headers=SHARED, trust_env=False)
    with ThreadPoolExecutor(6) as pool:
        assert all(pool.map(lambda number: send(url, made["token"], number), range(30)))
    # Each look is a new connection, which any of the workers may take.
    for _ in range(12):
        counts = httpx.get(f"{url}/_emulator/counts", headers=SHARED, trust_env=False, timeout=60).json()["stackadapt"]
        assert (counts["profiles"], counts["records"]["visible"]) == (30 * 20 + 1, 30 * 21)
        clock = httpx.get(f"{url}/_emulator/clock", headers=SHARED, trust_env=False, timeout=60).json()
        assert clock["aheadSeconds"] == 4 * 3600
    assert len(workers_of(served.process)) == 3
    httpx.delete(f"{url}/_emulator/sandboxes/shared", trust_env=False, timeout=60).raise_for_status()
    assert {httpx.get(f"{url}/_emulator/sandboxes/shared", trust_env=False).status_code for _ in range(12)} == {404}
    assert served.stop() == 0


def test_a_batch_is_sent_once_by_several_workers(database: str, serve: Callable[..., Any]) -> None:
    served = serve("--database", database, "--workers", "3")
    made = httpx.post(f"{served.url}/_emulator/sandboxes", json={"name": "once"}, trust_env=False, timeout=60).json()

    def identify(number: int) -> int:
        event = {"userId": f"u{number}", "traits": {"email": f"p{number}@example.com", "total_spent": 900}}
        auth = (made["writeKey"], "")
        return httpx.post(f"{served.url}/v1/identify", json=event, auth=auth, trust_env=False, timeout=60).status_code

    with ThreadPoolExecutor(6) as pool:
        assert set(pool.map(identify, range(30))) == {200}
    headers = {"X-Emulator-Sandbox": "once"}
    found = httpx.get(f"{served.url}/_emulator/batches", headers=headers, trust_env=False, timeout=60).json()["batches"]
    carried = [message for batch in found for message in batch["events"]]
    assert (len(carried), len(set(carried))) == (60, 60)
    assert {batch["outcome"] for batch in found} == {"sent"}
    assert served.stop() == 0


def test_a_worker_that_dies_ends_the_command(database: str, serve: Callable[..., Any]) -> None:
    served = serve("--database", database, "--workers", "2")
    assert httpx.get(f"{served.url}/_emulator/health", trust_env=False, timeout=60).status_code == 200
    os.kill(workers_of(served.process)[0], signal.SIGKILL)
    assert served.process.wait(timeout=30) == 3
    assert "SIGKILL" in served.process.stderr.read()


def test_a_snapshot_goes_from_sqlite_to_postgresql_and_back(database: str) -> None:
    with Emulator() as embedded, Emulator(database=database) as shared:
        event = {"userId": "a\x00da", "writeKey": "segment-local", "traits": {"email": "ada@example.com"}}
        assert embedded.client.post("/v1/identify", json=event).status_code == 200
        text = json.dumps({"email": "ada@example.com", "advertiserId": "1001", "properties": {"score": 7}})
        embedded.client.post("/_emulator/profiles/import", data=text)
        content = embedded.client.get("/_emulator/snapshot").data
        assert shared.client.put("/_emulator/snapshot", data=content).status_code == 200
        assert shared.stackadapt.profiles() == embedded.stackadapt.profiles()
        assert shared.segment.profiles() == embedded.segment.profiles()
        shared.client.post("/_emulator/profiles/import", data=text.replace("ada", "bob"))
        back = shared.client.get("/_emulator/snapshot").data
        assert embedded.client.put("/_emulator/snapshot", data=back).status_code == 200
        assert [each["email"] for each in embedded.stackadapt.profiles()] == ["ada@example.com", "bob@example.com"]
        shared.client.post("/_emulator/reset")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--workers", "2"), "--workers: several workers need --database"),
        (("--database", "mysql://x"), "'mysql'"),
        (("--database", "sqlite:///x"), "--data"),
        (("--database", "postgresql://x", "--data", "x"), "--data and --database cannot be combined"),
    ],
)
def test_invalid_combinations_of_options_are_refused(
    run: Callable[..., Any], arguments: tuple[str, ...], message: str
) -> None:
    done = run("serve", "--port", "0", *arguments)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_a_sandbox_recreated_by_another_process_has_its_new_secrets(database: str) -> None:
    with Emulator(database=database) as one, Emulator(database=database) as other:
        first = one.client.post("/_emulator/sandboxes", json={"name": "again"}).json or {}
        assert (other.client.get("/_emulator/sandboxes/again").json or {})["token"] == first["token"]
        one.client.delete("/_emulator/sandboxes/again")
        second = one.client.post("/_emulator/sandboxes", json={"name": "again"}).json or {}
        assert (other.client.get("/_emulator/sandboxes/again").json or {})["token"] == second["token"]
        assert send_in_process(other, first["token"]) == 401
        assert send_in_process(other, second["token"]) == 200


def send_in_process(emulator: Emulator, token: str) -> int:
    asked = {"query": "{ __typename }"}
    return emulator.client.post("/graphql", json=asked, headers={"authorization": f"Bearer {token}"}).status_code


def test_processes_follow_each_others_changes_of_a_workspace(database: str) -> None:
    path, new = "/_emulator/workspace", {"token": "sa-new", "name": "New", "scopes": {"1001": ["READ"]}}
    body = {"query": "{ __typename }"}
    with Emulator(database=database) as one, Emulator(database=database) as other:
        made = one.client.post("/_emulator/sandboxes", json={"name": "shared"}).json
        assert made is not None
        assert other.client.get(path, headers=SHARED).status_code == 200
        for headers in ({}, SHARED):
            added = one.client.post(f"{path}/tokens", json=new, headers=headers).json
            assert added is not None
            token = {"authorization": f"Bearer {added['item']['token']}"}
            assert other.client.post("/graphql", json=body, headers=token).status_code == 200
            assert one.client.delete(f"{path}/tokens/New", headers=headers).status_code == 200
            assert other.client.post("/graphql", json=body, headers=token).status_code == 401
            assert other.client.get(path, headers=headers).json == one.client.get(path, headers=headers).json
        one.client.put(f"{path}/sources/App", json={"writeKey": "app-key"})
        call = {"userId": "ada", "writeKey": "app-key", "traits": {"email": "ada@example.com", "total_spent": 900}}
        assert other.client.post("/v1/identify", json=call).status_code == 200
        with ThreadPoolExecutor(2) as pool:
            added_by = [(one, "x"), (other, "y"), (one, "z"), (other, "w")]

            def add(given: tuple[Emulator, str]) -> int:
                emulator, name = given
                item = {"name": name, "writeKey": name}
                return emulator.app.test_client().post(f"{path}/sources", json=item).status_code

            assert set(pool.map(add, added_by)) == {201}
        sources = one.client.get(f"{path}/sources").json
        assert sources is not None
        assert {"w", "x", "y", "z", "App"} <= {each["name"] for each in sources["items"]}
    with Emulator(database=database) as again:
        assert len(again.sandbox.workspace.sources) == 6
        assert again.stackadapt.profiles()[0]["email"] == "ada@example.com"
