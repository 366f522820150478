"""Every error the emulator raises on purpose.

    EmulatorError
    ├── UserMistake          the caller can mend it: bad file, bad flag, bad request   (exit code 2)
    │   ├── WorkspaceError       a workspace file that does not fit its schema
    │   ├── InputError           an event, record or argument that cannot be read
    │   │   └── NotFound             a name or id that nothing has
    │   └── PortInUse            the address is taken
    ├── ContractViolation    the emulator works; what it checked does not hold         (exit code 1)
    ├── EmulatorDefect       our fault: an invariant of the emulator does not hold     (exit code 3)
    └── EngineError          what Segment's engine would throw; `mapping/engine_errors.py` draws it (exit code 1)

An error says where, what was found, what is allowed and what to do; `str()` joins the parts that are known,
`as_dict()` gives them to machines. The same object becomes a GraphQL error, an HTTP problem, a log record or a line
on a terminal.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Self


class EmulatorError(Exception):
    """Base of all deliberate errors. `exit_code` is what a command that meets it returns."""

    exit_code = 3

    def __init__(
        self,
        message: str,
        *,
        where: str | None = None,
        found: object = None,
        allowed: str | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.where = where
        self.found = found
        self.allowed = allowed
        self.hint = hint

    def __str__(self) -> str:
        text = f"{self.where}: {self.message}" if self.where else self.message
        if self.found is not None:
            text += f" Found: {self.found!r}."
        if self.allowed:
            text += f" Allowed: {self.allowed.rstrip('.')}."
        if self.hint:
            text += f" {self.hint}"
        return text

    def as_dict(self) -> dict[str, object]:
        """The parts that are known, for JSON output."""
        parts = {
            "error": type(self).__name__,
            "message": self.message,
            "where": self.where,
            "found": self.found,
            "allowed": self.allowed,
            "hint": self.hint,
        }
        return {key: value for key, value in parts.items() if value is not None}


class UserMistake(EmulatorError):
    """Something the caller can mend."""

    exit_code = 2


class WorkspaceError(UserMistake):
    """A workspace file that cannot be read or does not fit `contracts/workspace.schema.json`."""

    @classmethod
    def at(cls, where: str, error: UserMistake) -> Self:
        """The same mistake, made at a place of a workspace."""
        return cls(error.message, where=where, found=error.found, allowed=error.allowed, hint=error.hint)


class InputError(UserMistake):
    """An event, record, file or argument that cannot be read."""


class NotFound(InputError):
    """Nothing has this name or id."""


class PortInUse(UserMistake):
    """The address the server was asked to listen on is taken."""


class ContractViolation(EmulatorError):
    """A check ran and found that a contract does not hold."""

    exit_code = 1


class EmulatorDefect(EmulatorError):
    """An invariant of the emulator itself does not hold."""


def unwritable(path: object, error: OSError) -> InputError:
    """What to raise for a file that the system does not let be written."""
    return InputError(f"this file cannot be written: {error.strerror}.", where=str(path))


def nearest(name: str, known: Iterable[str]) -> str | None:
    """A sentence that proposes the closest known name, or None when nothing is close."""
    matches = get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f"Did you mean {matches[0]!r}?" if matches else None
