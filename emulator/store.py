"""The storage of a sandbox: one SQL database, used through SQLAlchemy Core.

The services declare their tables and open transactions, whatever the database is. SQLite belongs to one process; a
PostgreSQL database may be shared by several, and each sandbox has its own schema in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from threading import Lock, RLock
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, MetaData, Row, Select, func, inspect, select
from sqlalchemy.exc import DBAPIError, ProgrammingError
from sqlalchemy.schema import CreateSchema, DropSchema

from emulator.clock import polls
from emulator.data_files import DataFile, OpenFiles
from emulator.engines import MEMORY, open_engine
from emulator.errors import NotFound, UserMistake
from emulator.memory_databases import creating, give_back, open_with
from emulator.notices import Notices
from emulator.pipelines import abandon_pipeline, end_pipeline
from emulator.statements import run_script, run_text
from emulator.store_failures import StoreFailure, failure_of

# What a column of integers can hold in every database.
LARGEST_INTEGER = 2**63 - 1

# Databases limit the number of parameters of one statement; this is far below every limit.
_KEYS_AT_ONCE = 500

# PostgreSQL's codes of an unknown table and an unknown schema.
_GONE = frozenset({"42P01", "3F000"})
_LOCK_NOT_AVAILABLE = "55P03"
_DROP_SECONDS, _DROP_AGAIN_SECONDS = 20.0, 0.1

# What the transactions of a sandbox in a shared database exclude each other from, always acquired in this order: clock
# and openings, Segment's tables, StackAdapt's tables.
SANDBOX_LOCK, SEGMENT_LOCK, STACKADAPT_LOCK = ("sandbox",), ("segment",), ("stackadapt",)
LOCKS = (*SANDBOX_LOCK, *SEGMENT_LOCK, *STACKADAPT_LOCK)

T = TypeVar("T")


class Store:
    """One sandbox's database. `url` is a SQLAlchemy URL; the default is in memory and is lost with the store.

    One transaction at a time per store: SQLite has one writer anyway, and an in-memory database has one connection.
    With `schema` (PostgreSQL) that holds across all processes. Transactions do not nest; pass the connection down
    instead. `engine` lets several stores share the connections of one database; `file` is the one that `url` names,
    closed whenever `open_files` have too many. `in_use` has the stores with an open transaction. `changes` counts the
    transactions that have changed a SQLite database; `notices` are of the changes in a shared one.
    """

    def __init__(
        self,
        url: str = MEMORY,
        *,
        schema: str | None = None,
        engine: Engine | None = None,
        file: DataFile | None = None,
        open_files: OpenFiles | None = None,
        in_use: set[Store] | None = None,
        notices: Notices | None = None,
    ) -> None:
        self.url = url
        self.shared = schema is not None
        self.schema = schema
        self._turn = RLock()
        # Held while waiting for the turn, so that a thread with many transactions in a row lets others in between.
        self._next = Lock()
        self._owned = engine is None
        self._closed = False
        self._created: tuple[MetaData, ...] = ()
        self._connection: Connection | None = None
        self._in_use = set() if in_use is None else in_use
        self._file = file
        self._open_files = open_files
        self._where = str(file.path) if file else "database"
        self.changes = 0
        self.notices = notices
        engine = engine or open_engine(url)
        self._engine = engine.execution_options(schema_translate_map={None: schema}) if schema else engine

    def create(self, *tables: MetaData) -> None:
        """Creates missing tables.

        Raises UserMistake when one has other columns: another version of the emulator created it.
        """
        missing = tuple(each for each in tables if each not in self._created)
        if not missing:
            return
        if self.url == MEMORY and not self._created:
            with self._turn:
                self._connection = open_with(missing)
                self._engine = self._connection.engine
        else:
            with self.begin() as connection:
                self._create(connection, missing)
        self._created += missing

    def _create(self, connection: Connection, missing: Sequence[MetaData]) -> None:
        if self.schema:
            connection.execute(CreateSchema(self.schema, if_not_exists=True))
        if self.url != MEMORY:
            _check_columns(connection, missing, self.schema)
        if connection.dialect.name != "sqlite":
            for tables in missing:
                tables.create_all(connection)
            return
        cursor = connection.connection.cursor()
        for statement in (each for tables in missing for each in creating(tables)):
            cursor.execute(statement)
        cursor.close()

    @contextmanager
    def begin(self, *, locks: Sequence[str] = LOCKS, synced: bool = True) -> Iterator[Connection]:
        """A transaction: committed when the block ends, rolled back when it raises.

        In a shared database, no other transaction of the sandbox with one of the same `locks` runs meanwhile. Without
        `synced` it does not hold them until it is on disk; the caller's next one that writes puts it there. Raises
        NotFound when the store was closed or deleted, StoreFailure when the database cannot be used.
        """
        with self._next:
            self._turn.acquire()
        try:
            with self._failures_named():
                if self._closed:
                    raise NotFound("this sandbox was closed")
                with self._using(), self._transaction(locks, synced) as connection:
                    before = _changes_of(connection)
                    with self._deletion_named():
                        try:
                            yield connection
                            end_pipeline(connection)
                        except BaseException:
                            abandon_pipeline(connection)
                            raise
                    changed = _changes_of(connection) != before
                self.changes += changed
        finally:
            self._turn.release()

    def read(self, query: Select[Any]) -> Sequence[Row[Any]]:
        """The rows of a query of what is committed, which no transaction of another process delays."""
        if not self.schema:
            with self.begin() as connection:
                return connection.execute(query).all()
        if self._closed:
            raise NotFound("this sandbox was closed")
        found: list[Row[Any]] = []
        with self._failures_named(), self._deletion_named():
            self._after(lambda connection: found.extend(connection.execute(query))).close()
        return found

    def run(self, statement: str, *values: Any) -> Sequence[Any]:
        """The rows of one statement in a shared database, a transaction of its own; `{schema}` in it is the store's.

        When the connection is lost meanwhile, it is run again. Raises as `begin` does.
        """
        if self._closed:
            raise NotFound("this sandbox was closed")
        text = _in_schema(statement, self.schema or "")
        found: list[Any] = []
        with self._failures_named(), self._deletion_named():
            self._after(lambda connection: found.extend(run_text(connection, text, values))).close()
        return found

    @contextmanager
    def alone(self, work: str) -> Iterator[None]:
        """Excludes other processes that share this store from the same work, without an open transaction.

        Threads of one process are not excluded.
        """
        if not self.schema:
            yield
            return
        lock = select(func.pg_advisory_lock(self._lock_of(work)))
        with self._failures_named(), self._after(lambda connection: connection.execute(lock)) as connection:
            connection.commit()
            try:
                yield
            finally:
                try:
                    connection.execute(select(func.pg_advisory_unlock(self._lock_of(work))))
                    connection.commit()
                except DBAPIError:
                    # The lock ends with its session. What was done under it is done.
                    connection.invalidate()

    def clear(self, tables: MetaData) -> None:
        """Deletes every row of the tables."""
        with self.begin() as connection:
            for table in reversed(tables.sorted_tables):
                connection.execute(table.delete())

    def drop_schema(self) -> None:
        """Deletes the schema and everything in it. Raises StoreFailure when it is in use for too long."""
        if not self.schema:
            return
        for _ in polls(_DROP_SECONDS, every=_DROP_AGAIN_SECONDS):
            try:
                with self.begin() as connection:
                    # Statements without locks take those of the tables in another order. This one gives way, before
                    # the database finds a deadlock and ends any of them.
                    run_script(connection, "SET LOCAL lock_timeout = '200ms'")
                    connection.execute(DropSchema(self.schema, cascade=True, if_exists=True))
                    return
            except DBAPIError as error:
                if getattr(error.orig, "sqlstate", None) != _LOCK_NOT_AVAILABLE:
                    raise
        raise StoreFailure("the data of this sandbox is in use", hint="Delete it again later.", retry_after=1)

    def close(self) -> None:
        """Closes the connections after the current transaction. The data of an in-memory store is lost."""
        with self._turn:
            self._closed = True
            if self._owned:
                self._disconnect()
            if self._open_files:
                self._open_files.forget(self._close_file)

    def _close_file(self) -> bool:
        """Closes the file until the next transaction; False when there is one now."""
        if not self._turn.acquire(blocking=False):
            return False
        try:
            # The thread of a transaction gets its own turn again.
            if self in self._in_use:
                return False
            self._disconnect()
            return True
        finally:
            self._turn.release()

    def _disconnect(self) -> None:
        if self._connection and self.url == MEMORY and self._created:
            give_back(self._created, self._connection)
            return
        if self._connection:
            self._connection.close()
            self._connection = None
        self._engine.dispose()

    def _connected(self, schema: str, locks: Sequence[str], synced: bool) -> Connection:
        """A connection in a transaction of the driver; the store is shared."""
        # Prepared statements do not name the schema. One message: each takes as long as a small query.
        name = schema.replace("'", "''")
        taken = [f"pg_advisory_xact_lock(hashtextextended('{name}/{lock}', 0))" for lock in locks]
        taken.append(f"set_config('search_path', '\"{name}\"', true)")
        if not synced:
            taken.append("set_config('synchronous_commit', 'off', true)")
        script = f"BEGIN; SELECT {', '.join(taken)}"
        return self._after(lambda connection: run_script(connection, script))

    def _after(self, first: Callable[[Connection], object]) -> Connection:
        """A connection on which `first` was executed.

        It is executed again on another one if the connection was lost, as it may have been while the pool had it.
        """
        connection = self._engine.connect()
        try:
            first(connection)
        except DBAPIError as error:
            connection.close()
            if not error.connection_invalidated:
                raise
            self._engine.dispose()
            connection = self._engine.connect()
            first(connection)
        return connection

    @contextmanager
    def _transaction(self, locks: Sequence[str], synced: bool) -> Iterator[Connection]:
        """On a connection of the pool; a SQLite database has its own, since taking one takes as long as a statement."""
        if self.schema:
            with self._connected(self.schema, locks, synced) as connection, connection.begin():
                yield connection
            return
        connection = self._connection or self._engine.connect()
        self._connection = None
        try:
            with connection.begin():
                yield connection
        except BaseException:
            # It may be in any state.
            connection.close()
            raise
        self._connection = connection

    @contextmanager
    def _using(self) -> Iterator[None]:
        self._in_use.add(self)
        try:
            if self._file:
                self._file.check_present()
            if self._open_files:
                self._open_files.use(self._close_file)
            yield
        finally:
            self._in_use.discard(self)

    @contextmanager
    def _failures_named(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            failure = failure_of(error, self._where)
            if failure is None or failure is error:
                raise
            raise failure from error

    @contextmanager
    def _deletion_named(self) -> Iterator[None]:
        """Another process may delete the schema at any time."""
        try:
            yield
        except ProgrammingError as error:
            if self.schema and getattr(error.orig, "sqlstate", None) in _GONE:
                raise NotFound("this sandbox was deleted") from None
            raise

    def name_of(self, work: str) -> str:
        """What PostgreSQL's `hashtextextended(…, 0)` makes the advisory lock of, with which `alone` excludes others."""
        return f"{self.schema}/{work}"

    def _lock_of(self, work: str) -> Any:
        return func.hashtextextended(self.name_of(work), 0)


@cache
def _in_schema(statement: str, schema: str) -> str:
    name = schema.replace('"', '""')
    return statement.format(schema=f'"{name}"')


def _changes_of(connection: Connection) -> int:
    """How many rows the connection has changed, where the driver counts them."""
    return getattr(connection.connection.driver_connection, "total_changes", 0)


def _check_columns(connection: Connection, wanted: Sequence[MetaData], schema: str | None) -> None:
    tables = {name: table for each in wanted for name, table in each.tables.items()}
    found = inspect(connection).get_multi_columns(schema=schema, filter_names=list(tables))
    for (_, name), columns in found.items():
        declared = tables[name].columns.keys()
        if {column["name"] for column in columns} != set(declared):
            raise UserMistake(
                "this data was written by a different version of the emulator",
                where=name,
                found=", ".join(column["name"] for column in columns),
                allowed=", ".join(declared),
                hint="Use the version that wrote it, or another folder or database.",
            )


def portions(keys: Sequence[T]) -> Iterator[Sequence[T]]:
    """The keys in chunks that fit into one `IN (…)`."""
    for start in range(0, len(keys), _KEYS_AT_ONCE):
        yield keys[start : start + _KEYS_AT_ONCE]
