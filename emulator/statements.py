"""Statements that are compiled once and run on the database driver.

SQLAlchemy builds, caches and wraps a statement at each call, which takes longer than the database needs for a small
one. What runs with every request is prepared here instead; it is the same SQL.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from operator import itemgetter
from typing import Any, Final, NamedTuple

from sqlalchemy import JSON, BindParameter, Connection, Table, bindparam, column, func, insert, literal_column, select
from sqlalchemy import text as sql_text
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql import ClauseElement

from emulator.json_text import compact

# The parameter for the keys of `matching`, and how SQLAlchemy writes it.
_KEYS: Final = "keys"
_EXPANDED: Final = f"__[POSTCOMPILE_{_KEYS}]"
# How the drivers of the databases write a parameter, and SQLAlchemy's name for that style.
_STYLES: Final = {"sqlite": ("?", "qmark"), "postgresql": ("%s", "format")}
# Keys are padded to one of these numbers, so that the driver meets few different texts.
_NUMBERS: Final = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)

Values = Mapping[str, Any]
_Process = Callable[[Any], Any]


def keys() -> BindParameter[Any]:
    """The parameter for `column.in_(keys())` in a statement that is run by `Prepared.matching`."""
    return bindparam(_KEYS, expanding=True)


class _Compiled(NamedTuple):
    """The text for one database, the order of its parameters, how values are converted, and those that it brings."""

    text: str
    order: tuple[str, ...]
    parameters: Mapping[str, _Process]
    columns: Sequence[tuple[int, _Process]]
    own: Mapping[str, Any]
    row: Callable[[Iterable[Any]], Any]
    placeholder: str

    def arranged(self, values: Values) -> tuple[Any, ...]:
        """The values of the parameters in their order."""
        given = {**self.own, **values}
        for name, process in self.parameters.items():
            given[name] = process(given[name])
        return tuple([given[name] for name in self.order])

    def by_keys(self, wanted: Iterable[Any], values: Values) -> Iterator[tuple[str, tuple[Any, ...]]]:
        """The text and the parameters for each portion of the keys."""
        wanted = list(wanted)
        arranged = self.arranged({**values, _KEYS: None})
        at = self.order.index(_KEYS)
        for start in range(0, len(wanted), _NUMBERS[-1]):
            part = wanted[start : start + _NUMBERS[-1]]
            size = next(number for number in _NUMBERS if number >= len(part))
            part += part[-1:] * (size - len(part))
            text = self.text.replace(_EXPANDED, ", ".join([self.placeholder] * size))
            yield text, (*arranged[:at], *part, *arranged[at + 1 :])

    def arranged_rows(self, rows: Sequence[Values]) -> list[tuple[Any, ...]]:
        """The values of the parameters of many rows."""
        if self.own or len(self.order) == 1:
            return [self.arranged(row) for row in rows]
        arranged = map(itemgetter(*self.order), rows)
        if not self.parameters:
            return list(arranged)
        # By columns, since only few of them are converted.
        columns: list[Iterable[Any]] = list(zip(*arranged, strict=True))
        for name, process in self.parameters.items():
            index = self.order.index(name)
            columns[index] = map(process, columns[index])
        return list(zip(*columns, strict=True))


class Prepared:
    """A statement whose parameters have names (`bindparam`). Errors are those of SQLAlchemy, without the parameters."""

    def __init__(self, statement: ClauseElement) -> None:
        self._statement = statement
        self._compiled: dict[str, _Compiled] = {}

    def rows(self, connection: Connection, **values: Any) -> list[Any]:
        """The rows of a query, as named tuples."""
        compiled = self._for(connection.dialect)
        return _fetched(connection, compiled, compiled.text, compiled.arranged(values))

    def first(self, connection: Connection, **values: Any) -> Any:
        """The first row; None when there is none."""
        rows = self.rows(connection, **values)
        return rows[0] if rows else None

    def value(self, connection: Connection, **values: Any) -> Any:
        """The first column of the first row; None when there is none."""
        rows = self.rows(connection, **values)
        return rows[0][0] if rows else None

    def matching(self, connection: Connection, wanted: Iterable[Any], **values: Any) -> Iterator[Any]:
        """The rows in which a column has one of the wanted keys, however many there are."""
        compiled = self._for(connection.dialect)
        for text, arranged in compiled.by_keys(wanted, values):
            yield from _fetched(connection, compiled, text, arranged)

    def run_matching(self, connection: Connection, wanted: Iterable[Any], **values: Any) -> None:
        """Runs a statement without a result on the rows in which a column has one of the wanted keys."""
        compiled = self._for(connection.dialect)
        for text, arranged in compiled.by_keys(wanted, values):
            _execute(connection, text, arranged)

    def run(self, connection: Connection, **values: Any) -> None:
        """Runs a statement without a result."""
        compiled = self._for(connection.dialect)
        _execute(connection, compiled.text, compiled.arranged(values))

    def many(self, connection: Connection, rows: Sequence[Values]) -> None:
        """Runs a statement without a result for each row."""
        if len(rows) == 1:
            self.run(connection, **rows[0])
        elif rows:
            compiled = self._for(connection.dialect)
            _execute(connection, compiled.text, compiled.arranged_rows(rows), many=True)

    def many_values(self, connection: Connection, names: tuple[str, ...], rows: Sequence[tuple[Any, ...]]) -> None:
        """As `many`, rows of the values of these parameters in their order."""
        compiled = self._for(connection.dialect)
        if compiled.order != names or compiled.parameters or compiled.own:
            self.many(connection, [dict(zip(names, row, strict=True)) for row in rows])
            return
        _execute(connection, compiled.text, rows, many=True)

    def _for(self, dialect: Dialect) -> _Compiled:
        found = self._compiled.get(dialect.name)
        if found is None:
            found = self._compiled[dialect.name] = _compile(self._statement, dialect)
        return found


def run_script(connection: Connection, text: str) -> None:
    """Runs statements without parameters, sent to PostgreSQL as one message. Raises DBAPIError."""
    # A script cannot be prepared, which the driver does with what it meets often.
    _execute(connection, text, None, prepare=False)


def run_text(connection: Connection, text: str, values: Sequence[Any]) -> Sequence[Any]:
    """Runs a statement as the driver reads it, and returns its rows, if it has any. Raises DBAPIError."""
    cursor = connection.connection.cursor()
    driver: Any = connection.dialect.dbapi
    try:
        cursor.execute(text, values)
        return cursor.fetchall() if cursor.description else ()
    except driver.Error as error:
        raise named(connection, text, error, cursor) from error
    finally:
        cursor.close()


def insert_numbered(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> Sequence[int]:
    """Inserts rows into a table with an integer column `id`, and returns their ids in order.

    SQLite returns the ids of several rows in no particular order, so that SQLAlchemy would insert one row at a time.
    Its only writer is this transaction, so the next ids are known.
    """
    if not rows:
        return ()
    names = tuple(rows[0])
    return insert_numbered_values(connection, table, names, [tuple([row[name] for name in names]) for row in rows])


def insert_numbered_values(
    connection: Connection, table: Table, names: tuple[str, ...], rows: Sequence[tuple[Any, ...]]
) -> Sequence[int]:
    """As `insert_numbered`, rows of values in the order of `names`."""
    if connection.dialect.name != "sqlite":
        values = [dict(zip(names, row, strict=True)) for row in rows]
        if len(values) == 1:
            return (insert_row(connection, table, **values[0]),)
        statement = insert(table).returning(table.c.id, sort_by_parameter_order=True)
        return connection.execute(statement, values).scalars().all()
    last = _last_id(table).value(connection) or 0
    numbers = range(last + 1, last + 1 + len(rows))
    numbered = [(number, *row) for number, row in zip(numbers, rows, strict=True)]
    insert_values(connection, table, ("id", *names), numbered)
    return numbers


def insert_values(
    connection: Connection, table: Table, names: tuple[str, ...], rows: Sequence[tuple[Any, ...]]
) -> None:
    """As `insert_rows`, rows of values in the order of `names`."""
    if rows:
        _inserting(table, names).many_values(connection, names, rows)


def insert_row(connection: Connection, table: Table, **values: Any) -> int:
    """Inserts a row and returns its id."""
    return int(_inserting_one(table, tuple(values)).value(connection, **values))


def insert_rows(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Inserts rows that have the same columns, which they may lack where the database generates an id."""
    if rows:
        _inserting(table, tuple(rows[0])).many(connection, rows)


@cache
def _inserting(table: Table, names: tuple[str, ...]) -> Prepared:
    return Prepared(insert(table).values({name: bindparam(name) for name in names}))


@cache
def _inserting_one(table: Table, names: tuple[str, ...]) -> Prepared:
    (key,) = table.primary_key
    return Prepared(insert(table).values({name: bindparam(name) for name in names}).returning(key))


@cache
def _last_id(table: Table) -> Prepared:
    """The largest id of a table; with AUTOINCREMENT, also of its deleted rows."""
    if not table.dialect_options["sqlite"]["autoincrement"]:
        return Prepared(select(func.max(table.c.id)))
    of_table = column("name") == literal_column(f"'{table.name}'")
    return Prepared(select(column("seq")).select_from(sql_text("sqlite_sequence")).where(of_table))


def _compile(statement: ClauseElement, dialect: Dialect) -> _Compiled:
    placeholder, style = _STYLES[dialect.name]
    kind: Any = type(dialect)
    # As the connection reads JSON: a damaged value of one row must not fail the others.
    styled = kind(paramstyle=style, json_deserializer=getattr(dialect, "_json_deserializer", None))
    compiled: Any = statement.compile(dialect=styled)
    columns = list(getattr(statement, "exported_columns", ()))
    readers = [column.type.dialect_impl(styled).result_processor(styled, None) for column in columns]
    writers = {name: _writer(bound, styled) for bound, name in compiled.bind_names.items() if name != _KEYS}
    row = namedtuple("Row", [column.name for column in columns], rename=True)  # type: ignore[misc]  # names known at run time
    return _Compiled(
        text=str(compiled),
        order=tuple(compiled.positiontup or ()),
        parameters={name: writer for name, writer in writers.items() if writer is not None},
        columns=[(index, reader) for index, reader in enumerate(readers) if reader is not None],
        own={name: bound.effective_value for bound, name in compiled.bind_names.items() if not bound.required},
        row=row._make,
        placeholder=placeholder,
    )


def _writer(parameter: BindParameter[Any], dialect: Dialect) -> _Process | None:
    """How a value is converted for the driver."""
    if isinstance(parameter.type, JSON):
        none_as_null = parameter.type.none_as_null
        return lambda value: None if value is None and none_as_null else compact(value)
    return parameter.type.dialect_impl(dialect).bind_processor(dialect)


def _fetched(connection: Connection, compiled: _Compiled, text: str, values: Any) -> list[Any]:
    rows = _execute(connection, text, values, fetch=True)
    if not compiled.columns:
        return [*map(compiled.row, rows)]
    read = []
    for row in rows:
        cells = list(row)
        for index, process in compiled.columns:
            cells[index] = process(cells[index])
        read.append(compiled.row(cells))
    return read


def _execute(
    connection: Connection, text: str, values: Any, *, many: bool = False, fetch: bool = False, **options: Any
) -> Sequence[Any]:
    """Runs a statement on the driver; with `fetch`, returns the rows. Raises DBAPIError."""
    cursor = connection.connection.cursor()
    driver: Any = connection.dialect.dbapi
    try:
        if many:
            cursor.executemany(text, values)
        else:
            cursor.execute(text, values, **options)
        return cursor.fetchall() if fetch else ()
    except driver.Error as error:
        raise named(connection, text, error, cursor) from error
    finally:
        cursor.close()


def named(connection: Connection, text: str, error: Any, cursor: Any) -> Exception:
    """An error of the driver as SQLAlchemy raises it. The connection is not used any more if it was lost."""
    dialect = connection.dialect
    driver: Any = dialect.dbapi
    lost = dialect.is_disconnect(error, connection.connection.driver_connection, cursor)
    if lost:
        connection.invalidate(error)
    found: Exception = DBAPIError.instance(
        text, None, error, driver.Error, hide_parameters=True, connection_invalidated=lost, dialect=dialect
    )
    return found
