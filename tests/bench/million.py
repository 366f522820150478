"""A million profiles through the API of a server on a file store: load, page, filter, count both audience segments.

Compared with filling a bare SQLite table with the same records in the same run. `BENCH_PROFILES` sets another number.
"""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import httpx

PROFILES = int(os.environ.get("BENCH_PROFILES", "1000000"))
A_REQUEST = 1000
IN_THE_AUDIENCE = 3
COLUMNS = ("first_name", "last_name", "city")
TOKEN = {"authorization": "Bearer sa-local-write"}
UPSERT = """mutation ($profiles: JSON!) {
  upsertProfiles(input: {advertiserId: 1001, externalProvider: "segment_io", profiles: $profiles}) {
    userErrors { message }
  }
}"""
MAPPINGS = """mutation ($columns: [MappingSchema!]!, $audience: [MappingSchema!]!) {
  upsertProfileMapping(input: {
    advertiserId: 1001, mappableType: "segment_io", isOptedIn: true, mappingSchemaV2: $columns
  }) { userErrors { message } }
  upsertExternalAudienceMapping(input: {
    advertiserId: 1001, mappableType: "segment_io", mappingSchema: $audience
  }) { userErrors { message } }
}"""
PAGE = """query ($token: String) {
  cdpProfiles(advertiserId: 1001, filterBy: {limit: 100, paginationToken: $token}) {
    nextToken profiles { nodes { email } }
  }
}"""
BY_EMAIL = """query ($email: String) {
  cdpProfiles(advertiserId: 1001, filterBy: {email: $email}) { size }
}"""


def lines() -> Iterator[str]:
    """The figures as lines, as they come."""
    with TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "emulator", "serve", "--port", "0", "--json", "--data", folder]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
            assert server.stdout is not None
            url = json.loads(server.stdout.readline())["url"]
            with httpx.Client(base_url=url, headers=TOKEN, timeout=300, trust_env=False) as client:
                yield from _figures(client)
            yield f"{PROFILES:,} profiles, memory of the server at its peak: {peak_mebibytes(server.pid)} MiB"
            server.terminate()
        size = sum(path.stat().st_size for path in Path(folder).iterdir())
        yield f"{PROFILES:,} profiles, file store: {size / 2**20:,.0f} MiB"
        yield f"{PROFILES:,} records, a bare SQLite table: {PROFILES / _bare(Path(folder) / 'bare'):,.0f} a second"


def _figures(client: httpx.Client) -> Iterator[str]:
    audience = [_column("audienceId", "external_id"), _column("audienceName", "name")]
    columns = [_column(name, name) for name in ("email", *COLUMNS)]
    _graphql(client, MAPPINGS, columns=columns, audience=audience)
    started = perf_counter()
    for first in range(0, PROFILES, A_REQUEST):
        _graphql(client, UPSERT, profiles=_records(first, min(first + A_REQUEST, PROFILES)))
    yield f"{PROFILES:,} profiles, loaded through /graphql: {PROFILES / (perf_counter() - started):,.0f} a second"
    yield f"{PROFILES:,} profiles, a page of 100: {_paged(client):.1f} ms"
    yield f"{PROFILES:,} profiles, filter by email: {_filtered(client):.1f} ms"
    for field, value in (("segment_engage_audience_id", "aud_1"), ("segment_engage_audience_name", "vip")):
        elapsed, size = _segment(client, field, value)
        yield f"{PROFILES:,} profiles, segment by {field}, {size:,} members: {elapsed:.0f} ms"


def _paged(client: httpx.Client) -> float:
    token, times = None, []
    for _ in range(50):
        started = perf_counter()
        page = _graphql(client, PAGE, token=token)["cdpProfiles"]
        times.append((perf_counter() - started) * 1000)
        token = page["nextToken"]
    return median(times)


def _filtered(client: httpx.Client) -> float:
    times = []
    for number in range(0, PROFILES, max(PROFILES // 20, 1)):
        started = perf_counter()
        found = _graphql(client, BY_EMAIL, email=_email(number))["cdpProfiles"]
        times.append((perf_counter() - started) * 1000)
        assert found["size"] == 1
    return median(times)


def _segment(client: httpx.Client, field: str, value: str) -> tuple[float, int]:
    rule = {"field": field, "operator": "equals", "value": value}
    body = {"advertiserId": "1001", "name": field, "rule": rule}
    created = client.post("/_emulator/segments", json=body).raise_for_status().json()["id"]
    started = perf_counter()
    size = client.get(f"/_emulator/segments/{created}?limit=0").raise_for_status().json()["size"]
    return (perf_counter() - started) * 1000, size


def _graphql(client: httpx.Client, query: str, **variables: Any) -> dict[str, Any]:
    body = client.post("/graphql", json={"query": query, "variables": variables}).raise_for_status().json()
    assert "errors" not in body, body
    data: dict[str, Any] = body["data"]
    return data


def _records(first: int, end: int) -> str:
    return json.dumps([_record(number) for number in range(first, end)])


def _record(number: int) -> dict[str, str]:
    person = {"userId": f"u{number}", "email": _email(number), **{name: f"{name} {number % 997}" for name in COLUMNS}}
    if number % IN_THE_AUDIENCE:
        return person
    return {**person, "audienceId": "aud_1", "audienceName": "vip", "action": "enter"}


def _email(number: int) -> str:
    return f"person{number}@example.com"


def _column(incoming: str, destination: str) -> dict[str, Any]:
    return {
        "incomingKey": incoming,
        "destinationKey": destination,
        "label": destination.replace("_", " ").title(),
        "type": "STRING",
        "isPii": False,
    }


def peak_mebibytes(process: int) -> int:
    """The peak memory of a running process."""
    status = Path(f"/proc/{process}/status").read_text(encoding="ascii")
    peak = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(peak.split()[1]) // 1024


def _bare(path: Path) -> float:
    started = perf_counter()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("CREATE TABLE records (email TEXT PRIMARY KEY, raw TEXT)")
        for first in range(0, PROFILES, A_REQUEST):
            rows = ((_email(number), json.dumps(_record(number))) for number in range(first, first + A_REQUEST))
            connection.executemany("INSERT INTO records VALUES (?, ?)", rows)
            connection.commit()
    connection.close()
    return perf_counter() - started
