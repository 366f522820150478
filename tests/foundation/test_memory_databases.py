"""A store in memory may get the database of one that was closed; nothing shows it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest
from sqlalchemy import Column, Connection, Integer, MetaData, Table, Text, func, insert, select, text

from emulator.server.registry import REGISTRY
from emulator.server.services import TABLES
from emulator.store import Store

EVERY = (*TABLES, REGISTRY)


@contextmanager
def opened(*tables: MetaData) -> Iterator[Store]:
    with closing(Store()) as store:
        store.create(*tables)
        yield store


def driver_of(store: Store) -> Any:
    with store.begin() as connection:
        return connection.connection.driver_connection


def value_for(column: Column[Any]) -> Any:
    return "x" if isinstance(column.type, Text) else 1


def every_table() -> list[Table]:
    return [table for group in EVERY for table in group.sorted_tables]


def rows_of(connection: Connection) -> dict[str, int]:
    counted = {table.name: connection.scalar(select(func.count()).select_from(table)) for table in every_table()}
    numbered = connection.scalar(text("SELECT count(*) FROM sqlite_sequence"))
    return {name: count for name, count in {**counted, "sqlite_sequence": numbered}.items() if count}


def test_a_database_that_is_used_again_is_empty_and_numbers_its_rows_from_one() -> None:
    with opened(*EVERY) as store:
        used = driver_of(store)
        with store.begin() as connection:
            for table in every_table():
                connection.execute(insert(table).values({each.name: value_for(each) for each in table.columns}))
            assert len(rows_of(connection)) == len(every_table()) + 1
    with opened(*EVERY) as store:
        assert driver_of(store) is used
        with store.begin() as connection:
            assert rows_of(connection) == {}


def test_stores_that_are_open_at_once_share_nothing() -> None:
    with opened(*EVERY) as first, opened(*EVERY) as second:
        assert driver_of(first) is not driver_of(second)
    with opened(*EVERY) as first, opened(*EVERY) as second:
        assert driver_of(first) is not driver_of(second)


@pytest.mark.parametrize(
    "change",
    ["ALTER TABLE sandboxes ADD COLUMN other TEXT", "DROP TABLE sandboxes", "CREATE TABLE other (id INTEGER)"],
)
def test_a_database_whose_tables_were_changed_is_not_used_again(change: str) -> None:
    with opened(*EVERY) as store:
        used = driver_of(store)
        with store.begin() as connection:
            connection.execute(text(change))
    with opened(*EVERY) as store:
        assert driver_of(store) is not used


def test_a_database_with_more_tables_than_at_first_is_not_used_again() -> None:
    more = MetaData()
    Table("more", more, Column("id", Integer, primary_key=True))
    with opened(*EVERY) as store:
        used = driver_of(store)
        store.create(more)
    for tables in (EVERY, (*EVERY, more)):
        with opened(*tables) as store:
            assert driver_of(store) is not used


def test_a_large_database_is_not_used_again() -> None:
    with opened(*EVERY) as store:
        used = driver_of(store)
        with store.begin() as connection:
            used.execute("INSERT INTO sandbox_workspaces VALUES ('x', ?)", ["x" * 8_000_000])
            assert rows_of(connection)
    with opened(*EVERY) as store:
        assert driver_of(store) is not used


def test_a_database_is_used_again_after_a_transaction_that_failed() -> None:
    with opened(*EVERY) as store:
        used = driver_of(store)
        with pytest.raises(ZeroDivisionError), store.begin() as connection:
            connection.execute(text("INSERT INTO sandbox_stores_dropped VALUES ('x')"))
            _ = 1 / 0
        assert driver_of(store) is used
    with opened(*EVERY) as store:
        assert driver_of(store) is used
        with store.begin() as connection:
            assert rows_of(connection) == {}
