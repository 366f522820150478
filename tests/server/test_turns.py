"""Which requests run on the event loop, and that nothing keeps it from the others."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event, current_thread
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from emulator import Emulator
from emulator.patience import patience_seconds
from emulator.protocol import DEFAULT_SANDBOX, SANDBOX_HEADER
from emulator.server import turns as module
from emulator.server.turns import Pace, ShortInARow, TimesTaken, Turns

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

SECONDS_ALLOWED = 20
QUERY = {"query": "{ advertisers(first: 1) { nodes { id } } }"}
TOKEN = {"authorization": "Bearer sa-local-write"}
HEALTH = "/_emulator/health"
# More than a connection must have sent before its requests run on the loop.
MANY = 10


def on_loop(test: Callable[[Turns], Coroutine[Any, Any, None]]) -> None:
    async def run() -> None:
        turns = Turns()
        await test(turns)
        turns.stop()

    asyncio.run(run())


async def places(turns: Turns, pace: Pace, taken: TimesTaken, number: int = 1) -> set[str]:
    """Where so many requests in a row ran."""
    loop = current_thread()

    def place() -> str:
        return "loop" if current_thread() is loop else "thread"

    return {await turns.run(place, lambda: pace, taken) for _ in range(number)}


def test_requests_run_on_the_loop_once_those_before_them_were_short() -> None:
    async def test(turns: Turns) -> None:
        taken = TimesTaken(ShortInARow())
        assert await places(turns, Pace.SHORT, taken, 5) == {"thread"}
        assert await places(turns, Pace.SHORT, taken, MANY) == {"loop"}
        assert await places(turns, Pace.ANY, taken, MANY) == {"thread"}
        assert await places(turns, Pace.SHORT, TimesTaken(ShortInARow())) == {"thread"}
        assert await places(turns, Pace.IMMEDIATE, TimesTaken(ShortInARow())) == {"loop"}

    on_loop(test)


def test_after_a_long_request_many_must_be_short(monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(turns: Turns) -> None:
        taken = TimesTaken(ShortInARow())
        await places(turns, Pace.SHORT, taken, MANY)
        with monkeypatch.context() as patched:
            patched.setattr(module, "computing_time", lambda: lambda: 1.0)
            await places(turns, Pace.SHORT, taken)
        assert await places(turns, Pace.SHORT, taken, 50) == {"thread"}
        assert await places(turns, Pace.SHORT, taken) == {"loop"}

    on_loop(test)


def test_a_new_connection_is_trusted_while_many_requests_of_others_were_short(monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(turns: Turns) -> None:
        overall = ShortInARow()
        others = TimesTaken(overall)
        await places(turns, Pace.SHORT, others, 100)
        assert await places(turns, Pace.SHORT, TimesTaken(overall)) == {"loop"}
        with monkeypatch.context() as patched:
            patched.setattr(module, "computing_time", lambda: lambda: 1.0)
            await places(turns, Pace.SHORT, others)
        assert await places(turns, Pace.SHORT, TimesTaken(overall)) == {"thread"}
        await places(turns, Pace.SHORT, TimesTaken(overall), 100)
        assert await places(turns, Pace.SHORT, others) == {"thread"}

    on_loop(test)


def test_a_short_request_does_not_run_on_the_loop_while_another_one_runs() -> None:
    async def test(turns: Turns) -> None:
        taken, started, over = TimesTaken(ShortInARow()), Event(), Event()
        await places(turns, Pace.SHORT, taken, MANY)

        def wait() -> None:
            started.set()
            over.wait(SECONDS_ALLOWED)

        other = asyncio.create_task(turns.run(wait, lambda: Pace.ANY, TimesTaken(ShortInARow())))
        while not started.is_set():
            await asyncio.sleep(0)
        assert await places(turns, Pace.IMMEDIATE, TimesTaken(ShortInARow())) == {"loop"}
        assert await places(turns, Pace.SHORT, taken) == {"thread"}
        over.set()
        await other

    on_loop(test)


def test_requests_that_wait_for_their_turn_run_on_the_loop_in_their_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_TURN_SECONDS", SECONDS_ALLOWED)

    async def test(turns: Turns) -> None:
        taken, over, done = TimesTaken(ShortInARow()), Event(), list[tuple[int, str]]()
        await places(turns, Pace.SHORT, taken, MANY)
        loop = current_thread()

        def note(number: int) -> None:
            done.append((number, "loop" if current_thread() is loop else "thread"))

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(turns.run(lambda: over.wait(SECONDS_ALLOWED), lambda: Pace.ANY, taken))
            for number in range(3):
                tasks.create_task(turns.run(lambda number=number: note(number), lambda: Pace.SHORT, taken))
            await asyncio.sleep(0)
            over.set()
        assert done == [(0, "loop"), (1, "loop"), (2, "loop")]

    on_loop(test)


def test_nothing_on_the_loop_waits_for_other_servers() -> None:
    async def test(turns: Turns) -> None:
        assert await turns.run(patience_seconds, lambda: Pace.IMMEDIATE, TimesTaken(ShortInARow())) == 0

    on_loop(test)


def test_an_error_of_a_request_is_raised_wherever_it_ran() -> None:
    def fail() -> None:
        raise ValueError

    async def test(turns: Turns) -> None:
        for pace in Pace:
            with pytest.raises(ValueError):
                await turns.run(fail, lambda pace=pace: pace, TimesTaken(ShortInARow()))

    on_loop(test)


@pytest.fixture(params=["memory", "file"])
def emulator(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Emulator]:
    with Emulator(data=tmp_path if request.param == "file" else None) as emulator:
        emulator.start()
        yield emulator


@pytest.fixture
def threads(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The threads that ran the requests."""
    threads: list[str] = []
    answer = emulator.app.wsgi_app

    def note(environ: WSGIEnvironment, start_response: StartResponse) -> Any:
        threads.append("loop" if current_thread().name == "stackadapt-emulator" else "thread")
        return answer(environ, start_response)

    monkeypatch.setattr(emulator.app, "wsgi_app", note)
    return threads


@pytest.mark.one_process
def test_only_what_waits_for_nothing_runs_on_the_loop(emulator: Emulator, threads: list[str]) -> None:
    def last(send: Callable[[httpx.Client], httpx.Response]) -> str:
        with httpx.Client(base_url=emulator.url, trust_env=False, timeout=SECONDS_ALLOWED) as client:
            for _ in range(MANY):
                assert send(client).status_code == 200
        return threads[-1]

    large = {"query": f"# {'x' * 20_000}\n{QUERY['query']}"}
    # A commit waits for the disk.
    graphql = "thread" if emulator.sandbox.store.url.startswith("sqlite:///") else "loop"
    assert last(lambda client: client.post("/graphql", json=QUERY, headers=TOKEN)) == graphql
    assert last(lambda client: client.post("/graphql", json=large, headers=TOKEN)) == "thread"
    assert last(lambda client: client.post("/_emulator/clock/freeze")) == "thread"
    assert last(lambda client: client.get(HEALTH)) == "loop"
    assert last(lambda client: client.get(HEALTH, headers={SANDBOX_HEADER: DEFAULT_SANDBOX})) == "thread"


def test_health_is_answered_while_the_store_is_in_use(emulator: Emulator) -> None:
    with (
        httpx.Client(base_url=emulator.url, trust_env=False, timeout=SECONDS_ALLOWED) as client,
        ThreadPoolExecutor(1) as pool,
    ):
        for _ in range(MANY):
            client.post("/graphql", json=QUERY, headers=TOKEN)
        with emulator.sandbox.store.begin():
            waiting = pool.submit(client.post, "/graphql", json=QUERY, headers=TOKEN)
            with httpx.Client(base_url=emulator.url, trust_env=False, timeout=SECONDS_ALLOWED) as other:
                assert all(other.get(HEALTH).status_code == 200 for _ in range(MANY))
            assert not waiting.done()
        assert waiting.result(SECONDS_ALLOWED).status_code == 200
