"""The connections to a database, through SQLAlchemy: SQLite in memory or in a file, or PostgreSQL."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from functools import cache
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import StaticPool
from sqlalchemy.util import LRUCache

from emulator.clock import check_machine
from emulator.pipelines import end_pipeline

MEMORY = "sqlite://"

_BEGIN = "BEGIN IMMEDIATE"

# PostgreSQL's text cannot hold U+0000, which JSON can spell. It is stored as ESCAPE and a digit, as is ESCAPE itself.
_NUL, _ESCAPE = "\x00", "\x1a"


def open_engine(url: str) -> Engine:
    """The connections to a database. Raises UserMistake where the machine's clock is before 1970."""
    check_machine()
    parsed = make_url(url)
    if parsed.get_backend_name() == "postgresql":
        return _open_postgresql(url)
    engine = _open_memory() if parsed.database in (None, "", ":memory:") else _open_file(parsed)

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # IMMEDIATE takes the write lock at once, so that two processes never deadlock.
        driver: Any = connection.connection.driver_connection
        try:
            # By the driver, which takes a tenth of the time, as every request has several transactions.
            driver.execute(_BEGIN)
        except sqlite3.Error as error:
            raise DBAPIError.instance(_BEGIN, None, error, sqlite3.Error, hide_parameters=True) from error

    return engine


class UnreadableJson:
    """What is read from a column of JSON that has none. Any use of it fails, where one item can be left out."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def __repr__(self) -> str:
        return f"not JSON ({self._error})"

    def items(self) -> Any:
        """Raises ValueError: there is no object."""
        raise ValueError(f"not JSON: {self._error}")

    __iter__ = keys = items


def _read_json(text: str) -> Any:
    # An error here would fail all rows of a query for the damaged one.
    try:
        return json.loads(text)
    except (ValueError, RecursionError, TypeError) as error:
        return UnreadableJson(error)


# Parameters are personal data, and errors are logged.
_SQLITE: Mapping[str, Any] = {
    "connect_args": {"check_same_thread": False},
    "hide_parameters": True,
    "json_deserializer": _read_json,
}
# The statements of all databases in memory: each test of a user opens its own, and must not compile them again.
_COMPILED: LRUCache[Any, Any] = LRUCache(2000)


def _open_memory() -> Engine:
    model = _memory_model()
    return Engine(
        model.pool.recreate(),
        model.dialect,
        model.url,
        hide_parameters=True,
        execution_options={"compiled_cache": _COMPILED},
    )


@cache
def _memory_model() -> Engine:
    """What all databases in memory have in common: compiled statements are kept by the dialect."""
    engine = create_engine(MEMORY, poolclass=StaticPool, **_SQLITE)
    event.listen(engine, "connect", _leave_begin_to_sqlalchemy)
    # Connecting once completes the dialect.
    engine.connect().close()
    engine.dispose()
    return engine


def _open_file(url: URL) -> Engine:
    engine = create_engine(url, **_SQLITE)
    event.listen(engine, "connect", _leave_begin_to_sqlalchemy)

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _record: Any) -> None:
        connection.execute("PRAGMA journal_mode=WAL")
        # What was acknowledged survives a power cut, too.
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA busy_timeout=30000")

    return engine


def _leave_begin_to_sqlalchemy(connection: Any, _record: Any) -> None:
    # The driver would open transactions too late.
    connection.isolation_level = None


def _open_postgresql(url: str) -> Engine:
    # An optional driver, installed with the extra `postgres`.
    from psycopg.types.string import StrDumperUnknown, TextLoader

    class Dumper(StrDumperUnknown):
        def dump(self, obj: str) -> Any:
            if _NUL in obj or _ESCAPE in obj:
                obj = obj.replace(_ESCAPE, f"{_ESCAPE}1").replace(_NUL, f"{_ESCAPE}0")
            return super().dump(obj)

    class Loader(TextLoader):
        def load(self, data: Any) -> Any:
            text = super().load(data)
            if isinstance(text, str) and _ESCAPE in text:
                return text.replace(f"{_ESCAPE}0", _NUL).replace(f"{_ESCAPE}1", _ESCAPE)
            return text

    # A thread needs two at most: one for its transaction, one for `alone`.
    engine = create_engine(url, pool_size=8, max_overflow=-1, hide_parameters=True)

    @event.listens_for(engine, "before_cursor_execute")
    def _wait(connection: Connection, *_: Any) -> None:
        end_pipeline(connection)

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _record: Any) -> None:
        # `begin` of a store opens its transactions; the driver would send another message for each.
        connection.autocommit = True
        connection.adapters.register_dumper(str, Dumper)
        for kind in ("text", "varchar"):
            connection.adapters.register_loader(kind, Loader)

    return engine
