"""An altered snapshot is refused, and nothing changes; or it loads, and then everything works.

Alterations are random; a failure prints the seed. STACKADAPT_EMULATOR_TEST_SEED repeats one, and
STACKADAPT_EMULATOR_TEST_ALTERATIONS sets how many are tried.
"""

from __future__ import annotations

import copy
import gzip
import json
import os
import random
from collections.abc import Iterator
from typing import Any

import pytest
from werkzeug.test import Client

from emulator import Emulator
from emulator.artefacts import fixture
from emulator.workspace import parse_workspace
from emulator.yaml_files import load_yaml
from tests.stackadapt.conftest import AUDIENCE_COLUMNS, column
from tests.stackadapt.test_root_fields import MUTATIONS

SEED = int(os.environ.get("STACKADAPT_EMULATOR_TEST_SEED") or random.SystemRandom().randrange(2**32))
ALTERATIONS = int(os.environ.get("STACKADAPT_EMULATOR_TEST_ALTERATIONS") or 20)

JOURNEY = {
    "id": "jrn_cart",
    "name": "Abandoned cart",
    "entry": {"event": "Cart Modified"},
    "exit": {"event": "Order Completed"},
    "steps": [
        {"key": "cart__entered_1", "name": "Entered"},
        {"key": "cart__reminded_2", "name": "Reminded", "wait": "2h"},
    ],
}
RULE = {
    "all": [
        {"field": "segment_engage_audience_id", "operator": "equals", "value": "aud_local_vip"},
        {"not": {"field": "email", "operator": "contains", "value": "bob"}},
    ]
}
VIEWS = (
    *("counts", "records", "rejections", "rejections?pending=true", "deliveries", "batches", "dead-letters", "journal"),
    *("profiles", "segments", "uploads", "deletions", "calls", "audiences", "journeys", "regulations", "suppressions"),
    *("space/profiles", "profiles/export", "faults", "clock"),
    "audiences/explain?userId=ada",
)
PAGES = "{ cdpProfiles(advertiserId: 1001) { size profiles { nodes { email sources } } } }"
LISTED = "{ advertisers(first: 9) { nodes { id name profileList(profileListId: 1) { name } } } }"
HUGE = (-1, 0, 2**31, 2**53, 2**63, 10**400, 1e308, 0.5, -(2**63))
OTHERS = (None, True, False, "", "x", "\ud800", "a\u0000b", [], {}, [[]], {"a": None}, "[" * 100, "{}", "[1]", "null")


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    document = load_yaml(fixture("workspace.yaml").read_text(encoding="utf-8"))
    document["journeys"] = [JOURNEY]
    document["destinations"][0]["journeySteps"] = [{"key": "cart__reminded_2"}]
    document["ingestion"]["latency"] = "2h"
    document["audiences"].append(
        {
            "key": "buyers",
            "id": "aud_buyers",
            "name": "Buyers",
            "condition": {"event": "Order Completed", "operator": "at_least", "value": 1, "within": "3d"},
        }
    )
    with Emulator(parse_workspace(document)) as started:
        yield started


def graphql(client: Client, query: str, **variables: Any) -> Any:
    headers = {"Authorization": "Bearer sa-local-write"}
    answer = client.post("/graphql", json={"query": query, "variables": variables}, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json


def call(client: Client, route: str, **call: Any) -> None:
    answer = client.post(f"/v1/{route}", json={"writeKey": "segment-local", **call})
    assert answer.status_code == 200, answer.text


def mutate(client: Client, name: str, given: Any = None) -> None:
    input_type, good = MUTATIONS[name][:2]
    query = f"mutation($i: {input_type}!) {{ {name}(input: $i) {{ userErrors {{ message }} }} }}"
    graphql(client, query, i=good if given is None else given)


def fill(client: Client) -> None:
    """Rows in as many tables as possible: done, waiting, retrying and failed."""
    client.post("/_emulator/clock/freeze")
    for user in ("ada", "bob", "cy", "dan"):
        traits = {"email": f"{user}@example.com", "first_name": user.title(), "total_spent": 900}
        call(client, "identify", userId=user, traits=traits)
        call(client, "track", messageId=f"m-{user}", userId=user, event="Cart Modified", properties={"sku": "1"})
    call(client, "track", userId="bob", event="Order Completed", properties={"total": 5})
    for name in ("createProfileList", "upsertProfileMapping", "upsertExternalAudienceMapping", "upsertProfiles"):
        mutate(client, name)
    mutate(client, "updateProfileListProfiles")
    mutate(client, "createUserUploadedProfilesWithJson")
    mutate(client, "createUploadTargets")
    mutate(client, "createAdvertiser")
    mutate(client, "upsertProfileMapping", {
        "advertiserId": "1001", "mappableType": "segment_io",
        "mappingSchemaV2": [column("email"), column("score", "NUMBER"), column("userId")],
    })  # fmt: skip
    people = json.dumps([
        {"email": "eve@example.com", "score": 3, "odd": 1},
        {"userId": "unknown", "audienceId": "aud_1", "audienceName": "One", "action": "enter"},
        {"email": "ada@example.com", "userId": "u1", "audienceId": "aud_1", "audienceName": "One", "action": "enter"},
    ])  # fmt: skip
    mutate(client, "upsertExternalAudienceMapping", {
        "advertiserId": "1001", "mappableType": "segment_io", "mappingSchema": AUDIENCE_COLUMNS,
    })  # fmt: skip
    mutate(client, "upsertProfiles", {"advertiserId": "1001", "externalProvider": "segment_io", "profiles": people})
    client.post("/_emulator/clock/advance", json={"hours": 3})
    client.post("/_emulator/segments", json={"advertiserId": "1001", "name": "VIPs", "rule": RULE})
    client.post("/_emulator/regulations", json={"regulationType": "SUPPRESS_ONLY", "subjectIds": ["dan"]})
    client.post("/_emulator/regulations", json={"userId": "cy"})
    mutate(client, "deleteRawProfile", {"advertiserId": "1001", "email": "dan@example.com"})
    mutate(client, "deleteRawProfiles", {**MUTATIONS["deleteRawProfiles"][1], "isComplianceRequest": True})
    client.post("/_emulator/clock/advance", json={"hours": 3})
    for fault in ({"fault": "status", "status": 503}, {"fault": "status", "status": 400}):
        rule = (client.post("/_emulator/faults", json=fault).json or {}).get("id")
        call(
            client, "identify", userId="gil", traits={"email": f"gil{fault['status']}@example.com", "total_spent": 600}
        )
        client.post("/_emulator/clock/advance", json={"minutes": 1})
        client.delete(f"/_emulator/faults/{rule}")
    # Still queued when the snapshot is saved.
    for name in ("deleteProfilesWithExternalIds", "deleteRawProfile", "updateProfileListProfiles"):
        mutate(client, name)
    for name in ("upsertProfileMapping", "upsertProfiles", "createUserUploadedProfilesWithJson"):
        mutate(client, name)


def seen(client: Client) -> dict[str, Any]:
    shown = {}
    for view in VIEWS:
        answer = client.get(f"/_emulator/{view}")
        assert answer.status_code < 500, f"GET {view}: {answer.text}"
        shown[view] = answer.data
    return shown


def works(client: Client) -> None:
    """Everything that reads the rows, before and after days have passed."""
    for hours in (0, 100):
        moved = client.post("/_emulator/clock/advance", json={"hours": hours}) if hours else None
        assert moved is None or moved.status_code == 200, moved.text
        seen(client)
    assert client.get("/_emulator/why?email=ada@example.com").status_code < 500
    assert "errors" not in graphql(client, PAGES)
    graphql(client, LISTED)
    call(client, "identify", userId="new", traits={"email": "new@example.com", "total_spent": 700})
    call(client, "identify", userId="ada", traits={"email": "ada@example.com", "total_spent": 1})
    mutate(client, "upsertProfiles")
    assert client.post("/_emulator/dead-letters/replay", json={}).status_code < 500
    assert client.get("/_emulator/snapshot").status_code == 200
    assert client.get("/_emulator/counts").status_code == 200


def altered(lines: list[Any], chance: random.Random) -> bytes:
    """A snapshot with one thing altered."""
    lines = copy.deepcopy(lines)
    rows = [number for number, line in enumerate(lines) if isinstance(line, list)]
    at = chance.choice(rows)
    row = lines[at]
    way = chance.randrange(8)
    if way == 0:
        del lines[at]
        lines[-1]["rows"] -= 1
    elif way == 1:
        lines.insert(at, copy.deepcopy(row))
        lines[-1]["rows"] += 1
    elif way == 2:
        content = packed(lines)
        place = chance.randrange(len(content))
        return content[:place] + bytes([chance.randrange(256)]) * chance.randrange(2) + content[place + 1 :]
    else:
        place = chance.randrange(len(row))
        row[place] = changed(row[place], chance)
    return packed(lines)


def changed(value: Any, chance: random.Random) -> Any:
    """Another value, or the same with something in it changed."""
    if isinstance(value, str) and value[:1] in ("{", "[") and chance.random() < 0.7:
        return json.dumps(changed(json.loads(value), chance))
    if isinstance(value, dict | list) and value and chance.random() < 0.8:
        keys = list(value) if isinstance(value, dict) else list(range(len(value)))
        key = chance.choice(keys)
        if chance.random() < 0.3:
            del value[key]
        else:
            value[key] = changed(value[key], chance)
        return value
    if isinstance(value, int) and not isinstance(value, bool) and chance.random() < 0.5:
        return value + chance.choice((-1, 1, 2, 1000, -(10**9), 10**9, 10**12))
    return copy.deepcopy(chance.choice((*HUGE, *OTHERS)))


def packed(lines: list[Any]) -> bytes:
    return gzip.compress(b"".join(json.dumps(line).encode() + b"\n" for line in lines), compresslevel=1)


def test_an_altered_snapshot_is_refused_or_everything_works(emulator: Emulator) -> None:
    client = emulator.client
    fill(client)
    content = client.get("/_emulator/snapshot").data
    lines = [json.loads(line) for line in gzip.decompress(content).splitlines()]
    loaded = client.put("/_emulator/snapshot", data=content)
    assert loaded.status_code == 200, loaded.text
    before = seen(client)
    chance = random.Random(SEED)
    for number in range(ALTERATIONS):
        said = f"seed {SEED}, alteration {number}"
        candidate = altered(lines, chance)
        answer = client.put("/_emulator/snapshot", data=candidate)
        if answer.status_code == 200:
            print(f"{said}: {difference(lines, candidate)}")
            works(client)
            client.put("/_emulator/snapshot", data=content)
            client.delete("/_emulator/journal")
            before = seen(client)
        else:
            assert answer.status_code in (400, 413), f"{said}: {answer.text}"
            assert seen(client) == before, f"{said}: {answer.text}"


def difference(lines: list[Any], content: bytes) -> str:
    """The first line that was altered."""
    try:
        found = gzip.decompress(content).splitlines()
    except (OSError, EOFError):
        return "the bytes"
    table = ""
    for old, new in zip(lines, found, strict=False):
        table = old.get("table", "") if isinstance(old, dict) else table
        if json.dumps(old).encode() != new:
            return f"{table}: {old} became {new.decode()}"
    return "the number of lines"
