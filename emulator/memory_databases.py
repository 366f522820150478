"""Databases in memory: a new one is a copy of an empty one, and a closed one is emptied and used again.

Each test of a user opens its own. To create the tables by statements takes ten times as long as to copy them, and a
connection that has prepared its statements before saves a fifth of such a test.
"""

from __future__ import annotations

import atexit
import sqlite3
from functools import cache
from threading import Lock
from typing import Any

from sqlalchemy import Connection, MetaData
from sqlalchemy.dialects import sqlite
from sqlalchemy.schema import CreateIndex, CreateTable, DDLElement

from emulator.engines import MEMORY, open_engine

Tables = tuple[MetaData, ...]

# A larger one keeps too much memory.
_MOST_PAGES = 1_000

_LOCK = Lock()
_EMPTY: dict[Tables, sqlite3.Connection] = {}
_UNUSED: dict[Tables, Connection] = {}
_VERSION = "schema_version"


@cache
def creating(tables: MetaData) -> tuple[str, ...]:
    """The statements that create missing tables in SQLite, compiled once."""
    every = tables.sorted_tables
    elements: list[DDLElement] = [CreateTable(table, if_not_exists=True) for table in every]
    elements += [CreateIndex(index, if_not_exists=True) for table in every for index in table.indexes]
    return tuple(str(element.compile(dialect=sqlite.dialect())) for element in elements)


def open_with(tables: Tables) -> Connection:
    """The only connection to a database with these tables, which are empty."""
    with _LOCK:
        if tables in _UNUSED:
            return _UNUSED.pop(tables)
        connection = open_engine(MEMORY).connect()
        _empty(tables).backup(_driver(connection))
    connection.info[_VERSION] = _value(connection, _VERSION)
    return connection


def give_back(tables: Tables, connection: Connection) -> None:
    """Ends the use of a connection from `open_with`; the data is lost."""
    if _can_be_emptied(connection):
        for statement in _emptying(tables):
            _driver(connection).execute(statement)
        with _LOCK:
            if tables not in _UNUSED:
                _UNUSED[tables] = connection
                return
    _close(connection)


def _can_be_emptied(connection: Connection) -> bool:
    """Whether it is small, and its tables are those that it had at first."""
    if connection.closed or connection.in_transaction():
        return False
    return _value(connection, "page_count") <= _MOST_PAGES and _value(connection, _VERSION) == connection.info.get(
        _VERSION
    )


@cache
def _emptying(tables: Tables) -> tuple[str, ...]:
    every = [table for group in tables for table in group.sorted_tables]
    statements = [f"DELETE FROM {table.name}" for table in reversed(every)]  # noqa: S608 - a name from the code
    if any(table.dialect_options["sqlite"]["autoincrement"] for table in every):
        statements.append("DELETE FROM sqlite_sequence")
    return ("BEGIN", *statements, "COMMIT")


def _empty(tables: Tables) -> sqlite3.Connection:
    if tables not in _EMPTY:
        _EMPTY[tables] = database = sqlite3.connect(":memory:", check_same_thread=False)
        for statement in (each for group in tables for each in creating(group)):
            database.execute(statement)
    return _EMPTY[tables]


def _value(connection: Connection, pragma: str) -> int:
    value: int = _driver(connection).execute(f"PRAGMA {pragma}").fetchone()[0]
    return value


def _driver(connection: Connection) -> Any:
    return connection.connection.driver_connection


def _close(connection: Connection) -> None:
    connection.close()
    connection.engine.dispose()


@atexit.register
def _close_all() -> None:
    for connection in _UNUSED.values():
        _close(connection)
    for database in _EMPTY.values():
        database.close()
