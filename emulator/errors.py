"""Every error the emulator raises on purpose.

    EmulatorError
    ├── UserMistake          the caller can fix it: bad file, bad flag, bad request   (exit code 2)
    │   ├── WorkspaceError       a workspace file that does not fit its schema
    │   ├── InputError           an event, record or argument that cannot be read
    │   │   ├── UnknownName          a name that is not among the known ones
    │   │   ├── NotFound             the resource that a URL addresses does not exist (HTTP 404)
    │   │   ├── TooLarge             more content than is read (HTTP 413)
    │   │   └── PreconditionFailed   a change of what has been changed meanwhile (HTTP 412)
    │   └── PortInUse            the port is taken
    ├── ContractViolation    a check failed: a contract is not met                     (exit code 1)
    ├── EmulatorDefect       a bug in the emulator                                     (exit code 3)
    └── EngineError          what Segment's engine would throw, see `mapping/engine_errors.py` (exit code 1)

An error names the place, what was found, what is allowed and what to do. `message` is a lower-case clause without a
closing full stop; `str()` joins it with the other parts, `as_dict()` is the JSON form. The same object is rendered as
a GraphQL error, an HTTP response, a log record or a line on a terminal.
"""

from __future__ import annotations

import errno
import re
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from types import MappingProxyType
from typing import Self

# Names used by an earlier release, with their replacements, which an error about an old name suggests.
RENAMED = MappingProxyType(
    {
        "apiEdition": "apiVersion",
        "editions": "apiVersions",  # wording: exempt - an old name
        "api_edition": "api_version",
        "--api-edition": "--api-version",  # wording: exempt - an old name
        "--edition": "--api-version",  # wording: exempt - an old name
        "--awkward": "--edge-case",  # wording: exempt - an old name
    }
)

# Exit codes of every command, for `--help` and the documentation.
EXIT_CODES = MappingProxyType(
    {
        0: "ok",
        1: "a check failed",
        2: "bad usage or bad input",
        3: "a bug in the emulator",
        130: "interrupted",
    }
)


class EmulatorError(Exception):
    """Base of all deliberate errors. `exit_code` is the exit status of a command that fails with it."""

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
        details = list(self._details())
        # A message may quote another error, which ends with a sentence of its own.
        stop = "" if text.endswith((".", "?")) else "."
        return " ".join([f"{text}{stop}", *details]) if details else text

    def _details(self) -> Iterator[str]:
        if self.found is not None and repr(self.found) not in self.message:
            yield f"Found: {self.found!r}."
        if self.allowed:
            yield f"{'Known' if self.message.startswith('unknown ') else 'Allowed'}: {self.allowed.rstrip('.')}."
        if self.hint:
            yield self.hint

    def as_dict(self) -> dict[str, object]:
        """The parts that are set, for JSON output."""
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
    """Something the caller can fix."""

    exit_code = 2


class WorkspaceError(UserMistake):
    """A workspace file that cannot be read or does not fit `contracts/workspace.schema.json`."""

    @classmethod
    def at(cls, where: str, error: UserMistake) -> Self:
        """The same error, located at `where` in a workspace."""
        return cls(error.message, where=where, found=error.found, allowed=error.allowed, hint=error.hint)


class InputError(UserMistake):
    """An event, record, file or argument that cannot be read."""


class UnknownName(InputError):
    """A name that is not among the known ones; `allowed` lists those, joined by commas."""


class NotFound(InputError):
    """The addressed resource does not exist: status 404 in an HTTP response."""


class TooLarge(InputError):
    """More content than the emulator reads: status 413 in an HTTP response."""


class PreconditionFailed(InputError):
    """What the request is about has changed meanwhile: status 412 in an HTTP response."""


class PortInUse(UserMistake):
    """The port is in use."""


class ContractViolation(EmulatorError):
    """A check failed: a contract is not met."""

    exit_code = 1


class EmulatorDefect(EmulatorError):
    """A bug in the emulator: one of its invariants does not hold."""


_NUMBER = re.compile(r"\[Errno -?\d+\] ")
_FOLDER = "it is a folder"
# Why a file cannot be read or written, and what to do, by the number that the system gives.
_UNREADABLE = MappingProxyType(
    {
        errno.ENOENT: ("no such file", "Check the path; a relative one starts in the current folder."),
        errno.ENOTDIR: ("no such file", "A part of the path is a file, not a folder."),
        errno.EISDIR: (_FOLDER, "Name a file in it."),
        errno.EACCES: ("permission denied", "Check who may read it."),
    }
)
_UNWRITABLE = MappingProxyType(
    {
        errno.ENOENT: ("no such folder", "Create the folder first, or choose another path."),
        errno.ENOTDIR: ("no such folder", "A part of the path is a file, not a folder."),
        errno.EISDIR: (_FOLDER, "Name a file in it."),
        errno.EACCES: ("permission denied", "Choose another path, or check who may write there."),
        errno.ENOSPC: ("no space left on the device", "Free some space, or choose another device."),
    }
)


def unreadable(path: object, error: Exception, *, mistake: type[UserMistake] = InputError) -> UserMistake:
    """What to raise for a file that cannot be opened or unpacked."""
    hint: str | None
    if isinstance(error, OSError) and error.errno is not None:
        reason, hint = _UNREADABLE.get(error.errno, (_in_words(error), None))
    else:
        reason, hint = "its compressed data is damaged", "Compress it again with gzip."
    return mistake(f"cannot read {path}: {reason}", hint=hint)


def unwritable(path: object, error: OSError) -> InputError:
    """What to raise for a file that cannot be written."""
    reason, hint = _UNWRITABLE.get(error.errno or 0, (_in_words(error), None))
    return InputError(f"cannot write {path}: {reason}", hint=hint)


def reason_of(error: Exception) -> str:
    """The text of an error of the system or the network, without the number that the system gives it."""
    return _NUMBER.sub("", str(error))


def _in_words(error: OSError) -> str:
    return (error.strerror or str(error)).lower()


def unknown(
    kind: str,
    found: object,
    known: Iterable[str],
    *,
    where: str | None = None,
    hint: str | None = None,
    listing: bool = True,
    error: type[UserMistake] = UnknownName,
) -> UserMistake:
    """What to raise for a name that is not among `known`: ``unknown audience 'vip'. Known: …. Did you mean …?``

    `kind` says what the name is of. `hint` is used where no known name is close; without `listing` the known names,
    too many to print, are left out. `error` is NotFound for the name of a resource that an HTTP request addresses.
    """
    names = list(known)
    return error(
        f"unknown {kind} {found!r}",
        where=where,
        found=found,
        allowed=(", ".join(names) or "none") if listing else None,
        hint=nearest(str(found), names) or hint,
    )


def nearest(name: str, known: Iterable[str]) -> str | None:
    """A sentence with the new name of a renamed `name`, or with the closest known name; None for neither."""
    if name in RENAMED:
        return f"{name!r} is now {RENAMED[name]!r}."
    matches = get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f"Did you mean {matches[0]!r}?" if matches else None
