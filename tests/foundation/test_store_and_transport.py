from __future__ import annotations

import gzip
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Thread

import pytest
from flask import Flask, Response, request
from sqlalchemy import Column, Integer, MetaData, String, Table, func, select, text
from sqlalchemy.exc import IntegrityError

from emulator.errors import UserMistake
from emulator.server.services import TABLES as EVERY_TABLE
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


def test_databases_in_memory_share_compiled_statements_and_no_rows() -> None:
    """Opening one must not take the time of compiling every statement again."""
    compiled = []
    for number in range(3):
        store = Store()
        store.create(TABLES)
        assert count(store) == 0
        with store.begin() as connection:
            connection.execute(ROWS.insert(), [{"id": number}])
            result = connection.execute(select(ROWS.c.id))
            compiled.append(result.context.compiled)
            assert result.scalars().all() == [number]
        store.close()
    assert compiled[0] is compiled[1] is compiled[2]


def schema_of(store: Store) -> list[tuple[str, str, str | None]]:
    with store.begin() as connection:
        return [
            (row.type, row.name, row.sql)
            for row in connection.execute(text("SELECT type, name, sql FROM sqlite_master ORDER BY name"))
        ]


def test_tables_are_the_same_however_they_are_created(tmp_path: Path) -> None:
    """Those of a new database in memory are copied."""
    copied, one_by_one, file = Store(), Store(), Store(f"sqlite:///{tmp_path / 'store.sqlite'}")
    copied.create(*EVERY_TABLE)
    file.create(*EVERY_TABLE)
    for tables in EVERY_TABLE:
        one_by_one.create(tables)
        copied.create(tables)
    assert schema_of(copied) == schema_of(one_by_one) == schema_of(file)
    for store in (copied, one_by_one, file):
        store.close()


def test_a_store_works_after_a_transaction_that_failed(url: str) -> None:
    """It keeps its connection between transactions."""
    store = Store(url)
    store.create(TABLES)
    with pytest.raises(IntegrityError), store.begin() as connection:
        connection.execute(ROWS.insert(), [{"id": 1}, {"id": 1}])
    with store.begin() as connection:
        connection.execute(ROWS.insert(), [{"id": 2}])
    assert count(store) == 1
    store.close()


def test_a_thread_with_many_transactions_in_a_row_lets_others_in_between(url: str) -> None:
    store, order = Store(url), []
    store.create(TABLES)

    def begin_once() -> None:
        with store.begin():
            order.append("other")

    other = Thread(target=begin_once)
    for number in range(20):
        with store.begin():
            order.append("many")
            if number == 0:
                other.start()
                # Until the other thread waits for its turn.
                while not store._next.locked():
                    pass
    other.join()
    store.close()
    assert order[:3] == ["many", "other", "many"]


def test_transactions_of_threads_are_serialised(url: str) -> None:
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


def test_an_application_in_process_gets_the_request_unchanged() -> None:
    app = Flask("echo")

    @app.post("/graphql")
    def echo() -> tuple[str, int]:
        return request.get_data(as_text=True) + request.headers["x-probe"], 418

    answer = HttpTransport("http://127.0.0.1/graphql", app=app).post({"x-probe": "ü".encode().hex()}, "héllo")
    assert (answer.status, answer.text) == (418, "hélloc3bc")


def test_a_closed_port_is_a_refused_connection() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        transport = HttpTransport(f"http://127.0.0.1:{port}/graphql")
        with pytest.raises(TransportError) as caught:
            transport.post({}, "{}")
        assert caught.value.code == "ECONNREFUSED"
        transport.close()


@contextmanager
def responding(said: bytes) -> Iterator[HttpTransport]:
    """A transport to a server that sends these bytes in response to one request with the body `{}`, then closes."""

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            asked = b""
            while not asked.endswith(b"{}"):
                asked += connection.recv(65536)
            connection.sendall(said)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = Thread(target=serve)
        server.start()
        with closing(HttpTransport(f"http://127.0.0.1:{listener.getsockname()[1]}/graphql")) as transport:
            yield transport
        server.join()


def http_response(content: bytes, *, status: str = "200 OK", header: str = "x-none: 1") -> bytes:
    return f"HTTP/1.1 {status}\r\n{header}\r\ncontent-length: {len(content)}\r\n\r\n".encode("latin-1") + content


@pytest.mark.parametrize("charset", ["idna", "base64", "undefined", "rot13", "klingon", "utf-16"])
def test_a_response_is_decoded_as_utf_8_whatever_its_charset(charset: str) -> None:
    said = http_response('{"data":"ü"}'.encode(), header=f"content-type: application/json; charset={charset}")
    with responding(said) as transport:
        assert transport.post({}, "{}").text == '{"data":"ü"}'


@pytest.mark.parametrize(
    "said",
    [b"", b"\x00 no HTTP\r\n\r\n", http_response(b"abc", header="content-encoding: gzip"), http_response(b"abc")[:-1]],
    ids=["nothing", "no HTTP", "no gzip", "cut short"],
)
def test_an_invalid_response_is_a_broken_connection(said: bytes) -> None:
    with responding(said) as transport, pytest.raises(TransportError) as caught:
        transport.post({}, "{}")
    assert caught.value.code == "ECONNRESET"


def test_an_invalid_request_is_a_broken_connection() -> None:
    transport = HttpTransport("http://127.0.0.1/graphql", app=Flask("never asked"))
    with pytest.raises(TransportError, match="can't encode") as caught:
        transport.post({"authorization": "Bearer tökén"}, "{}")
    assert caught.value.code == "ECONNRESET"
    transport.close()
    with pytest.raises(TransportError, match="closed"):
        transport.post({}, "{}")


@pytest.mark.parametrize(("milliseconds", "in_time"), [(9_999.0, True), (10_001.0, False)])
def test_the_whole_response_must_arrive_within_ten_seconds(
    milliseconds: float, in_time: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("emulator.transport.stopwatch", lambda: lambda: milliseconds)
    with responding(http_response(b"{}")) as transport:
        if in_time:
            assert transport.post({}, "{}").text == "{}"
            return
        with pytest.raises(TransportError, match="after 10000ms") as caught:
            transport.post({}, "{}")
        assert caught.value.code == "ETIMEDOUT"


def test_an_application_in_process_has_no_time_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("emulator.transport.stopwatch", lambda: lambda: 10_001.0)
    app = Flask("slow")
    app.add_url_rule("/graphql", view_func=lambda: "{}", methods=["POST"])
    assert HttpTransport("http://127.0.0.1/graphql", app=app).post({}, "{}").text == "{}"


def test_data_of_a_different_version_is_refused_and_left_unchanged(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 's.sqlite'}"
    old, new = MetaData(), MetaData()
    Table("things", old, Column("id", Integer, primary_key=True))
    Table("things", new, Column("id", Integer, primary_key=True), Column("name", String, index=True))
    for layout in (old, old):
        store = Store(url)
        store.create(layout)
        store.close()
    store = Store(url)
    with pytest.raises(UserMistake, match="written by a different version") as caught:
        store.create(new)
    assert (caught.value.where, caught.value.found, caught.value.allowed) == ("things", "id", "id, name")
    store.create(old)
    store.close()


@pytest.mark.parametrize("packed", [False, True])
def test_a_response_that_is_too_large_is_a_broken_connection(monkeypatch: pytest.MonkeyPatch, packed: bool) -> None:
    monkeypatch.setattr("emulator.transport._RESPONSE_LIMIT_BYTES", 1000)

    def post(size: int) -> int:
        body = b"x" * size
        response = Response(gzip.compress(body), headers={"Content-Encoding": "gzip"}) if packed else Response(body)
        app = Flask("large")
        app.add_url_rule("/graphql", view_func=lambda: response, methods=["POST"])
        return len(HttpTransport("http://127.0.0.1/graphql", app=app).post({}, "{}").text)

    assert post(1000) == 1000
    with pytest.raises(TransportError, match="the response is larger than 1000 bytes") as caught:
        post(1001)
    assert caught.value.code == "ECONNRESET"


def test_an_error_of_the_database_names_no_value(url: str) -> None:
    store = Store(url)
    people = Table("people", MetaData(), Column("email", String, primary_key=True))
    store.create(people.metadata)
    with pytest.raises(IntegrityError) as caught, store.begin() as connection:
        connection.execute(people.insert(), [{"email": "ada@example.com"}, {"email": "ada@example.com"}])
    assert "ada" not in str(caught.value)
    store.close()
