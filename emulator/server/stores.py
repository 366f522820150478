"""Where the stores of an emulator's sandboxes come from: memory, a folder of files, or one shared database."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Protocol

from sqlalchemy.exc import ArgumentError, OperationalError

from emulator.errors import UserMistake, unwritable
from emulator.store import Store, open_engine

_DRIVER = "postgresql+psycopg"
_PREFIX = "stackadapt_emulator_"
_LOCK = "in-use"


class Stores(Protocol):
    """Opens and deletes a sandbox's store by the sandbox's name. `shared`: other processes may change them too."""

    shared: bool

    def open(self, name: str) -> Store:
        """The store of a sandbox, made if there is none."""
        ...

    def drop(self, name: str) -> None:
        """Deletes what a closed store leaves behind."""
        ...

    def close(self) -> None:
        """Gives back what the stores have in common."""
        ...


class MemoryStores:
    """Every store lives in memory and dies with it."""

    shared = False

    def open(self, name: str) -> Store:
        return Store()

    def drop(self, name: str) -> None:
        """A closed store in memory leaves nothing behind."""

    def close(self) -> None:
        """Stores in memory have nothing in common."""


class FileStores:
    """One SQLite file a sandbox, readable by its owner alone: tokens and personal data are in it."""

    shared = False

    def __init__(self, folder: Path) -> None:
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise UserMistake(f"this folder cannot be made: {error.strerror}", where=str(folder)) from None
        self._folder = folder
        self._lock = _lock(folder)

    def open(self, name: str) -> Store:
        path = self._path(name)
        try:
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        except OSError as error:
            raise unwritable(path, error) from None
        return Store(f"sqlite:///{path}")

    def drop(self, name: str) -> None:
        path = self._path(name)
        for file in (path, path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")):
            file.unlink(missing_ok=True)

    def close(self) -> None:
        """Each file is closed by its store; the folder is free for others."""
        self._lock.close()

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.sqlite"


def _lock(folder: Path) -> sqlite3.Connection:
    """Holds the folder until it is closed, or the process ends. Raises UserMistake when somebody else holds it.

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
    except sqlite3.OperationalError:
        lock.close()
        raise UserMistake(
            "another emulator keeps its data in this folder",
            where=str(folder),
            hint="Stop it, give this one another folder, or share a PostgreSQL database with --database.",
        ) from None
    return lock


class SharedStores:
    """One schema a sandbox in a PostgreSQL database. Raises UserMistake when the database cannot be used."""

    shared = True

    def __init__(self, url: str) -> None:
        scheme, found, rest = url.partition("://")
        if not found or scheme not in ("postgresql", "postgres", _DRIVER):
            raise UserMistake(
                "this is not a database that can be shared",
                where="--database",
                found=scheme,
                allowed=f"{_DRIVER}://user:password@host/database",
                hint="For SQLite give a folder with --data.",
            )
        self._url = f"{_DRIVER}://{rest}"
        try:
            self._engine = open_engine(self._url)
            self._engine.connect().close()
        except ImportError:
            raise UserMistake(
                "the driver for PostgreSQL is not installed",
                where="--database",
                hint="Install it with: pip install 'stackadapt-emulator[postgres]'",
            ) from None
        except (ArgumentError, OperationalError) as error:
            reason = str(getattr(error, "orig", None) or "the URL cannot be read").strip()
            raise UserMistake(f"the database cannot be reached: {reason}", where="--database") from None

    def open(self, name: str) -> Store:
        return Store(self._url, schema=f"{_PREFIX}{name}", engine=self._engine)

    def drop(self, name: str) -> None:
        self.open(name).drop_schema()

    def close(self) -> None:
        self._engine.dispose()


def stores_in(data: Path | None, database: str | None) -> Stores:
    """In a folder, in a shared database, or, when neither is named, in memory. Raises UserMistake for both."""
    if data is not None and database is not None:
        raise UserMistake("data goes to a folder or to a database, not to both", where="--data, --database")
    if database is not None:
        return SharedStores(database)
    return FileStores(data) if data is not None else MemoryStores()
