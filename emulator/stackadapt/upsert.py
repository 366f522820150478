"""Inserts that return an id or update existing rows, and reads by many keys."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, Table, insert

from emulator.store import portions


def insert_row(connection: Connection, table: Table, **values: Any) -> int:
    """Inserts one row and returns its generated id."""
    key = connection.execute(insert(table).values(values)).inserted_primary_key
    return int(key[0]) if key else 0


def rows_in(
    connection: Connection, query: Select[Any], column: ColumnElement[Any], keys: Iterable[Any]
) -> Iterator[Row[Any]]:
    """The rows of a query whose column has one of the keys, however many keys there are."""
    for part in portions(list(keys)):
        yield from connection.execute(query.where(column.in_(part)))


def upsert(
    connection: Connection,
    table: Table,
    rows: Sequence[dict[str, Any]],
    *,
    update: tuple[str, ...] = (),
    where_new: str | None = None,
) -> None:
    """Inserts rows; where the primary key exists, sets the columns of `update` (none: keeps the row).

    `where_new` names a column: a row in which it does not change is kept.
    """
    if not rows:
        return
    statement = _insert_of(connection.dialect.name)(table)
    keys = [column.name for column in table.primary_key]
    statement = (
        statement.on_conflict_do_update(
            index_elements=keys,
            set_={name: statement.excluded[name] for name in update},
            where=table.c[where_new] != statement.excluded[where_new] if where_new else None,
        )
        if update
        else statement.on_conflict_do_nothing(index_elements=keys)
    )
    connection.execute(statement, rows)


def _insert_of(dialect: str) -> Any:
    # Imported when needed: an unused dialect would slow down every start.
    if dialect == "postgresql":
        from sqlalchemy.dialects.postgresql import insert as postgresql_insert

        return postgresql_insert
    from sqlalchemy.dialects.sqlite import insert as sqlite_insert

    return sqlite_insert
