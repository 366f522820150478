"""Empty schemas of a PostgreSQL database, for the stores of one test after another."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count

from sqlalchemy import Connection
from sqlalchemy.schema import DropSchema

from emulator.engines import open_engine
from emulator.sandbox import SHARED
from emulator.server.services import TABLES
from emulator.statements import run_script
from emulator.store import Store

_TABLES_OF_STORE = (*TABLES, *SHARED)
_NAMES = [table.name for tables in reversed(_TABLES_OF_STORE) for table in reversed(tables.sorted_tables)]
_SEQUENCES = (
    "SELECT setval(concat(schemaname, '.', sequencename)::regclass, 1, false) FROM pg_sequences WHERE schemaname = "
)
_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = "


class Schemas:
    """Each store gets a schema with empty tables. It is emptied afterwards: making one takes 50 times as long."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._engine = open_engine(url)
        self._numbers = count()
        self._empty: list[str] = []

    @contextmanager
    def stores(self) -> Iterator[Callable[[], Store]]:
        """A function that opens a store; at the end none of its stores can be used any more."""
        opened: list[tuple[str, Store]] = []

        def open_store() -> Store:
            schema = self._empty.pop() if self._empty else self._make()
            store = Store(self._url, schema=schema, engine=self._engine)
            opened.append((schema, store))
            return store

        yield open_store
        for schema, store in opened:
            # It waits for the transaction of a thread that is left, and refuses the next one.
            store.close()
            with self._engine.begin() as connection:
                if self._clear(connection, schema):
                    self._empty.append(schema)

    def close(self) -> None:
        """Closes the connections."""
        self._engine.dispose()

    def _make(self) -> str:
        schema = f"test_{next(self._numbers)}"
        Store(self._url, schema=schema, engine=self._engine).create(*_TABLES_OF_STORE)
        return schema

    def _clear(self, connection: Connection, schema: str) -> bool:
        """Whether the schema is as it was made; one with other tables is deleted."""
        found = connection.exec_driver_sql(f"{_TABLES}'{schema}'").scalars()
        if sorted(found) != sorted(_NAMES):
            connection.execute(DropSchema(schema, cascade=True, if_exists=True))
            return False
        script = [f"DELETE FROM {schema}.{name}" for name in _NAMES]
        run_script(connection, "; ".join([*script, f"{_SEQUENCES}'{schema}'"]))
        return True
