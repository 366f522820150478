"""Runs of a client as tests make them, and what a point says of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from emulator.harness.grade import Case, Envelope, Run, SentRequest, chosen, graded

PASSED, FAILED, NOT_SEEN = "passed", "failed", "not seen"
ADA, BOB = "ada@example.com", "bob@example.com"
SECRET = "sa-secret-token"
REFUSED = {"status": 400, "outcome": "refused"}
BUSY = {"status": 429, "outcome": "refused"}
DOWN = {"status": 503, "outcome": "refused"}
LOST = {"status": None, "outcome": "noAnswer"}
USER_ERRORS = {"outcome": "userErrors"}


def sent(number: int, **changes: Any) -> SentRequest:
    """A write of Ada that was accepted; `at`, `wait`, `url` and `headers` are of its envelope."""
    at = changes.pop("at", float(number))
    envelope = Envelope(
        url=changes.pop("url", "/graphql"),
        headers=changes.pop("headers", {"authorization": f"Bearer {SECRET}"}),
        started=at,
        ended=at,
        retry_after=changes.pop("wait", None),
    )
    made: dict[str, Any] = {
        "operations": ("upsertProfiles",),
        "mutates": True,
        "can_write": True,
        "status": 200,
        "outcome": "accepted",
        "records": [{"email": ADA}],
        "document": '{"query": "mutation", "variables": {"syncId": "1"}}',
        "response": "{}",
    }
    return SentRequest(number=number, trace_id=f"trace-{number}", envelope=envelope, **{**made, **changes})


def read(number: int, data: Any = None, **changes: Any) -> SentRequest:
    made = {
        "operations": ("cdpProfiles",),
        "mutates": False,
        "records": [],
        "document": f"query {number}",
        "response": json.dumps({"data": data}),
    }
    return sent(number, **{**made, **changes})


def run(*requests: SentRequest, code: int | None = 0, name: str = "run", **changes: Any) -> Run:
    return Run(name=name, requests=requests, exit_code=code, **changes)


def paused(*pauses: float, failed: Mapping[str, Any] = BUSY, name: str = "run") -> Run:
    """A request that failed until the last attempt, with these pauses before the repeats."""
    times = [sum(pauses[:count]) for count in range(len(pauses) + 1)]
    attempts = [sent(number, at=at, **failed) for number, at in enumerate(times[:-1], start=1)]
    return run(*attempts, sent(len(times), at=times[-1]), name=name)


def result(point: str, *runs: Run, **known: Any) -> str:
    (found,) = graded(Case(runs=runs, secrets={"the token": SECRET}, **known), chosen([point]))
    return found.result


def recorded(*requests: SentRequest) -> Run:
    return run(*requests, code=None, recorded=True)
