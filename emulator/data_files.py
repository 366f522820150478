"""The SQLite files of stores: whether each is sound and still there, and which are open.

`PRAGMA quick_check` reads the whole file: 0.13 s for 190 MB in the system's cache, so every file is checked once, when
its sandbox is first used. It does not compare indexes with their tables, which takes three times as long.
"""

from __future__ import annotations

import os
import sqlite3
from collections import OrderedDict
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from threading import Lock

from sqlalchemy.exc import DBAPIError

from emulator.errors import unwritable
from emulator.store_failures import RESTORE, StoreFailure, failure_of

# Each has three descriptors: the database, its log and its shared memory.
OPEN_FILES = 24


class DataFile:
    """One SQLite file, created if absent, readable by its owner only: it contains tokens and personal data.

    Raises StoreFailure when it cannot be created or is damaged.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            self._identity = _identity_of(path)
        except OSError as error:
            mistake = unwritable(path, error)
            raise StoreFailure(mistake.message, hint=mistake.hint) from None
        self._check()

    def check_present(self) -> None:
        """Raises StoreFailure when the file was removed or replaced: what is written now would be lost."""
        try:
            present = _identity_of(self.path) == self._identity
        except OSError:
            present = False
        if not present:
            raise StoreFailure(
                "the data file was removed or replaced while in use",
                where=str(self.path),
                hint="Restart the emulator, which uses the file that is there then or creates a new one.",
            )

    def _check(self) -> None:
        try:
            with closing(sqlite3.connect(self.path)) as connection:
                found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        except sqlite3.Error as error:
            failure = failure_of(DBAPIError("PRAGMA quick_check", None, error), str(self.path))
            if failure is None:
                raise
            raise failure from None
        if found != "ok":
            text = " ".join(found.split())
            raise StoreFailure(f"the data file is damaged: {text}", where=str(self.path), hint=RESTORE)


def _identity_of(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_dev, status.st_ino


class OpenFiles:
    """Keeps at most `most` files open: using one more closes the one that was not used for longest.

    A file is known by the function that closes it, which returns False while the file is in use.
    """

    def __init__(self, most: int = OPEN_FILES) -> None:
        self._most = most
        self._lock = Lock()
        self._open: OrderedDict[Callable[[], bool], None] = OrderedDict()

    def use(self, close: Callable[[], bool]) -> None:
        """The file is used now, and opened if it was closed."""
        with self._lock:
            self._open[close] = None
            self._open.move_to_end(close)
            extra = list(self._open)[: -self._most] if len(self._open) > self._most else []
        for each in extra:
            if each():
                self.forget(each)

    def forget(self, close: Callable[[], bool]) -> None:
        """The file is closed."""
        with self._lock:
            self._open.pop(close, None)
