"""Where a sandbox keeps its state: one SQL database, reached through SQLAlchemy Core.

Rooms declare their tables and ask for transactions; they do not know which database answers.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import RLock
from typing import Any

from sqlalchemy import Connection, Engine, MetaData, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.pool import StaticPool

MEMORY = "sqlite://"


class Store:
    """One sandbox's database. `url` is a SQLAlchemy URL; the default lives in memory and dies with the store.

    One transaction at a time per store: SQLite has one writer anyway, and an in-memory database has one connection.
    Transactions do not nest; pass the connection down instead.
    """

    def __init__(self, url: str = MEMORY) -> None:
        self.url = url
        self._turn = RLock()
        self._engine = _open(url)

    def create(self, tables: MetaData) -> None:
        """Creates the tables that are not there yet."""
        with self.begin() as connection:
            tables.create_all(connection)

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """A transaction: committed when the block ends, rolled back when it raises."""
        with self._turn, self._engine.begin() as connection:
            yield connection

    def clear(self, tables: MetaData) -> None:
        """Deletes every row of the tables."""
        with self.begin() as connection:
            for table in reversed(tables.sorted_tables):
                connection.execute(table.delete())

    def close(self) -> None:
        """Gives the connections back. An in-memory store is gone after this."""
        self._engine.dispose()


def _open(url: str) -> Engine:
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return create_engine(parsed)
    in_memory = parsed.database in (None, "", ":memory:")
    options: dict[str, Any] = {"connect_args": {"check_same_thread": False}}
    if in_memory:
        options["poolclass"] = StaticPool
    engine = create_engine(parsed, **options)

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _record: Any) -> None:
        # SQLAlchemy must send BEGIN itself: the driver's own habit opens transactions too late.
        connection.isolation_level = None
        if not in_memory:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=NORMAL")
            connection.execute("PRAGMA busy_timeout=30000")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # IMMEDIATE takes the write lock at once, so that two processes never deadlock half-way.
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine
