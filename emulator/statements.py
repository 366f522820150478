"""Statements that are compiled once and run on the database driver.

SQLAlchemy builds, caches and wraps a statement at each call, which takes longer than the database needs for a small
one. What runs with every request is prepared here instead; it is the same SQL.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import BindParameter, Connection, bindparam
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql import ClauseElement

# The name of the parameter that stands for the keys of `matching`.
_KEYS: Final = "keys"
_EXPANDED: Final = f"__[POSTCOMPILE_{_KEYS}]"
# Keys are padded to one of these numbers, so that the driver meets few different texts.
_NUMBERS: Final = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)

Values = Mapping[str, Any]
_Process = Callable[[Any], Any]


def keys() -> BindParameter[Any]:
    """The parameter for `column.in_(keys())` in a statement that is run by `Prepared.matching`."""
    return bindparam(_KEYS, expanding=True)


class _Compiled(NamedTuple):
    """The text for one database, how parameters and results are converted, and the values that the statement brings."""

    text: str
    parameters: Mapping[str, _Process]
    columns: Sequence[tuple[int, _Process]]
    own: Mapping[str, Any]
    row: Callable[[Iterable[Any]], Any]
    placeholder: str


class Prepared:
    """A statement whose parameters have names (`bindparam`). Errors are those of SQLAlchemy, without the parameters."""

    def __init__(self, statement: ClauseElement) -> None:
        self._statement = statement
        self._compiled: dict[str, _Compiled] = {}

    def rows(self, connection: Connection, **values: Any) -> list[Any]:
        """The rows of a query, as named tuples."""
        compiled = self._for(connection.dialect)
        return _fetched(connection, compiled, compiled.text, _processed(compiled, values))

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
        wanted = list(wanted)
        for start in range(0, len(wanted), _NUMBERS[-1]):
            part = wanted[start : start + _NUMBERS[-1]]
            size = next(number for number in _NUMBERS if number >= len(part))
            part += part[-1:] * (size - len(part))
            names = [f"{_KEYS}_{index}" for index in range(size)]
            text = compiled.text.replace(_EXPANDED, ", ".join(compiled.placeholder.format(name) for name in names))
            given = {**_processed(compiled, values), **dict(zip(names, part, strict=True))}
            yield from _fetched(connection, compiled, text, given)

    def run(self, connection: Connection, **values: Any) -> None:
        """Runs a statement without a result."""
        compiled = self._for(connection.dialect)
        _execute(connection, compiled.text, _processed(compiled, values)).close()

    def many(self, connection: Connection, rows: Sequence[Values]) -> None:
        """Runs a statement without a result for each row."""
        if not rows:
            return
        compiled = self._for(connection.dialect)
        given = [_processed(compiled, row) for row in rows] if compiled.parameters or compiled.own else rows
        _execute(connection, compiled.text, given, many=True).close()

    def _for(self, dialect: Dialect) -> _Compiled:
        found = self._compiled.get(dialect.name)
        if found is None:
            found = self._compiled[dialect.name] = _compile(self._statement, dialect)
        return found


def _compile(statement: ClauseElement, dialect: Dialect) -> _Compiled:
    kind: Any = type(dialect)
    named = kind(paramstyle="named" if dialect.name == "sqlite" else "pyformat")
    compiled: Any = statement.compile(dialect=named)
    columns = list(getattr(statement, "exported_columns", ()))
    readers = [column.type.dialect_impl(named).result_processor(named, None) for column in columns]
    writers = {
        name: bound.type.dialect_impl(named).bind_processor(named)
        for bound, name in compiled.bind_names.items()
        if name != _KEYS
    }
    row = namedtuple("Row", [column.name for column in columns], rename=True)  # type: ignore[misc]
    return _Compiled(
        text=str(compiled),
        parameters={name: writer for name, writer in writers.items() if writer is not None},
        columns=[(index, reader) for index, reader in enumerate(readers) if reader is not None],
        own={name: bound.effective_value for bound, name in compiled.bind_names.items() if not bound.required},
        row=row._make,
        placeholder=":{}" if dialect.name == "sqlite" else "%({})s",
    )


def _processed(compiled: _Compiled, values: Values) -> dict[str, Any]:
    given = {**compiled.own, **values}
    for name, process in compiled.parameters.items():
        given[name] = process(given[name])
    return given


def _fetched(connection: Connection, compiled: _Compiled, text: str, values: Any) -> list[Any]:
    cursor = _execute(connection, text, values)
    rows = cursor.fetchall()
    cursor.close()
    if not compiled.columns:
        return [*map(compiled.row, rows)]
    read = []
    for row in rows:
        cells = list(row)
        for index, process in compiled.columns:
            cells[index] = process(cells[index])
        read.append(compiled.row(cells))
    return read


def _execute(connection: Connection, text: str, values: Any, *, many: bool = False) -> Any:
    """The driver's cursor after a statement. Raises DBAPIError."""
    cursor = connection.connection.cursor()
    dialect = connection.dialect
    driver: Any = dialect.dbapi
    try:
        if many:
            cursor.executemany(text, values)
        else:
            cursor.execute(text, values)
    except driver.Error as error:
        lost = dialect.is_disconnect(error, connection.connection.driver_connection, cursor)
        cursor.close()
        if lost:
            connection.invalidate(error)
        raise DBAPIError.instance(
            text, None, error, driver.Error, hide_parameters=True, connection_invalidated=lost, dialect=dialect
        ) from error
    return cursor
