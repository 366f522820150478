"""Mixed load on a running emulator, and what was acknowledged of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from threading import Condition, Thread
from typing import Any

import httpx

from emulator.protocol import TRACE_HEADER

SENDERS = 4
UPSERT = "mutation($u: UpsertProfilesInput!) { upsertProfiles(input: $u) { userErrors { message path } } }"
TOKEN = "sa-local-write"
WRITE_KEY = "segment-local"
# One record in ten has no email, one in ten has an invalid one, the others become visible.
OUTCOMES = {"visible": 8, "rejected": 2}
BATCH = 20
CALLS = 10
STEP_SECONDS = 60


class NotAcknowledged(Exception):
    """A call without an answer, or one that says that the store is away: it is stored completely or not at all."""


def batch(number: int, size: int) -> list[dict[str, Any]]:
    """The records of a numbered batch."""
    return [record(number, position) for position in range(size)]


def record(number: int, position: int) -> dict[str, Any]:
    name = f"p{number}x{position}"
    if position % 10 == 0:
        return {"userId": name, "audienceId": "aud_1", "action": "enter"}
    return {"email": "no email" if position % 10 == 1 else f"{name}@example.com", "userId": name}


def upsert(number: int, size: int) -> dict[str, Any]:
    """The request that sends a batch."""
    given = {"advertiserId": "1001", "externalProvider": "segment_io", "profiles": json.dumps(batch(number, size))}
    return {"query": UPSERT, "variables": {"u": given}}


def call(number: int, position: int) -> dict[str, Any]:
    """One call of a `/v1/batch`; those at even positions enter the audience."""
    name = f"s{number}x{position}"
    traits = {"email": f"{name}@example.com", "total_spent": 900 if position % 2 == 0 else 1}
    return {"type": "identify", "messageId": f"m-{name}", "userId": name, "traits": traits}


@dataclass
class Known:
    """What was sent and what of it was acknowledged, since the last reset."""

    batches: set[int] = field(default_factory=set)
    # Of the batches: how many were sent, and the trace ids of the acknowledged ones in their order.
    sent: int = 0
    traces: list[str] = field(default_factory=list)
    # The id of a fault that matches each batch.
    fault: int | None = None
    calls: set[int] = field(default_factory=set)
    seconds: int = 0
    most_seconds: int = 0
    # By name: the numbers of the batches in each; those whose deletion was sent are in neither.
    sandboxes: dict[str, set[int]] = field(default_factory=dict)
    deleted: set[str] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)
    acknowledged: int = 0


def add_fault(url: str) -> int:
    """Adds a fault that changes nothing and counts the batches; returns its id."""
    rule = {"fault": "latency", "milliseconds": 1, "email": "p*@example.com"}
    added = httpx.post(f"{url}/_emulator/faults", json=rule, trust_env=False, timeout=60).raise_for_status()
    return int(added.json()["id"])


class Load:
    """Sends from a few threads until calls are no longer acknowledged, or until it is stopped."""

    def __init__(self, url: str, known: Known, random: Random, numbers: Callable[[], int]) -> None:
        self._url = url
        self._known = known
        self._numbers = numbers
        self._changed = Condition()
        self._count = 0
        self._stopped = False
        seeds = [random.random() for _ in range(SENDERS)]
        self._threads = [Thread(target=self._send, args=(Random(seed),)) for seed in seeds]

    def start_and_wait(self, acknowledged: int) -> None:
        """Returns when so many calls are acknowledged; the other senders are in the middle of one."""
        for thread in self._threads:
            thread.start()
        with self._changed:
            self._changed.wait_for(lambda: self._count >= acknowledged or not self._alive(), 120)

    def stop(self) -> None:
        """Ends every sender after its current call."""
        self._stopped = True
        for thread in self._threads:
            thread.join()

    def _alive(self) -> bool:
        return any(thread.is_alive() for thread in self._threads)

    def _send(self, random: Random) -> None:
        kinds = (self._upsert, self._upsert, self._call, self._call, self._sandbox, self._advance, self._snapshot)
        with httpx.Client(base_url=self._url, trust_env=False, timeout=60) as client:
            while not self._stopped:
                try:
                    random.choice(kinds)(client, random)
                except NotAcknowledged:
                    return
                with self._changed:
                    self._count += 1
                    self._known.acknowledged += 1
                    self._changed.notify_all()

    def _ask(self, client: httpx.Client, method: str, path: str, **options: Any) -> httpx.Response:
        try:
            answer = client.request(method, path, **options)
        except httpx.HTTPError:
            raise NotAcknowledged from None
        # An advance that failed on the way has moved the clock: it has no Retry-After.
        if answer.status_code == 503 and ("Retry-After" in answer.headers or "AdvanceStopped" in answer.text):
            raise NotAcknowledged
        if answer.status_code >= 400:
            self._known.problems.append(f"{method} {path} was answered {answer.status_code}: {answer.text[:300]}")
            raise NotAcknowledged
        return answer

    def _upsert(self, client: httpx.Client, _random: Random) -> None:
        number = self._numbers()
        with self._changed:
            self._known.sent += 1
        headers = {"Authorization": f"Bearer {TOKEN}"}
        answer = self._ask(client, "POST", "/graphql", json=upsert(number, BATCH), headers=headers)
        self._known.batches.add(number)
        self._known.traces.append(answer.headers[TRACE_HEADER])

    def _call(self, client: httpx.Client, _random: Random) -> None:
        number = self._numbers()
        body = {"batch": [call(number, position) for position in range(CALLS)]}
        self._ask(client, "POST", "/v1/batch", json=body, auth=(WRITE_KEY, ""))
        self._known.calls.add(number)

    def _sandbox(self, client: httpx.Client, random: Random) -> None:
        number = self._numbers()
        name = f"d{number}"
        token = self._ask(client, "POST", "/_emulator/sandboxes", json={"name": name}).json()["token"]
        self._known.sandboxes[name] = set()
        headers = {"Authorization": f"Bearer {token}"}
        self._ask(client, "POST", "/graphql", json=upsert(number, BATCH), headers=headers)
        self._known.sandboxes[name] = {number}
        if random.random() < 0.5:
            del self._known.sandboxes[name]
            self._ask(client, "DELETE", f"/_emulator/sandboxes/{name}")
            self._known.deleted.add(name)

    def _advance(self, client: httpx.Client, _random: Random) -> None:
        with self._changed:
            self._known.most_seconds += STEP_SECONDS
        self._ask(client, "POST", "/_emulator/clock/advance", json={"seconds": STEP_SECONDS})
        with self._changed:
            self._known.seconds += STEP_SECONDS

    def _snapshot(self, client: httpx.Client, _random: Random) -> None:
        self._ask(client, "GET", "/_emulator/snapshot")
