"""Statements that are sent to PostgreSQL without waiting: their errors, and connections that are lost meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import Column, Integer, MetaData, Table, bindparam, func, insert, select
from sqlalchemy.exc import IntegrityError

from emulator.pipelines import begin_pipeline
from emulator.statements import Prepared
from emulator.store import Store
from emulator.store_failures import StoreFailure

TABLES = MetaData()
ROWS = Table("rows", TABLES, Column("id", Integer, primary_key=True, autoincrement=False))
ADD = Prepared(insert(ROWS).values(id=bindparam("row")))
COUNT = Prepared(select(func.count()).select_from(ROWS))


@pytest.fixture
def store(database: str) -> Iterator[Store]:
    store = Store(database, schema=f"pipelines_{uuid4().hex[:8]}")
    store.create(TABLES)
    yield store
    store.drop_schema()
    store.close()


def count(store: Store) -> int:
    with store.begin() as connection:
        begin_pipeline(connection)
        number: int = COUNT.value(connection)
        return number


def test_what_was_sent_is_seen_by_later_statements_and_stored(store: Store) -> None:
    with store.begin() as connection:
        begin_pipeline(connection)
        ADD.run(connection, row=1)
        assert COUNT.value(connection) == 1
        ADD.many(connection, [{"row": 2}, {"row": 3}])
        # One of SQLAlchemy's own.
        assert connection.scalar(select(func.count()).select_from(ROWS)) == 3
        ADD.run(connection, row=4)
    assert count(store) == 4


@pytest.mark.parametrize("then", ["nothing", "a query", "one of SQLAlchemy's own"])
def test_an_error_is_raised_later_and_nothing_is_stored(store: Store, then: str) -> None:
    with pytest.raises(IntegrityError), store.begin() as connection:
        begin_pipeline(connection)
        ADD.run(connection, row=1)
        ADD.run(connection, row=1)
        if then == "a query":
            COUNT.value(connection)
        elif then != "nothing":
            connection.scalar(select(func.count()).select_from(ROWS))
    assert count(store) == 0


def test_another_error_rolls_back_what_was_sent(store: Store) -> None:
    with pytest.raises(ZeroDivisionError), store.begin() as connection:
        begin_pipeline(connection)
        ADD.run(connection, row=1)
        _ = 1 / 0
    assert count(store) == 0


@pytest.mark.parametrize("then", ["nothing", "a query", "a statement"])
def test_a_lost_connection_is_reported_and_replaced(store: Store, database: str, then: str) -> None:
    with pytest.raises(StoreFailure, match="the connection to the database was lost"), store.begin() as connection:
        begin_pipeline(connection)
        backend = Prepared(select(func.pg_backend_pid())).value(connection)
        ADD.run(connection, row=1)
        with psycopg.connect(database.replace("+psycopg", ""), autocommit=True) as other:
            other.execute("SELECT pg_terminate_backend(%s, 5000)", [backend])
        if then == "a query":
            COUNT.value(connection)
        elif then == "a statement":
            ADD.run(connection, row=2)
    assert count(store) == 0
