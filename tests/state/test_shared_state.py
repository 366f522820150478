"""Two processes on one database have one journal, one set of faults, one rate limit and one feed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event as ThreadEvent
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest

from emulator import Emulator
from emulator.clock import stopwatch
from emulator.events import BatchDelivered, ClockMoved, GraphQLExchanged
from emulator.journal import Journal
from emulator.server.listener import Listener
from emulator.server.services import SandboxServices
from emulator.shared_journal import SharedJournal
from emulator.store import Store
from tests.conftest import Served
from tests.slow_endpoint import KEY, SlowEndpoint, jump_while_sending, with_slow_destinations

AT = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
LONG_SECONDS = 30
QUERY = {"query": "{ user { email } }"}
WRITE = {"Authorization": "Bearer sa-local-write"}


@pytest.fixture
def pair(database: str, tmp_path: Path) -> Iterator[tuple[Emulator, Emulator]]:
    """Two emulators on a database of their own."""
    name = f"state_{uuid4().hex[:8]}"
    plain = database.replace("+psycopg", "")
    with psycopg.connect(plain, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    url = database.rsplit("/", 1)[0] + f"/{name}"
    with ExitStack() as opened:
        one, other = (opened.enter_context(Emulator(database=url)) for _ in range(2))
        yield one, other
    with psycopg.connect(plain, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


Pair = tuple[Emulator, Emulator]


def ask(emulator: Emulator, **more: Any) -> Any:
    return emulator.client.post("/graphql", json=QUERY, headers=WRITE, **more)


def get(emulator: Emulator, path: str) -> Any:
    answer = emulator.client.get(f"/_emulator/{path}")
    assert answer.status_code == 200, answer.text
    return answer.json


def test_requests_are_in_one_journal_and_numbers_count_up_over_all_processes(pair: Pair) -> None:
    for number in range(6):
        assert ask(pair[number % 2]).status_code == 200
    first, second = (get(emulator, "journal") for emulator in pair)
    assert first == second
    assert first["total"] == 6
    feeds = [get(emulator, "events") for emulator in pair]
    assert feeds[0] == feeds[1]
    numbers = [int(each["cursor"].split("-")[1]) for each in feeds[0]["events"]]
    assert numbers == list(range(1, 7))
    assert ask(pair[1]).status_code == 200
    after = get(pair[0], f"events?after={feeds[1]['next']}")
    assert (len(after["events"]), after["missed"]) == (1, None)


def test_clearing_reaches_every_process_and_readers_learn_of_it(pair: Pair) -> None:
    one, other = pair
    ask(one)
    cursor = get(other, "events")["next"]
    assert other.client.delete("/_emulator/journal").status_code == 204
    assert get(one, "journal")["total"] == 0
    ask(one)
    for emulator in pair:
        page = get(emulator, f"events?after={cursor}")
        assert (len(page["events"]), page["missed"]["reason"]) == (1, "cleared")


def test_a_new_process_has_the_journal_of_the_others(pair: Pair) -> None:
    ask(pair[0])
    again = SharedJournal(pair[1].sandbox.store)
    assert [each.trace_id for each in again.entries(GraphQLExchanged)] == [
        each.trace_id for each in pair[0].sandbox.journal.entries(GraphQLExchanged)
    ]


@pytest.mark.parametrize(("events", "size"), [(10, 1 << 30), (1000, 6000)])
def test_the_capacity_is_that_of_a_journal_in_memory(pair: Pair, events: int, size: int) -> None:
    limits = {"capacity": events, "capacity_bytes": size}
    alone = Journal(**limits)
    shared = [SharedJournal(emulator.sandbox.store, **limits) for emulator in pair]
    for journal in shared:
        journal.clear()
    start = [journal.after(None).last for journal in shared]
    sent = [ClockMoved(at=AT, action="advanced", seconds=number) for number in range(40)]
    for number, event in enumerate(sent):
        alone.append(event)
        shared[number % 2].append(event)
        if number % 7 == 0:
            assert shared[0].entries(ClockMoved) == alone.entries(ClockMoved)
    for journal, first in zip(shared, start, strict=True):
        assert journal.entries(ClockMoved) == alone.entries(ClockMoved)
        missed = journal.after(journal.cursor(first)).missed
        assert missed == alone.after(alone.cursor(0)).missed
        assert missed is not None


def test_threads_of_two_processes_number_without_gaps(pair: Pair) -> None:
    journals = [emulator.sandbox.journal for emulator in pair]

    def add(number: int) -> None:
        event = ClockMoved(at=AT, action="advanced", seconds=number)
        journals[number % 2].extend([event] * (1 + number % 3))

    seen: list[int] = []
    cursor = journals[0].cursor()
    with ThreadPoolExecutor(4) as threads:
        done = [threads.submit(add, number) for number in range(40)]
        while len(seen) < sum(1 + number % 3 for number in range(40)):
            following = journals[0].after(cursor)
            seen += [number for number, _ in following.events]
            cursor = journals[0].cursor(following.last)
        for each in done:
            each.result()
    assert seen == list(range(1, len(seen) + 1))
    assert journals[0].after(None) == journals[1].after(None)


def test_a_fault_applies_at_every_process_so_many_times_in_total(pair: Pair) -> None:
    one, other = pair
    rule = one.client.post("/_emulator/faults", json={"fault": "status", "status": 503, "times": 3}).json or {}
    assert [ask(pair[number % 2]).status_code for number in range(5)] == [503, 503, 503, 200, 200]
    assert get(other, "faults") == {"faults": []}
    other.client.post("/_emulator/faults", json={"fault": "status", "status": 500, "operation": "cdpProfiles"})
    assert get(one, "faults")["faults"][0]["id"] == rule["id"] + 1
    assert [each["status"] for each in get(one, "faults/unused")["faults"]] == [500]
    assert one.client.delete("/_emulator/faults").status_code == 204
    assert ask(other).status_code == 200
    assert get(other, "faults")["faults"] == []


def test_faults_and_rate_limit_outlive_a_process_and_reset_restores_those_of_the_workspace(pair: Pair) -> None:
    one, other = pair
    one.client.post("/_emulator/faults", json={"fault": "status", "status": 503})
    one.client.put("/_emulator/rate-limit", json={"requests": 5, "per": "1h"})
    assert ask(one).status_code == 503
    with Emulator(database=one._stores._url) as third:  # type: ignore[attr-defined]  # of a database
        assert ask(third).status_code == 503
        assert get(third, "faults")["faults"][0]["matched"] == 2
        assert get(third, "rate-limit")["rateLimit"]["requests"] == 5
    other.client.post("/_emulator/reset")
    assert ask(one).status_code == 200
    assert get(one, "rate-limit") == {"rateLimit": None}


def test_permits_are_shared(pair: Pair) -> None:
    one, other = pair
    for emulator in pair:
        emulator.client.post("/_emulator/clock/freeze")
    one.client.put("/_emulator/rate-limit", json={"requests": 4, "per": "1m"})
    assert get(other, "faults/unused")["rateLimits"][0]["requests"] == 4

    def send(number: int) -> int:
        body = json.dumps(QUERY)
        client = pair[number % 2].app.test_client()
        return client.post("/graphql", data=body, content_type="application/json", headers=WRITE).status_code

    with ThreadPoolExecutor(4) as threads:
        assert sorted(threads.map(send, range(10))) == [200] * 4 + [429] * 6
    assert get(one, "faults/unused")["rateLimits"] == []
    other.client.post("/_emulator/clock/advance", json={"seconds": 15})
    assert [ask(one).status_code, ask(other).status_code] == [200, 429]
    other.client.delete("/_emulator/rate-limit")
    assert ask(one).status_code == 200


def test_a_workspace_changes_faults_once_for_all_processes(pair: Pair) -> None:
    one, other = pair
    one.client.post("/_emulator/faults", json={"fault": "status", "status": 418})
    assert (
        one.client.patch("/_emulator/workspace", json={"faults": [{"fault": "status", "status": 503}]}).status_code
        == 200
    )
    other.client.put("/_emulator/rate-limit", json={"requests": 1, "per": "1h"})
    for emulator in pair:
        assert [each["status"] for each in get(emulator, "faults")["faults"]] == [418, 503]
        assert get(emulator, "rate-limit")["rateLimit"]["requests"] == 1


WAITS: dict[str, Callable[[Emulator], Any]] = {
    "wait": lambda emulator: get(emulator, f"wait?for=call&messageId=m-1&timeout={LONG_SECONDS}s")["call"]["messageId"],
    "events": lambda emulator: get(emulator, f"events?kinds=call&wait={LONG_SECONDS}s")["events"][0]["detail"][
        "messageId"
    ],
}


@pytest.mark.parametrize("name", WAITS)
def test_what_another_process_does_ends_a_wait(pair: Pair, name: str) -> None:
    one, other = pair
    services = other.services
    waiting = services.changes
    elapsed = stopwatch()
    call = {"type": "track", "event": "x", "userId": "u", "messageId": "m-1"}
    with ThreadPoolExecutor(1) as threads:
        done = threads.submit(WAITS[name], other)
        while not waiting._waiting:
            assert not done.done(), done.result()
        one.client.post("/v1/track", json=call, auth=("segment-local", ""))
        assert done.result() == "m-1"
    assert elapsed() < LONG_SECONDS * 1000


def test_deleting_a_sandbox_in_use_fails_no_request_in_an_unexplained_way(pair: Pair) -> None:
    one, other = pair
    for number in range(3):
        made = one.client.post("/_emulator/sandboxes", json={"name": f"s{number}"}).json or {}
        headers = {"Authorization": f"Bearer {made['token']}"}
        assert other.client.post("/graphql", json=QUERY, headers=headers).status_code == 200

        def send(_: int, headers: dict[str, str] = headers) -> int:
            return other.app.test_client().post("/graphql", json=QUERY, headers=headers).status_code

        with ThreadPoolExecutor(3) as threads:
            answers = threads.map(send, range(12))
            assert one.client.delete(f"/_emulator/sandboxes/s{number}").status_code == 204
            assert {*answers} <= {200, 401}


def test_two_processes_advance_the_clock_one_after_the_other(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two at once would both go on to the same stop, and so beyond it."""
    inside, second_asks = [0], ThreadEvent()
    advance, alone = SandboxServices._advance, Store.alone
    asked = [0]

    def asking(self: Store, work: str) -> AbstractContextManager[None]:
        asked[0] += work == "clock"
        if asked[0] == 2:
            second_asks.set()
        return alone(self, work)

    def advancing(self: SandboxServices, by: timedelta) -> None:
        inside[0] += 1
        assert second_asks.wait(LONG_SECONDS)
        assert inside == [1]
        advance(self, by)
        inside[0] -= 1

    monkeypatch.setattr(Store, "alone", asking)
    monkeypatch.setattr(SandboxServices, "_advance", advancing)
    before = pair[0].sandbox.clock.now()
    with ThreadPoolExecutor(2) as threads:
        done = threads.map(lambda emulator: emulator.services.advance(timedelta(hours=1)), pair)
        assert list(done) == [None, None]
    assert pair[0].sandbox.clock.now() - before >= timedelta(hours=2)


@pytest.fixture
def slow() -> Iterator[tuple[SlowEndpoint, str]]:
    """An endpoint that does not respond until a test says so, and its URL."""
    endpoint = SlowEndpoint()
    listener = Listener(endpoint)
    listener.start()
    yield endpoint, listener.url
    endpoint.released.set()
    listener.stop()


PERSON = {"userId": "u1", "traits": {"email": "u1@example.com", "total_spent": 900}}


def test_every_process_shows_an_advance_until_its_process_is_killed(
    pair: Pair, serve: Callable[..., Served], slow: tuple[SlowEndpoint, str]
) -> None:
    one, other = pair
    endpoint, url = slow
    workspace = with_slow_destinations(url)
    later = [replace(each, batch_age=timedelta(minutes=1)) for each in workspace.destinations]
    one.change_workspace(replace(workspace, destinations=tuple(later)))
    one.client.post("/_emulator/clock/freeze")
    now = datetime.fromisoformat(get(other, "clock")["now"])
    one.client.post("/v1/identify", json=PERSON, auth=KEY)
    moving = serve("--database", one._stores._url)  # type: ignore[attr-defined]  # of a database
    with ThreadPoolExecutor(1) as threads:
        path, hour = f"{moving.url}/_emulator/clock/advance", {"hours": 1}
        killed = threads.submit(httpx.post, path, json=hour, timeout=LONG_SECONDS)
        assert endpoint.arrived.acquire(timeout=LONG_SECONDS)
        # What they store meanwhile is left to the process that moves the clock.
        for emulator in pair:
            assert emulator.client.post("/v1/identify", json=PERSON, auth=KEY).status_code == 200
        for emulator in pair:
            clock = get(emulator, "clock")
            assert datetime.fromisoformat(clock["now"]) == now + timedelta(minutes=1)
            assert datetime.fromisoformat(clock["advance"]["until"]) == now + timedelta(hours=1)
            assert clock["advance"]["eventsQueued"] > 0
        moving.process.kill()
        with pytest.raises(httpx.HTTPError):
            killed.result()
    # The database notices that the process has gone.
    with one.sandbox.store.alone("clock"):
        pass
    assert ["advance" in get(emulator, "clock") for emulator in (other, one)] == [False, False]
    endpoint.released.set()
    other.services.advance(timedelta(hours=1))
    assert {each["outcome"] for each in get(one, "deliveries")["deliveries"]} == {"sent"}


def test_an_advance_sends_what_other_processes_have_left_to_it(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = pair
    advance = SandboxServices._advance

    def sent() -> int:
        return len(one.sandbox.journal.entries(BatchDelivered))

    def advancing(self: SandboxServices, by: timedelta) -> None:
        advance(self, by)
        assert get(other, "clock")["advance"]["eventsQueued"] == 0
        other.client.post("/v1/identify", json=PERSON, auth=KEY)
        assert (sent(), get(other, "clock")["advance"]["eventsQueued"] > 0) == (0, True)

    monkeypatch.setattr(SandboxServices, "_advance", advancing)
    one.services.advance(timedelta(hours=1))
    assert sent() > 0
    assert ["advance" in get(emulator, "clock") for emulator in pair] == [False, False]


def test_a_clock_jump_waits_for_what_another_process_sends(
    pair: Pair, slow: tuple[SlowEndpoint, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint, url = slow
    sends, jumps = pair
    sends.change_workspace(with_slow_destinations(url))
    jump_while_sending(sends, jumps, endpoint, monkeypatch)


def test_postgresql_compiles_no_statement_of_a_request(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    store, run, asked = pair[0].sandbox.store, Store.run, dict[str, tuple[Any, ...]]()

    def noted(self: Store, statement: str, *values: Any) -> Any:
        asked[statement] = values
        return run(self, statement, *values)

    monkeypatch.setattr(Store, "run", noted)
    assert ask(pair[0]).status_code == 200
    get(pair[0], "journal")
    monkeypatch.undo()
    [[limit]] = store.run("SELECT setting::float FROM pg_settings WHERE name = 'jit_above_cost'")
    assert len(asked) >= 3
    for statement, values in asked.items():
        [[[plan]]] = store.run(f"EXPLAIN (FORMAT JSON) {statement}", *values)
        assert plan["Plan"]["Total Cost"] < limit, statement
