"""What a database reports when it cannot be used, as an error that names it and says what to do.

SQLite's result codes: https://sqlite.org/rescode.html; PostgreSQL's: appendix A of its documentation.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import MappingProxyType

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from emulator.errors import EmulatorError

RETRY_SECONDS = 1


class StoreFailure(EmulatorError):
    """The data of a sandbox cannot be read or written: status 503 in an HTTP response.

    `retry_after` is in seconds; None where trying again does not help.
    """

    exit_code = 2

    def __init__(
        self, message: str, *, where: str | None = None, hint: str | None, retry_after: int | None = None
    ) -> None:
        super().__init__(message, where=where, hint=hint)
        self.retry_after = retry_after

    @property
    def reason(self) -> str:
        """The message with the place."""
        return f"{self.where}: {self.message}" if self.where else self.message

    @property
    def headers(self) -> dict[str, str]:
        """The headers of the HTTP response."""
        return {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}


RESTORE = "Restore it from a copy, or move it away to start empty; `stackadapt-emulator snapshot load` fills it again."
_ACCESS = "Check who may read and write the file and its folder."
_DAMAGED = ("the data file is damaged", RESTORE, None)
_LOCKED = ("another process has locked the data file", "Stop that process.", RETRY_SECONDS)

# Message, hint and seconds until another attempt, by SQLite's primary result code.
_SQLITE = MappingProxyType(
    {
        5: _LOCKED,
        6: _LOCKED,
        8: ("the data file is read-only", _ACCESS, None),
        10: ("the system cannot read or write the data file", "Check the disk.", RETRY_SECONDS),
        11: _DAMAGED,
        13: ("the disk is full", "Free some space; nothing of this call was stored.", RETRY_SECONDS),
        14: ("the data file cannot be opened", _ACCESS, RETRY_SECONDS),
        26: ("this is not a SQLite database, or its first page is damaged", RESTORE, None),
    }
)
_LOST = (
    "the connection to the database was lost",
    "Send the call again once the database is back; a call whose commit had been sent may be stored.",
    RETRY_SECONDS,
)
# By the beginning of PostgreSQL's error code.
_POSTGRESQL = MappingProxyType(
    {
        "08": _LOST,
        "57P": _LOST,
        "53": ("the database has no resources left", "See the log of the database.", RETRY_SECONDS),
        "25006": ("the database is read-only", "Use the URL of its primary server.", RETRY_SECONDS),
        "XX00": ("the database is damaged", "See the log of the database.", None),
    }
)


def failure_of(error: BaseException, where: str) -> StoreFailure | None:
    """What to raise for an error that the database of the place `where` caused; None for any other error."""
    for each in _causes(error):
        if isinstance(each, StoreFailure):
            return each
        if isinstance(each, DBAPIError) and (known := _known(each)):
            message, hint, retry_after = known
            return StoreFailure(message, where=where, hint=hint, retry_after=retry_after)
    return None


def _known(error: DBAPIError) -> tuple[str, str, int | None] | None:
    code = getattr(error.orig, "sqlite_errorcode", None)
    if code is not None:
        # The upper bytes say more than is needed here.
        return _SQLITE.get(code & 0xFF)
    if type(error.orig).__module__ == "sqlite3":
        # Python's module itself reports only text that is not UTF-8.
        return _DAMAGED if isinstance(error, OperationalError) else None
    state = getattr(error.orig, "sqlstate", None)
    if state is not None:
        return next((known for prefix, known in _POSTGRESQL.items() if state.startswith(prefix)), None)
    # The driver itself reports these: no server, or none any more.
    lost = error.connection_invalidated or isinstance(error, OperationalError | InterfaceError)
    return _LOST if lost else None


def _causes(error: BaseException) -> Iterator[BaseException]:
    each: BaseException | None = error
    while each is not None:
        yield each
        each = each.__cause__
