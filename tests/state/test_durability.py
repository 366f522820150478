"""After a kill, every acknowledged batch is stored completely, every other completely or not at all."""

from __future__ import annotations

import json
import signal
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests import postgresql
from tests.durability.__main__ import run
from tests.durability.load import TOKEN, upsert

PROFILES = 50_000
BATCH = 500
KILLED_AFTER = 40
SENDERS = 4
HEADERS = {"authorization": f"Bearer {TOKEN}"}
# In this API version one record in ten has no email and waits, one in ten has an invalid one, the others are visible.
OUTCOMES = {"visible": 8, "pending": 1, "rejected": 1}


def send(url: str, number: int) -> int | None:
    """The batch number if it was acknowledged, None without a response."""
    try:
        answer = httpx.post(f"{url}/graphql", json=upsert(number, BATCH), headers=HEADERS, trust_env=False, timeout=60)
    except httpx.HTTPError:
        return None
    assert answer.json() == {"data": {"upsertProfiles": {"userErrors": []}}}
    return number


def records_by_batch(file: Path) -> dict[int, dict[str, int]]:
    """Of each batch in the file, the number of records by outcome, read without the emulator."""
    with sqlite3.connect(file) as connection:
        rows = connection.execute("SELECT batch_id, raw, outcome FROM sa_records").fetchall()
    connection.close()
    found: dict[int, dict[str, int]] = {}
    for _, raw, outcome in rows:
        number = int(json.loads(raw)["userId"][1:].split("x")[0])
        outcomes = found.setdefault(number, {})
        outcomes[outcome] = outcomes.get(outcome, 0) + 1
    return found


def test_a_kill_under_load_loses_no_acknowledged_batch_and_leaves_none_incomplete(
    serve: Callable[..., Any], tmp_path: Path
) -> None:
    whole = {outcome: BATCH * share // 10 for outcome, share in OUTCOMES.items()}
    options = ("--data", str(tmp_path), "--api-version", "2024-12")
    first = serve(*options)
    httpx.post(f"{first.url}/_emulator/clock/advance", json={"hours": 9}, trust_env=False).raise_for_status()
    acknowledged: set[int] = set()
    with ThreadPoolExecutor(SENDERS) as pool:
        sent = [pool.submit(send, first.url, number) for number in range(PROFILES // BATCH)]
        for done in as_completed(sent):
            number = done.result()
            acknowledged |= {number} if number is not None else set()
            if len(acknowledged) == KILLED_AFTER:
                # The other senders are in the middle of a request.
                first.process.send_signal(signal.SIGKILL)
    assert first.process.wait(timeout=30) == -signal.SIGKILL
    assert KILLED_AFTER <= len(acknowledged) < PROFILES // BATCH

    found = records_by_batch(tmp_path / "default.sqlite")
    assert acknowledged <= found.keys()
    assert all(outcomes == whole for outcomes in found.values())

    second = serve(*options)
    clock = httpx.get(f"{second.url}/_emulator/clock", trust_env=False).json()
    assert clock["aheadSeconds"] == 9 * 3600
    counts = httpx.get(f"{second.url}/_emulator/counts", trust_env=False, timeout=60).json()["stackadapt"]
    assert {outcome: counts["records"][outcome] for outcome in whole} == {
        outcome: number * len(found) for outcome, number in whole.items()
    }
    assert counts["profiles"] == whole["visible"] * len(found)
    missing = sorted(set(range(PROFILES // BATCH)) - found.keys())
    with ThreadPoolExecutor(SENDERS) as pool:
        assert list(pool.map(lambda number: send(second.url, number), missing)) == missing
    counts = httpx.get(f"{second.url}/_emulator/counts", trust_env=False, timeout=60).json()["stackadapt"]
    assert sum(counts["records"].values()) == PROFILES
    assert second.stop() == 0


def test_a_frozen_clock_stays_frozen_after_a_restart(serve: Callable[..., Any], tmp_path: Path) -> None:
    first = serve("--data", str(tmp_path))
    frozen = httpx.post(f"{first.url}/_emulator/clock/freeze", trust_env=False).json()
    assert first.stop() == 0
    second = serve("--data", str(tmp_path))
    assert httpx.get(f"{second.url}/_emulator/clock", trust_env=False).json() == frozen
    httpx.post(f"{second.url}/_emulator/reset", trust_env=False).raise_for_status()
    assert second.stop() == 0
    third = serve("--data", str(tmp_path))
    assert httpx.get(f"{third.url}/_emulator/clock", trust_env=False).json()["frozen"] is False


def test_kills_under_mixed_load_lose_and_break_nothing_on_files() -> None:
    assert run("sqlite", 3, seed=1)["violations"] == []


def test_kills_under_mixed_load_lose_and_break_nothing_on_postgresql() -> None:
    if why := postgresql.missing():
        pytest.skip(why)
    summary = run("postgresql", 2, seed=1)
    assert (summary["violations"], summary["kills"]) == ([], {"emulator": 1, "database": 1})
