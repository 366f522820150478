"""Inserts that return an id or update existing rows, and reads by many keys."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, Table, bindparam

from emulator.statements import Prepared
from emulator.store import portions


def rows_in(
    connection: Connection, query: Select[Any], column: ColumnElement[Any], keys: Iterable[Any]
) -> Iterator[Row[Any]]:
    """The rows of a query whose column has one of the keys, however many keys there are."""
    for part in portions(list(keys)):
        yield from connection.execute(query.where(column.in_(part)))


def upsert(
    connection: Connection,
    table: Table,
    rows: Sequence[Mapping[str, Any]],
    *,
    update: tuple[str, ...] = (),
    where_new: str | None = None,
) -> None:
    """Inserts rows; where the primary key exists, sets the columns of `update` (none: keeps the row).

    `where_new` names a column: a row in which it does not change is kept.
    """
    if rows:
        _upsert(connection.dialect.name, table, tuple(rows[0]), update, where_new).many(connection, rows)


def _parameters(columns: Iterable[str]) -> dict[str, Any]:
    return {name: bindparam(name) for name in columns}


@cache
def _upsert(
    dialect: str, table: Table, columns: tuple[str, ...], update: tuple[str, ...], where_new: str | None
) -> Prepared:
    statement = _insert_of(dialect)(table).values(_parameters(columns))
    keys = [column.name for column in table.primary_key]
    if not update:
        return Prepared(statement.on_conflict_do_nothing(index_elements=keys))
    changed = table.c[where_new] != statement.excluded[where_new] if where_new else None
    values = {name: statement.excluded[name] for name in update}
    return Prepared(statement.on_conflict_do_update(index_elements=keys, set_=values, where=changed))


def _insert_of(dialect: str) -> Any:
    # Imported when needed: an unused dialect would slow down every start.
    if dialect == "postgresql":
        from sqlalchemy.dialects.postgresql import insert as postgresql_insert

        return postgresql_insert
    from sqlalchemy.dialects.sqlite import insert as sqlite_insert

    return sqlite_insert
