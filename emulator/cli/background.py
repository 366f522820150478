"""What is known about the servers that `start` runs: at most one for each folder, with a record, a lock and a log.

The files are in the user's state folder (XDG Base Directory Specification), readable by the user only. The process
itself holds the lock, which the system releases when it ends for whatever reason: no process id is taken for that of a
server that has ended. `gate` admits one look at the locks at a time, so that one command never mistakes another's look
for a server.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from tempfile import mkstemp
from typing import Any, Final

from emulator.errors import InputError, UserMistake, unwritable
from emulator.text_files import read_text

if sys.platform != "win32":
    import fcntl

# Unlike other options it is a secret, and other users see the arguments of a process.
CONTROL_TOKEN_OPTION: Final = "--control-token"  # noqa: S105 - the name of an option
_MODE = 0o600


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A server in the background: the options it was started with, and what it printed when it was ready.

    `connection` is None while it starts. It and the options contain secrets.
    """

    pid: int
    options: Mapping[str, str | bool] = field(repr=False)
    connection: Mapping[str, Any] | None = field(default=None, repr=False)

    @property
    def control_token(self) -> str | None:
        """The one that it was given, or generated and printed."""
        given = self.options.get(CONTROL_TOKEN_OPTION)
        return str(given) if given is not None else (self.connection or {}).get("controlToken")


class Place:
    """Where the files about the server of one folder are."""

    def __init__(self, folder: Path, state: Path) -> None:
        self.folder = folder
        self._state = state
        key = hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]
        self._lock, self._record, self.log = (state / f"{key}.{kind}" for kind in ("lock", "json", "log"))

    def claim(self, *, anew: bool = False) -> int | None:
        """The descriptor of a file that is now locked, or None when a server has locked it. To be closed.

        `anew` removes the record of a server that has ended: others would take it for that of the one that starts now.
        """
        with self._gate():
            claimed = self._locked()
            if anew and claimed is not None:
                self._record.unlink(missing_ok=True)
            return claimed

    def in_use(self) -> bool:
        """Whether a server runs, starts or stops."""
        if not self._lock.exists():
            return False
        # The gate is held until the lock is given back: another look or a start would take it for a server's.
        with self._gate():
            claimed = self._locked()
            if claimed is not None:
                os.close(claimed)
        return claimed is None

    def _locked(self) -> int | None:
        opened = os.open(self._lock, os.O_RDWR | os.O_CREAT, _MODE)
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(opened)
            return None
        return opened

    def record(self) -> Record | None:
        """What was written last; a server that has ended without `stop` leaves its record.

        Raises InputError for a file that is none.
        """
        if not self._record.exists():
            return None
        try:
            return Record(**json.loads(read_text(self._record)))
        except (TypeError, ValueError):
            raise InputError(
                "this file is no record of a server",
                where=str(self._record),
                hint="Stop the server with the version that started it, or end its process, and delete the file.",
            ) from None

    def write(self, record: Record) -> None:
        """Replaces the record: a reader sees the old or the new one."""
        opened, name = mkstemp(dir=self._state, prefix=f".{self._record.name}.")
        with open(opened, "w", encoding="utf-8") as out:
            json.dump(asdict(record), out)
        Path(name).replace(self._record)

    def open_log(self) -> int:
        """The descriptor of the log, empty. To be closed."""
        return os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, _MODE)

    def clear(self, *, keep_log: bool) -> None:
        """Removes what is known about a server that has ended."""
        with self._gate():
            for path in (self._record, self._lock, *(() if keep_log else (self.log,))):
                path.unlink(missing_ok=True)

    @contextmanager
    def _gate(self) -> Iterator[None]:
        try:
            self._state.mkdir(mode=0o700, parents=True, exist_ok=True)
            opened = os.open(self._state / "gate", os.O_RDWR | os.O_CREAT, _MODE)
        except OSError as error:
            raise unwritable(self._state, error) from None
        try:
            fcntl.flock(opened, fcntl.LOCK_EX)
            yield
        finally:
            os.close(opened)


def place_here() -> Place:
    """That of the current folder. Raises UserMistake where the system has no background processes of this kind."""
    if sys.platform == "win32":
        raise UserMistake("this system has no servers in the background", hint="Run `serve` in another terminal.")
    return Place(Path.cwd().resolve(), _state_folder(os.environ) / "servers")


def _state_folder(environment: Mapping[str, str]) -> Path:
    given = environment.get("XDG_STATE_HOME", "")
    # The specification has relative paths ignored.
    if os.path.isabs(given):
        return Path(given) / "stackadapt-emulator"
    try:
        home = Path.home()
    except RuntimeError:
        raise UserMistake("this user has no home folder", where="XDG_STATE_HOME", hint="Set it to a folder.") from None
    state = home / "Library" / "Application Support" if sys.platform == "darwin" else home / ".local" / "state"
    return state / "stackadapt-emulator"
