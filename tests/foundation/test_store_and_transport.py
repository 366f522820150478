from __future__ import annotations

import socket
from pathlib import Path
from threading import Thread

import pytest
from flask import Flask, request
from sqlalchemy import Column, Integer, MetaData, String, Table, func, select

from emulator.errors import UserMistake
from emulator.store import Store
from emulator.transport import HttpTransport, TransportError

TABLES = MetaData()
ROWS = Table("rows", TABLES, Column("id", Integer, primary_key=True))


def count(store: Store) -> int:
    with store.begin() as connection:
        return connection.scalar(select(func.count()).select_from(ROWS)) or 0


@pytest.fixture(params=["memory", "file"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return "sqlite://" if request.param == "memory" else f"sqlite:///{tmp_path / 'store.sqlite'}"


def test_a_transaction_is_all_or_nothing(url: str) -> None:
    store = Store(url)
    store.create(TABLES)
    with pytest.raises(ZeroDivisionError), store.begin() as connection:
        connection.execute(ROWS.insert(), [{"id": 1}])
        _ = 1 / 0
    assert count(store) == 0
    store.close()


def test_threads_take_turns(url: str) -> None:
    store = Store(url)
    store.create(TABLES)

    def insert(first: int) -> None:
        for number in range(50):
            with store.begin() as connection:
                connection.execute(ROWS.insert(), [{"id": first + number}])

    threads = [Thread(target=insert, args=(first * 1000,)) for first in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert count(store) == 200
    store.clear(TABLES)
    assert count(store) == 0
    store.close()


def test_two_stores_in_memory_share_nothing() -> None:
    first, second = Store(), Store()
    for store in (first, second):
        store.create(TABLES)
    with first.begin() as connection:
        connection.execute(ROWS.insert(), [{"id": 1}])
    assert (count(first), count(second)) == (1, 0)
    first.close()
    second.close()


def test_a_file_keeps_its_rows(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'kept.sqlite'}"
    store = Store(url)
    store.create(TABLES)
    with store.begin() as connection:
        connection.execute(ROWS.insert(), [{"id": 1}])
    store.close()
    again = Store(url)
    again.create(TABLES)
    assert count(again) == 1
    again.close()


def test_an_application_and_a_socket_answer_alike() -> None:
    app = Flask("echo")

    @app.post("/graphql")
    def echo() -> tuple[str, int]:
        return request.get_data(as_text=True) + request.headers["x-probe"], 418

    answer = HttpTransport("http://127.0.0.1/graphql", app=app).post({"x-probe": "ü".encode().hex()}, "héllo")
    assert (answer.status, answer.text) == (418, "hélloc3bc")


def test_nobody_listening_is_a_refused_connection() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        transport = HttpTransport(f"http://127.0.0.1:{port}/graphql")
        with pytest.raises(TransportError) as caught:
            transport.post({}, "{}")
        assert caught.value.code == "ECONNREFUSED"
        transport.close()


def test_data_of_another_version_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 's.sqlite'}"
    old, new = MetaData(), MetaData()
    Table("things", old, Column("id", Integer, primary_key=True))
    Table("things", new, Column("id", Integer, primary_key=True), Column("name", String, index=True))
    for layout in (old, old):
        store = Store(url)
        store.create(layout)
        store.close()
    store = Store(url)
    with pytest.raises(UserMistake, match="written by another version") as caught:
        store.create(new)
    assert (caught.value.where, caught.value.found, caught.value.allowed) == ("things", "id", "id, name")
    store.create(old)
    store.close()
