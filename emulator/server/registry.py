"""What is stored about the sandboxes of an emulator, with the data of the default one."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import BigInteger, Column, MetaData, Table, Text, delete, insert, null, select, update
from sqlalchemy.exc import IntegrityError

from emulator.protocol import DEFAULT_SANDBOX
from emulator.statements import Prepared
from emulator.store import Store
from emulator.workspace import Workspace, parse_workspace
from emulator.workspace_document import document_of

REGISTRY = MetaData()

SANDBOXES = Table(
    "sandboxes",
    REGISTRY,
    Column("name", Text, primary_key=True),
    Column("secret", Text, nullable=False),
    Column("seed", BigInteger),
)

# The workspaces, as JSON, of sandboxes created with one.
WORKSPACES = Table(
    "sandbox_workspaces",
    REGISTRY,
    Column("name", Text, primary_key=True),
    Column("workspace", Text, nullable=False),
)

# The workspaces, as JSON, that sandboxes have now, with their own secrets: of the default one, and of those that were
# changed at run time. Each change increases the revision, 0 without any. `started_with` is the workspace that the
# emulator was started with.
CURRENT = Table(
    "sandbox_current_workspaces",
    REGISTRY,
    Column("name", Text, primary_key=True),
    Column("revision", BigInteger, nullable=False),
    Column("workspace", Text, nullable=False),
    Column("started_with", Text),
)

# The stores of deleted sandboxes, until their data is deleted, too.
DROPPED = Table("sandbox_stores_dropped", REGISTRY, Column("key", Text, primary_key=True))

_DROPPED_KEYS = Prepared(select(DROPPED.c.key))
# Read before every request where processes share a database: one statement.
_ENTRIES = (
    select(SANDBOXES.c.name, SANDBOXES.c.secret, SANDBOXES.c.seed, CURRENT.c.revision)
    .outerjoin(CURRENT, SANDBOXES.c.name == CURRENT.c.name)
    .union_all(
        select(CURRENT.c.name, null(), null(), CURRENT.c.revision).where(CURRENT.c.name == DEFAULT_SANDBOX),
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A named sandbox: what never changes about it."""

    name: str
    secret: str = field(repr=False)
    seed: int | None

    @property
    def key(self) -> str:
        """The key of its store. A later sandbox of this name has another, so that neither can find the other's data."""
        return f"{self.name}-{hashlib.sha256(self.secret.encode()).hexdigest()[:12]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Current:
    """The workspace that a sandbox has now, in JSON form, and that of the start; both contain secrets."""

    revision: int
    workspace: Mapping[str, Any] = field(repr=False)
    started_with: Mapping[str, Any] | None = field(repr=False)


class Registry:
    """Reads and writes the registry in the store of the default sandbox."""

    def __init__(self, store: Store) -> None:
        self._store = store
        store.create(REGISTRY)

    def entries(self) -> tuple[dict[str, Entry], dict[str, int]]:
        """The named sandboxes, and the revisions of the workspaces that are stored as current, both by name."""
        rows = self._store.read(_ENTRIES)  # type: ignore[arg-type]  # a union reads as a select
        named = {
            row.name: Entry(name=row.name, secret=row.secret, seed=row.seed) for row in rows if row.secret is not None
        }
        return named, {row.name: row.revision for row in rows if row.revision is not None}

    def add(self, entry: Entry, workspace: Mapping[str, Any] | None) -> bool:
        """Adds a sandbox; False when there is one of this name."""
        try:
            with self._store.begin() as connection:
                row = {"name": entry.name, "secret": entry.secret, "seed": entry.seed}
                connection.execute(insert(SANDBOXES).values(row))
                if workspace is not None:
                    connection.execute(insert(WORKSPACES).values(name=entry.name, workspace=json.dumps(workspace)))
        except IntegrityError:
            return False
        return True

    def delete(self, entry: Entry) -> bool:
        """Deletes a sandbox, not one of the same name that was created meanwhile; False when there is none."""
        with self._store.begin() as connection:
            same = (SANDBOXES.c.name == entry.name) & (SANDBOXES.c.secret == entry.secret)
            if not connection.execute(delete(SANDBOXES).where(same)).rowcount:
                return False
            for table in (WORKSPACES, CURRENT):
                connection.execute(delete(table).where(table.c.name == entry.name))
            connection.execute(insert(DROPPED).values(key=entry.key))
        return True

    def given(self, name: str) -> Any:
        """The workspace, in JSON form, that a sandbox was created with, None for that of the start."""
        with self._store.begin() as connection:
            stored = connection.scalar(select(WORKSPACES.c.workspace).where(WORKSPACES.c.name == name))
        return None if stored is None else json.loads(stored)

    def current(self, name: str) -> Current | None:
        """The stored workspace that a sandbox has now."""
        with self._store.begin() as connection:
            row = connection.execute(select(CURRENT).where(CURRENT.c.name == name)).one_or_none()
        if row is None:
            return None
        started_with = None if row.started_with is None else json.loads(row.started_with)
        return Current(revision=row.revision, workspace=json.loads(row.workspace), started_with=started_with)

    def save(self, name: str, workspace: Workspace, *, after: int, started_with: Workspace | None = None) -> bool:
        """Stores the workspace that a sandbox has now as the revision after `after`; -1 for none.

        False when another process has stored that revision first. `started_with` is set where it is given.
        """
        row = {"revision": after + 1, "workspace": json.dumps(document_of(workspace))}
        if started_with is not None:
            row["started_with"] = json.dumps(document_of(started_with))
        change = update(CURRENT).where(CURRENT.c.name == name, CURRENT.c.revision == after).values(row)
        try:
            with self._store.begin() as connection:
                if connection.execute(change).rowcount:
                    return True
                # Without a row the revision is 0, and -1 for the default sandbox of new data.
                connection.execute(insert(CURRENT).values(name=name, **row))
        except IntegrityError:
            return False
        return True

    def dropped(self) -> list[str]:
        """The keys of the stores whose data is still to be deleted."""
        with self._store.begin() as connection:
            return [row.key for row in _DROPPED_KEYS.rows(connection)]

    def drop(self, key: str, drop: Callable[[str], object]) -> None:
        """Calls `drop` with the key of a store, unless another process has dropped it; no other one can meanwhile."""
        with self._store.begin() as connection:
            if connection.execute(delete(DROPPED).where(DROPPED.c.key == key)).rowcount:
                drop(key)


def same(left: Workspace, right: Workspace | Mapping[str, Any]) -> bool:
    """Whether two workspaces say the same, however they are written."""
    return document_of(left) == document_of(right if isinstance(right, Workspace) else parse_workspace(right))
