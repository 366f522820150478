"""Opens the stores of an emulator's sandboxes: in memory, in a folder of files, or in one shared database."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Protocol

from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError

from emulator.data_files import DataFile, OpenFiles
from emulator.engines import open_engine
from emulator.errors import UserMistake, reason_of, unwritable
from emulator.notices import Notices
from emulator.store import Store
from emulator.store_failures import failure_of

_DRIVER = "postgresql+psycopg"
# Of the extra `postgres` in pyproject.toml. The name of the extra would lead pip to an index that may not have us.
_PACKAGE = "'psycopg[binary]>=3.2'"
_PREFIX = "stackadapt_emulator_"
_LOCK = "in-use"


class Stores(Protocol):
    """Opens and deletes stores by a key that only one sandbox ever has.

    `shared`: other processes may change them. `kept`: their data outlives the process.
    """

    shared: bool
    kept: bool

    @property
    def idle(self) -> bool:
        """Whether a transaction would neither wait for another one nor for a disk or a database."""
        ...

    def open(self, key: str) -> Store:
        """The store with this key, created if absent."""
        ...

    def drop(self, key: str) -> None:
        """Deletes the data of a closed store."""
        ...

    def close(self) -> None:
        """Releases what the stores share."""
        ...


class MemoryStores:
    """Each store is in memory and is lost when closed."""

    shared = False
    kept = False

    def __init__(self) -> None:
        self._in_use: set[Store] = set()

    @property
    def idle(self) -> bool:
        return not self._in_use

    def open(self, key: str) -> Store:
        return Store(in_use=self._in_use)

    def drop(self, key: str) -> None:
        """Nothing to delete: closing a store discards its data."""

    def close(self) -> None:
        """Nothing to release."""


class FileStores:
    """One SQLite file per sandbox. Those that are not used are closed, so that any number of sandboxes can exist."""

    shared = False
    kept = True
    idle = False

    def __init__(self, folder: Path) -> None:
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise unwritable(folder, error) from None
        self._folder = folder
        self._open_files = OpenFiles()
        self._lock = _lock(folder)

    def open(self, key: str) -> Store:
        path = self._path(key)
        return Store(f"sqlite:///{path}", file=DataFile(path), open_files=self._open_files)

    def drop(self, key: str) -> None:
        path = self._path(key)
        for file in (path, path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")):
            file.unlink(missing_ok=True)

    def close(self) -> None:
        """Unlocks the folder; each store closes its own file."""
        self._lock.close()

    def _path(self, key: str) -> Path:
        return self._folder / f"{key}.sqlite"


def _lock(folder: Path) -> sqlite3.Connection:
    """Locks the folder until closed or the process ends. Raises UserMistake when another process has locked it.

    Two processes would not see each other's clock and sandboxes, and would send the same batch twice.
    """
    path = folder / _LOCK
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        lock = sqlite3.connect(path, timeout=0, isolation_level=None, check_same_thread=False)
    except OSError as error:
        raise unwritable(path, error) from None
    try:
        lock.execute("BEGIN EXCLUSIVE")
    except sqlite3.Error as error:
        lock.close()
        if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
            raise failure_of(DBAPIError("BEGIN EXCLUSIVE", None, error), str(path)) or error from None
        raise UserMistake(
            "another emulator uses this folder",
            where=str(folder),
            hint="Stop it, choose another folder, or share a PostgreSQL database with --database.",
        ) from None
    return lock


class SharedStores:
    """One schema per sandbox in a PostgreSQL database. Raises UserMistake when the database cannot be used."""

    shared = True
    kept = True
    idle = False

    def __init__(self, url: str) -> None:
        scheme, found, rest = url.partition("://")
        if not found or scheme not in ("postgresql", "postgres", _DRIVER):
            raise UserMistake(
                "invalid database URL",
                where="--database",
                found=scheme,
                allowed=f"{_DRIVER}://user:password@host/database",
                hint="For SQLite, use --data with a folder.",
            )
        self._url = f"{_DRIVER}://{rest}"
        try:
            self._engine = open_engine(self._url)
            self._notices = Notices(f"postgresql://{rest}")
            self._engine.connect().close()
        except ImportError:
            raise UserMistake(
                "the PostgreSQL driver is not installed",
                where="--database",
                hint=f"Install it beside the emulator: pip install {_PACKAGE}, "
                f"pipx inject stackadapt-emulator {_PACKAGE}, or uvx --with {_PACKAGE}.",
            ) from None
        except (ArgumentError, OperationalError) as error:
            original = getattr(error, "orig", None)
            reason = reason_of(original).strip() if original else "invalid URL"
            raise UserMistake(f"cannot connect to the database: {reason}", where="--database") from None

    def open(self, key: str) -> Store:
        return Store(self._url, schema=f"{_PREFIX}{key}", engine=self._engine, notices=self._notices)

    def drop(self, key: str) -> None:
        self.open(key).drop_schema()

    def close(self) -> None:
        self._notices.close()
        self._engine.dispose()


def stores_in(data: Path | None, database: str | None) -> Stores:
    """Stores in a folder, in a shared database, or in memory when neither is given. Raises UserMistake for both."""
    if data is not None and database is not None:
        raise UserMistake("--data and --database cannot be combined", where="--data, --database")
    if database is not None:
        return SharedStores(database)
    return FileStores(data) if data is not None else MemoryStores()
