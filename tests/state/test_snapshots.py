"""A snapshot restores the complete state in any emulator; an invalid one changes nothing."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import Client

from emulator import Emulator, load_workspace
from emulator.server.snapshot import VERSION
from emulator.server.snapshot_rows import json_of

RULE = {"field": "segment_engage_audience_id", "operator": "equals", "value": "aud_local_vip"}


@pytest.fixture
def client() -> Iterator[Client]:
    with Emulator() as emulator:
        yield emulator.client


def fill(client: Client, *users: str) -> None:
    for user in users:
        traits = {"email": f"{user}@example.com", "first_name": user.title(), "total_spent": 900}
        answer = client.post("/v1/identify", json={"userId": user, "writeKey": "segment-local", "traits": traits})
        assert answer.status_code == 200


def state(client: Client) -> dict[str, Any]:
    """The visible state of both services and the clock."""
    paths = ("profiles", "records", "rejections", "deliveries", "batches", "audiences", "counts", "segments")
    seen = {path: client.get(f"/_emulator/{path}").json for path in paths}
    clock = client.get("/_emulator/clock").json or {}
    return {**seen, "frozen": clock["frozen"], "ahead": clock["aheadSeconds"]}


def saved(client: Client, **headers: str) -> bytes:
    answer = client.get("/_emulator/snapshot", headers=headers)
    assert answer.status_code == 200
    return answer.data


def load(client: Client, content: bytes) -> Any:
    return client.put("/_emulator/snapshot", data=content)


def lines_of(content: bytes) -> list[Any]:
    return [json.loads(line) for line in gzip.decompress(content).splitlines()]


def packed(lines: list[Any]) -> bytes:
    return gzip.compress(b"".join(json.dumps(line).encode() + b"\n" for line in lines))


def test_loading_undoes_later_changes(client: Client) -> None:
    fill(client, "ada", "bob")
    client.post("/_emulator/segments", json={"advertiserId": "1001", "name": "VIPs", "rule": RULE})
    client.post("/_emulator/clock/freeze")
    content, before = saved(client), state(client)
    fill(client, "cy")
    client.post("/_emulator/clock/advance", json={"hours": 4})
    client.delete("/_emulator/segments/1")
    assert state(client) != before
    assert load(client, content).status_code == 200
    assert state(client) == before


def test_another_emulator_continues_from_the_snapshot(client: Client, tmp_path: Path) -> None:
    fill(client, "ada")
    client.post("/_emulator/clock/advance", json={"hours": 4})
    content = saved(client)
    with Emulator(data=tmp_path) as other:
        fill(other.client, "zoe")
        assert load(other.client, content).status_code == 200
        assert state(other.client) == state(client)
        fill(other.client, "bob")
        assert [profile["email"] for profile in other.stackadapt.profiles()] == ["ada@example.com", "bob@example.com"]
    with Emulator(data=tmp_path) as again:
        assert again.stackadapt.counts()["profiles"] == 2
        assert again.sandbox.clock.offset.total_seconds() == 4 * 3600


@pytest.mark.parametrize("moved", [("advance", {"hours": 5}), ("freeze", {})], ids=lambda moved: moved[0])
def test_an_unmoved_clock_is_restored_too(client: Client, moved: tuple[str, dict[str, int]]) -> None:
    fill(client, "ada")
    content, before = saved(client), state(client)
    way, how = moved
    client.post(f"/_emulator/clock/{way}", json=how)
    assert state(client) != before
    assert load(client, content).status_code == 200
    assert state(client) == before
    client.post("/_emulator/clock/advance", json={"hours": 1})
    assert state(client)["ahead"] == 3600


def test_queued_jobs_are_included() -> None:
    workspace = load_workspace().with_options(latency="4h")
    with Emulator(workspace) as first, Emulator(workspace) as second:
        first.client.post("/_emulator/clock/freeze")
        fill(first.client, "ada")
        load(second.client, saved(first.client))
        assert second.stackadapt.profiles() == []
        second.client.post("/_emulator/clock/advance", json={"hours": 4})
        assert [profile["email"] for profile in second.stackadapt.profiles()] == ["ada@example.com"]
        assert first.stackadapt.profiles() == []


def test_a_snapshot_can_be_loaded_into_another_sandbox(client: Client) -> None:
    fill(client, "ada")
    client.post("/_emulator/sandboxes", json={"name": "copy"})
    into = {"X-Emulator-Sandbox": "copy"}
    assert client.put("/_emulator/snapshot", data=saved(client), headers=into).status_code == 200
    shown = client.get("/_emulator/profiles", headers=into).json or {}
    assert [profile["email"] for profile in shown["profiles"]] == ["ada@example.com"]


def test_a_snapshot_contains_no_secret(client: Client) -> None:
    fill(client, "ada")
    text = gzip.decompress(saved(client)).decode()
    assert "ada@example.com" in text
    assert not [secret for secret in ("sa-local-write", "sa-local-read", "segment-local") if secret in text]


def cut_short(content: bytes) -> bytes:
    return content[: len(content) // 2]


def flipped(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 0xFF]) + content[middle + 1 :]


def without_its_end(content: bytes) -> bytes:
    return packed(lines_of(content)[:-1])


def with_a_row_less(content: bytes) -> bytes:
    lines = lines_of(content)
    lines.remove(next(line for line in lines if isinstance(line, list)))
    return packed(lines)


def with_a_value_less(content: bytes) -> bytes:
    lines = lines_of(content)
    next(line for line in reversed(lines) if isinstance(line, list)).pop()
    return packed(lines)


def with_a_row_twice(content: bytes) -> bytes:
    lines = lines_of(content)
    last = max(index for index, line in enumerate(lines) if isinstance(line, list))
    return packed([*lines[: last + 1], lines[last], *lines[last + 1 : -1], {"rows": lines[-1]["rows"] + 1}])


def of_another_version(content: bytes) -> bytes:
    lines = lines_of(content)
    return packed([{**lines[0], "version": 99}, *lines[1:]])


def of_another_workspace(content: bytes) -> bytes:
    lines = lines_of(content)
    return packed([{**lines[0], "workspace": "elsewhere"}, *lines[1:]])


def with_unknown_columns(content: bytes) -> bytes:
    lines = lines_of(content)
    table = next(line for line in lines[1:] if isinstance(line, dict))
    table["columns"].append("more")
    return packed(lines)


def with_a_clock_out_of_time(content: bytes) -> bytes:
    lines = lines_of(content)
    place = next(
        index for index, line in enumerate(lines) if isinstance(line, dict) and line.get("table") == "sandbox_clock"
    )
    rows = lines[-1]["rows"]
    if isinstance(lines[place + 1], list):
        del lines[place + 1]
        rows -= 1
    return packed([*lines[: place + 1], [1, 2**62, None], *lines[place + 1 : -1], {"rows": rows + 1}])


def of_something_else(content: bytes) -> bytes:
    return gzip.compress(b'{"hello": "world"}\n')


def of_nothing(content: bytes) -> bytes:
    return b""


@pytest.mark.parametrize(
    "spoil",
    [
        cut_short,
        flipped,
        without_its_end,
        with_a_row_less,
        with_a_value_less,
        with_a_row_twice,
        of_another_version,
        of_another_workspace,
        with_unknown_columns,
        with_a_clock_out_of_time,
        of_something_else,
        of_nothing,
    ],
    ids=lambda spoil: spoil.__name__,
)
def test_an_invalid_file_is_refused_and_changes_nothing(client: Client, spoil: Callable[[bytes], bytes]) -> None:
    fill(client, "ada", "bob")
    content = saved(client)
    fill(client, "cy")
    before = state(client)
    answer = load(client, spoil(content))
    assert answer.status_code == 400, answer.text
    assert re.match(r"snapshot|version|workspace|(sa|segment|sandbox)_\w+", (answer.json or {})["where"])
    assert state(client) == before


@pytest.mark.parametrize(
    "repacked",
    [
        gzip.decompress,
        lambda content: gzip.compress(gzip.decompress(content)[:9]) + gzip.compress(gzip.decompress(content)[9:]),
    ],
    ids=["unpacked", "of two members"],
)
def test_a_snapshot_is_read_however_it_is_packed(client: Client, repacked: Callable[[bytes], bytes]) -> None:
    fill(client, "ada", "bob")
    before, content = state(client), saved(client)
    fill(client, "cy")
    assert load(client, repacked(content)).status_code == 200
    assert state(client) == before


def test_a_snapshot_of_an_earlier_version_is_refused(client: Client) -> None:
    lines = lines_of(saved(client))
    answer = load(client, packed([{**lines[0], "version": 1}, *lines[1:]]))
    refused = answer.json or {}
    assert (answer.status_code, refused["where"], refused["found"], refused["allowed"]) == (
        400,
        "version",
        1,
        str(VERSION),
    )
    assert "save a new one" in refused["hint"]


def test_the_version_changes_with_the_tables(client: Client) -> None:
    """After a change of tables or columns, increase VERSION and enter the new digest."""
    layout = [line for line in lines_of(saved(client)) if isinstance(line, dict) and "columns" in line]
    digest = hashlib.sha256(json.dumps(layout).encode()).hexdigest()[:16]
    assert (VERSION, digest) == (7, "bdaeee4074ee4fea")


def test_workspaces_are_compared_by_name() -> None:
    with Emulator(replace(load_workspace(), name="one")) as one, Emulator(replace(load_workspace(), name="two")) as two:
        answer = load(two.client, saved(one.client))
        assert (answer.json or {})["found"] == "one"
        assert (answer.json or {})["allowed"] == "two"


def test_the_command_saves_and_loads(serve: Callable[..., Any], run: Callable[..., Any], tmp_path: Path) -> None:
    served, file = serve(), tmp_path / "state.snapshot.gz"
    import httpx

    with httpx.Client(base_url=served.url, trust_env=False) as http:
        event = {"userId": "ada", "traits": {"email": "ada@example.com", "total_spent": 900}}
        http.post("/v1/identify", json=event, auth=("segment-local", "")).raise_for_status()
        done = run("snapshot", "save", str(file), "--url", served.url)
        assert (done.returncode, file.stat().st_mode & 0o077) == (0, 0), done.stderr
        http.post("/_emulator/reset").raise_for_status()
        assert http.get("/_emulator/profiles").json() == {"profiles": []}
        assert run("snapshot", "load", str(file), "--url", served.url).returncode == 0
        assert [each["email"] for each in http.get("/_emulator/profiles").json()["profiles"]] == ["ada@example.com"]

        refused = run("snapshot", "save", str(tmp_path / "no.gz"), "--url", served.url, "--sandbox", "missing")
        assert (refused.returncode, "'missing'" in refused.stderr) == (2, True)
        file.write_bytes(file.read_bytes()[:100])
        refused = run("snapshot", "load", str(file), "--url", served.url)
        assert (refused.returncode, "damaged" in refused.stderr, "Traceback" in refused.stderr) == (2, True, False)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["state.snapshot.gz"]


def test_the_command_reports_that_no_server_is_listening(run: Callable[..., Any], tmp_path: Path) -> None:
    done = run("snapshot", "save", str(tmp_path / "x.gz"), "--url", "http://127.0.0.1:9")
    assert done.returncode == 2
    assert "stackadapt-emulator serve" in done.stderr
    assert list(tmp_path.iterdir()) == []


MANY = 1_200_000
# Each is far longer when it is read than as text: in a row, in the text of a row, and as the header.
LONG_LINES = {
    "arrays": "[" + "[]," * MANY + "[]]",
    "objects": "[" + "{}," * MANY + "{}]",
    "numbers": "[" + "0.1," * MANY + "1]",
    "text of arrays": json.dumps(["[" + "[]," * MANY + "[]]"]),
    "deep": "[" * MANY,
    "deep, in text": json.dumps(["[" * MANY]),
}


@pytest.mark.parametrize("line", LONG_LINES.values(), ids=LONG_LINES)
def test_a_line_with_too_many_values_is_refused_before_it_is_read(line: str) -> None:
    # What is made of the text in memory is counted, not what the process happens to use.
    tracemalloc.start()
    try:
        with pytest.raises((ValueError, RecursionError)):
            value = json_of(line)
            json_of(value[0])
        assert tracemalloc.get_traced_memory()[1] < 6 * len(line)
    finally:
        tracemalloc.stop()


def test_a_snapshot_with_such_a_line_changes_nothing(client: Client) -> None:
    fill(client, "ada")
    before, content = state(client), saved(client)
    head, *rest = gzip.decompress(content).splitlines()
    altered = gzip.compress(b"\n".join([head, rest[0], LONG_LINES["arrays"].encode(), *rest[1:]]))
    answer = load(client, altered)
    assert (answer.status_code, "a line is not JSON" in answer.text) == (400, True)
    assert state(client) == before


@pytest.mark.parametrize("value", [b"\xff\xfe", b"not json", "{"])
def test_a_damaged_row_is_named_instead_of_saved(value: bytes | str) -> None:
    with Emulator() as emulator:
        fill(emulator.client, "ann")
        with emulator.sandbox.store.begin() as connection:
            connection.exec_driver_sql("UPDATE sa_profiles SET properties = ?", (value,))
        answer = emulator.client.get("/_emulator/snapshot")
        assert (answer.status_code, answer.json["where"]) == (503, "sa_profiles")
        assert "damaged" in answer.json["message"]


def test_the_workspace_is_restored_without_its_secrets(client: Client) -> None:
    fill(client, "ada")
    before = client.get("/_emulator/workspace").json
    assert before is not None
    content = saved(client)
    assert not any(secret in json.dumps(lines_of(content)) for secret in ("sa-local-write", "segment-local"))
    changed = client.patch("/_emulator/workspace", json={"timing": "realistic", "audiences": [], "destinations": []})
    assert changed.status_code == 200
    assert load(client, content).status_code == 200
    assert client.get("/_emulator/workspace").json == before
    assert client.get("/_emulator/audiences").json["audiences"][0]["size"] == 1


def test_a_sandbox_keeps_its_secrets_when_a_snapshot_is_loaded(client: Client) -> None:
    content = saved(client)
    client.post("/_emulator/sandboxes", json={"name": "copy"})
    into = {"X-Emulator-Sandbox": "copy"}
    before = client.get("/_emulator/workspace", headers=into).json
    assert before is not None
    assert client.put("/_emulator/snapshot", data=content, headers=into).status_code == 200
    assert client.get("/_emulator/workspace", headers=into).json == before


def test_a_snapshot_with_an_invalid_workspace_changes_nothing(client: Client) -> None:
    fill(client, "ada")
    lines = lines_of(saved(client))
    before, workspace = state(client), client.get("/_emulator/workspace").json
    for broken in (None, {}, {"document": {}, "tokenOf": {}}, {**lines[0]["configuration"], "tokenOf": None}):
        answer = load(client, packed([{**lines[0], "configuration": broken}, *lines[1:]]))
        assert answer.status_code == 400
        assert "its workspace is invalid" in answer.json["message"]
    assert (state(client), client.get("/_emulator/workspace").json) == (before, workspace)
