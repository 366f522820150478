"""A separate emulator with some history for every test, so that every list has items."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings

from emulator import Emulator

WRITE_KEY = ("segment-local", "")
TOKEN = {"Authorization": "Bearer sa-local-write"}

# Environment variables of the long runs in `tests/fuzz/`: how many Schemathesis cases in all, and where to say how many
# there were. Such a run takes its seed from `--hypothesis-seed`.
CASES = "FUZZ_CASES"
COUNT_FILE = "FUZZ_COUNT_FILE"

_sent = count()


def bounded(examples: int, operations: int) -> settings:
    """`examples` cases for each operation, the same ones in every run; or the share of each in a long run."""
    cases = int(os.environ.get(CASES, 0))
    return settings(
        max_examples=-(-cases // operations) or examples,
        derandomize=not cases,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        database=None,
    )


@schemathesis.hook
def after_call(context: object, case: object, response: object) -> None:
    next(_sent)


def pytest_sessionfinish() -> None:
    if COUNT_FILE in os.environ:
        Path(os.environ[COUNT_FILE]).write_text(str(next(_sent)))


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator() as emulator:
        make_history(emulator)
        yield emulator


def make_history(emulator: Emulator) -> None:
    """Two profiles and a rejection, two deliveries with their batches, a segment, a fault, a sandbox, a rate limit."""
    client = emulator.client
    calls: list[dict[str, Any]] = [
        {"type": "identify", "userId": name, "traits": {"email": f"{name}@example.com", "total_spent": 900}}
        for name in ("ada", "grace", "not an address")
    ]
    assert client.post("/v1/batch", json={"batch": calls}, auth=WRITE_KEY).status_code == 200
    assert client.post("/v1/track", json={"event": "Without a user"}, auth=WRITE_KEY).status_code == 200
    rule = {"field": "marketing_status", "operator": "equals", "value": "OPTED_IN"}
    segment = {"advertiserId": "1001", "name": "Opted in", "rule": rule}
    assert client.post("/_emulator/segments", json=segment).status_code == 201
    fault = {"fault": "status", "status": 503, "email": "*@nowhere.example"}
    assert client.post("/_emulator/faults", json=fault).status_code == 201
    assert client.post("/_emulator/sandboxes", json={"name": "pull-request-17"}).status_code == 201
    assert client.put("/_emulator/rate-limit", json={"requests": 1000}).status_code == 200
