"""The complete state of a sandbox as one portable file: its clock and the tables of both services.

Gzip around JSON lines: a header, then for each table its name and columns followed by its rows, then the total number
of rows. The header has the workspace. Not included are the state of the process (journal, faults added at run time) and
secrets.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator
from functools import partial
from itertools import chain
from typing import IO, Any

from sqlalchemy import Connection, Table, func, insert, select, text
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from emulator.clock import LATEST, to_iso
from emulator.errors import InputError, UserMistake
from emulator.segment.tables import TABLES as SEGMENT
from emulator.server.services import SandboxServices
from emulator.server.snapshot_rows import RowChecks, check_events, check_references, damaged, json_of
from emulator.server.snapshot_workspace import with_secrets, without_secrets
from emulator.stackadapt.graphql.schema import executable_schema, members_of
from emulator.stackadapt.tables import STACKADAPT
from emulator.store_failures import RESTORE, StoreFailure
from emulator.stored_clock import CLOCK, stored_clock
from emulator.text_files import unpacked
from emulator.workspace import Workspace

FORMAT = "stackadapt-emulator snapshot"
# Increased whenever a table or a column is added or removed, or the header changes.
VERSION = 7

_ROWS_AT_ONCE = 1_000
_LONGEST_LINE = 32 * 1024 * 1024


def save(services: SandboxServices, file: IO[bytes]) -> None:
    """Writes the state of a sandbox, as one transaction sees it. Raises StoreFailure for a damaged row."""
    table = None
    with (
        gzip.GzipFile(fileobj=file, mode="wb", compresslevel=6, mtime=0) as packed,
        services.sandbox.store.begin() as connection,
    ):
        try:
            for line in _lines(services, connection):
                table = line.get("table") if isinstance(line, dict) else table
                packed.write(json.dumps(line, separators=(",", ":")).encode() + b"\n")
        except (TypeError, ValueError):
            raise StoreFailure("a row of this table is damaged", where=table, hint=RESTORE) from None


def load(services: SandboxServices, file: IO[bytes]) -> None:
    """Replaces the state of a sandbox. Raises InputError, and changes nothing, for an invalid file."""
    workspace: Workspace | None = None
    try:
        with (
            unpacked(file) as lines,
            # SQLite reuses ids: deliveries in progress would update the loaded rows.
            services.segment.paused(),
            services.sandbox.store.begin() as connection,
        ):
            read = _read(lines)
            workspace = _workspace(next(read, None), services)
            _replace(workspace, connection, read)
            check_references(connection, _tables())
            check_events(connection)
            _check_clock(connection)
            services.stackadapt.replaced(connection)
    except (OSError, EOFError, zlib.error) as error:
        raise damaged(f"it cannot be unpacked: {error}") from None
    except SQLAlchemyError:
        raise damaged("a row does not fit its table") from None
    services.sandbox.clock.refresh()
    services.change_workspace(workspace)


def _workspace(header: Any, services: SandboxServices) -> Workspace:
    """The workspace in the header of a snapshot, which must be usable. Raises InputError."""
    present = services.sandbox.workspace
    _check_header(header, present.name)
    workspace = with_secrets(header.get("configuration"), present)
    try:
        services.prepare(workspace)
    except UserMistake as error:
        raise damaged(f"its workspace is invalid: {error}") from None
    return workspace


def _check_clock(connection: Connection) -> None:
    try:
        kept = stored_clock(connection)
        within_time = kept is None or kept.now() <= LATEST
    except (OverflowError, TypeError):
        within_time = False
    if not within_time:
        raise damaged("its clock is out of range")


def _tables() -> list[Table]:
    """All tables, each after those that it references."""
    return list(chain(CLOCK.sorted_tables, STACKADAPT.sorted_tables, SEGMENT.sorted_tables))


def _lines(services: SandboxServices, connection: Connection) -> Iterator[Any]:
    yield {
        "format": FORMAT,
        "version": VERSION,
        "workspace": services.sandbox.workspace.name,
        "configuration": without_secrets(services.sandbox.workspace),
        "sandbox": services.sandbox.name,
        "now": to_iso(services.sandbox.clock.now()),
    }
    total = 0
    for table in _tables():
        yield {"table": table.name, "columns": _columns(table)}
        found = select(table).order_by(*table.primary_key).execution_options(yield_per=_ROWS_AT_ONCE)
        for row in connection.execute(found):
            total += 1
            yield list(row)
    yield {"rows": total}


def _columns(table: Table) -> list[str]:
    return [column.name for column in table.columns]


def _read(content: IO[bytes]) -> Iterator[Any]:
    while line := content.readline(_LONGEST_LINE):
        try:
            yield json_of(line.decode())
        except (ValueError, RecursionError):
            raise damaged("a line is not JSON, or has too many values") from None


def _replace(workspace: Workspace, connection: Connection, lines: Iterator[Any]) -> None:
    members = partial(members_of, executable_schema(workspace.api_version))
    tables = _tables()
    for table in reversed(tables):
        connection.execute(table.delete())
    total = 0
    line = next(lines, None)
    for table in tables:
        if line != {"table": table.name, "columns": _columns(table)}:
            raise damaged(f"table {table.name} is missing or has other columns")
        rows: list[dict[str, Any]] = []
        checks = RowChecks(table, members)
        number = 0
        while isinstance(line := next(lines, None), list):
            number += 1
            rows.append(checks.row(number, line))
            total += 1
            if len(rows) == _ROWS_AT_ONCE:
                _insert(connection, table, rows)
                rows = []
        if rows:
            _insert(connection, table, rows)
        continue_ids(connection, table)
    if line != {"rows": total} or next(lines, None) is not None:
        raise damaged("it is incomplete")


def _insert(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    try:
        connection.execute(insert(table), rows)
    except IntegrityError as error:
        # PostgreSQL checks references at once.
        reason = "two rows have the same key, or a row refers to one that does not exist"
        raise damaged(reason, where=table.name, found=_reason(error), allowed="rows with keys of their own") from None


def _reason(error: IntegrityError) -> str:
    """What the database says, without the values of the row."""
    return str(error.orig).partition("\n")[0]


def _check_header(header: Any, workspace: str) -> None:
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        raise InputError("invalid snapshot: the file was not written by the emulator", where="snapshot")
    if header.get("version") != VERSION:
        raise InputError(
            "unsupported snapshot version",
            where="version",
            found=header.get("version"),
            allowed=str(VERSION),
            hint="Load it with the version of the emulator that wrote it, or save a new one.",
        )
    if header.get("workspace") != workspace:
        raise InputError(
            "the snapshot belongs to another workspace",
            where="workspace",
            found=header.get("workspace"),
            allowed=workspace,
            hint="Start the emulator with that workspace.",
        )


def continue_ids(connection: Connection, table: Table) -> None:
    """Makes PostgreSQL continue after the highest id; SQLite does so by itself."""
    key = table.primary_key.columns.values()[0]
    if connection.dialect.name != "postgresql" or key is not table.autoincrement_column:
        return
    highest = connection.scalar(select(func.max(key)))
    schema = connection.get_execution_options()["schema_translate_map"][None]
    connection.execute(
        text("SELECT setval(pg_get_serial_sequence(:table, :key), :next, false)"),
        {"table": f'"{schema}"."{table.name}"', "key": key.name, "next": (highest or 0) + 1},
    )
