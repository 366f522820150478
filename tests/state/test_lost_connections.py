"""A lost database connection: what is stored is answered 200, everything else 503 with a reason, and the next works."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import Connection, event

from emulator import Emulator, store
from emulator.events import ClockMoved
from emulator.workspace import load_workspace
from tests import postgresql

TOKEN = load_workspace().tokens[0].secret
KEY = load_workspace().sources[0].write_key
AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
QUERY = {"query": "{ cdpProfiles(advertiserId: 1001) { size } }"}


@pytest.fixture
def own_database(database: str) -> Iterator[str]:
    """A database of its own, so that ending its connections disturbs no other test."""
    name = f"lost_{uuid4().hex[:8]}"
    with psycopg.connect(_plain(database), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    yield database.rsplit("/", 1)[0] + f"/{name}"
    with psycopg.connect(_plain(database), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def _plain(url: str) -> str:
    return url.replace("+psycopg", "")


def end_connections(url: str) -> None:
    """Ends every connection to the database, as a restart does."""
    server, name = _plain(url).rsplit("/", 1)
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s", [name])


def _graphql(emulator: Emulator) -> Any:
    return emulator.client.post("/graphql", json=QUERY, headers={"Authorization": f"Bearer {TOKEN}"})


def _identify(emulator: Emulator, user: str = "u1") -> Any:
    body = {"userId": user, "traits": {"email": f"{user}@example.com", "total_spent": 900}}
    return emulator.client.post("/v1/identify", json=body, auth=(KEY, ""))


def _counts(emulator: Emulator) -> Any:
    return emulator.client.get("/_emulator/counts")


CALLS: dict[str, Callable[[Emulator], Any]] = {"graphql": _graphql, "v1": _identify, "control": _counts}


@pytest.mark.parametrize("name", CALLS)
def test_the_next_call_connects_again(name: str, own_database: str) -> None:
    with Emulator(database=own_database) as emulator:
        assert CALLS[name](emulator).status_code == 200
        end_connections(own_database)
        assert CALLS[name](emulator).status_code == 200


@pytest.mark.parametrize("name", CALLS)
def test_a_connection_lost_in_a_transaction_is_answered_503_and_nothing_is_stored(name: str, own_database: str) -> None:
    with Emulator(database=own_database) as emulator:
        with emulator.sandbox.store.begin():
            pass
        # The first commit of a control call is that of a lock, without which it goes on.
        _lose_at(emulator, "before commit", own_database, transaction=2 if name == "control" else 1)
        answer = CALLS[name](emulator)
        _check_refused(name, answer)
        assert emulator.segment.profiles() == []
        assert CALLS[name](emulator).status_code == 200


@pytest.mark.parametrize("transaction", range(1, 9))
def test_a_stored_call_is_answered_200_wherever_the_connection_is_lost_later(
    transaction: int, own_database: str
) -> None:
    with Emulator(database=own_database) as emulator:
        lost = _lose_at(emulator, "before commit", own_database, transaction=transaction)
        answer = _identify(emulator)
        if not lost:
            pytest.skip("this call has fewer transactions")
        assert (answer.status_code == 200) == bool(emulator.segment.profiles())
        # What was not sent is sent later; the profile arrives once.
        _identify(emulator)
        emulator.services.advance(timedelta(hours=1))
        assert emulator.stackadapt.counts()["profiles"] == 1


def test_a_connection_lost_after_the_commit_is_answered_200(own_database: str) -> None:
    with Emulator(database=own_database) as emulator:
        lost = _lose_at(emulator, "after commit", own_database)
        assert _identify(emulator).status_code == 200
        assert lost
        assert len(emulator.segment.profiles()) == 1


@pytest.mark.parametrize("committed", [True, False])
def test_an_append_to_the_journal_whose_connection_is_lost_is_there_once(
    committed: bool, own_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, lost = store.run_text, []

    def losing(connection: Connection, text: str, values: Sequence[Any]) -> Sequence[Any]:
        if "INSERT INTO" not in text or "sandbox_journal_events" not in text or lost:
            return run(connection, text, values)
        if committed:
            run(connection, text, values)
        lost.append(text)
        end_connections(own_database)
        return run(connection, text, values)

    with Emulator(database=own_database) as one, Emulator(database=own_database) as other:
        start = one.sandbox.journal.cursor()
        monkeypatch.setattr(store, "run_text", losing)
        moved = [ClockMoved(at=AT, action="advanced", seconds=number) for number in range(3)]
        one.sandbox.journal.extend(moved[:2])
        one.sandbox.journal.append(moved[2])
        assert lost
        for emulator in (one, other):
            found = emulator.sandbox.journal.after(start).events
            assert [event for _, event in found] == moved
            assert [number for number, _ in found] == [1, 2, 3]


def test_a_database_that_is_away_is_named_and_used_again_once_it_is_back() -> None:
    if why := postgresql.missing():
        pytest.skip(why)
    with postgresql.server() as server, Emulator(database=server.url) as emulator:
        assert _identify(emulator).status_code == 200
        server.stop()
        for name, call in CALLS.items():
            _check_refused(name, call(emulator))
        server.start()
        for call in CALLS.values():
            assert call(emulator).status_code == 200


def _check_refused(name: str, answer: Any) -> None:
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "1"
    assert "the connection to the database was lost" in answer.text
    if name == "graphql":
        assert answer.json["errors"][0]["extensions"]["emulator"] is True
    if name == "v1":
        assert (answer.json["success"], answer.json["code"]) == (False, "store_failed")


def _lose_at(emulator: Emulator, when: str, url: str, *, transaction: int = 1) -> list[str]:
    """Ends the connections at one transaction that is committed from now on; the list has an item once it happened."""
    lost: list[str] = []
    seen: list[None] = []
    engine = emulator.sandbox.store._engine
    name = "commit" if when == "before commit" else "checkin"

    def lose(*_: Any) -> None:
        seen.append(None)
        if len(seen) == transaction and not lost:
            lost.append(when)
            end_connections(url)

    if name == "commit":
        event.listen(engine, "commit", lose)
    else:
        original = engine.dialect.do_commit

        def committed(connection: Any) -> None:
            original(connection)
            with suppress(psycopg.Error):
                lose()

        engine.dialect.do_commit = committed  # type: ignore[method-assign]  # there is no event after a commit
    return lost
