"""Insert-or-update, which each database spells for itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Table


def upsert(
    connection: Connection,
    table: Table,
    rows: Sequence[dict[str, Any]],
    *,
    update: tuple[str, ...],
    where_new: str | None = None,
) -> None:
    """Inserts rows; where the primary key exists already, sets the columns of `update` (none: leaves the row).

    `where_new` names a column: a row in which it stays the same is left alone.
    """
    if not rows:
        return
    insert = _insert_of(connection.dialect.name)(table)
    keys = [column.name for column in table.primary_key]
    statement = (
        insert.on_conflict_do_update(
            index_elements=keys,
            set_={name: insert.excluded[name] for name in update},
            where=table.c[where_new] != insert.excluded[where_new] if where_new else None,
        )
        if update
        else insert.on_conflict_do_nothing(index_elements=keys)
    )
    connection.execute(statement, rows)


def _insert_of(dialect: str) -> Any:
    # Imported when needed: a dialect that nobody uses would slow every start.
    if dialect == "postgresql":
        from sqlalchemy.dialects.postgresql import insert as postgresql_insert

        return postgresql_insert
    from sqlalchemy.dialects.sqlite import insert as sqlite_insert

    return sqlite_insert
