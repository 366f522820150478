"""The standard streams of a process, made fit for whatever they are connected to.

A closed one is replaced by the null device, since the next file would otherwise get its number. What the encoding of
standard output lacks is written as `\\uXXXX`, which keeps JSON valid. What standard error does not take, on a full disk
for example, is dropped: a warning or a line of the log must not end what it is about.
"""

from __future__ import annotations

import codecs
import errno
import io
import os
import sys
from typing import Any, cast

import click

from emulator.errors import unwritable

_ESCAPED = "stackadapt-emulator-escaped"
_UNWRITABLE = 2


class ReaderLeft(Exception):
    """The reader of standard output has closed the pipe, as `head` does."""


class _Stream(io.FileIO):
    """A standard stream that takes everything after an error. `dropping` says whether the error itself is ignored."""

    def __init__(self, number: int, *, dropping: bool) -> None:
        super().__init__(number, "w", closefd=False)
        self.error: OSError | None = None
        self._dropping = dropping

    def write(self, content: bytes, /) -> int:  # type: ignore[override]  # may be None only for a non-blocking file
        if self.error is None or self._dropping:
            try:
                return super().write(content)
            except OSError as error:
                self.error = error
                if not self._dropping:
                    raise
        return len(content)


def prepare() -> None:
    """Replaces the standard streams, except those that a test has replaced."""
    for number, mode in ((0, os.O_RDONLY), (1, os.O_WRONLY), (2, os.O_WRONLY)):
        try:
            os.fstat(number)
        except OSError:
            # The lowest free number: this one.
            os.open(os.devnull, mode)
    if sys.stdin is None:
        sys.stdin = os.fdopen(0, encoding="utf-8", closefd=False)
    codecs.register_error(_ESCAPED, _escaped)
    if sys.stdout is sys.__stdout__:
        sys.stdout = _text(1, sys.stdout, errors=_ESCAPED)
    if sys.stderr is sys.__stderr__:
        sys.stderr = _text(2, sys.stderr, errors="backslashreplace", dropping=True)


def settle(code: int) -> int:
    """Writes what is left for standard output; the exit code is then `code`, or 2 where output could not be written."""
    try:
        sys.stdout.flush()
    except OSError as error:
        return _failed(error, code)
    return _failed(found, code) if (found := output_error()) is not None else code


def output_error() -> OSError | None:
    """Why standard output could not be written. It is reported by `settle`."""
    raw = getattr(getattr(sys.stdout, "buffer", None), "raw", None)
    return raw.error if isinstance(raw, _Stream) else None


def _failed(error: OSError, code: int) -> int:
    if error.errno == errno.EPIPE:
        return code
    click.echo(f"error: {unwritable('standard output', error)}", err=True)
    return code or _UNWRITABLE


def _text(number: int, stream: io.TextIOBase | None, *, errors: str, dropping: bool = False) -> io.TextIOWrapper:
    """The stream that replaces `stream`, with its encoding and buffering; that is None where it was closed."""
    before = stream if isinstance(stream, io.TextIOWrapper) else None
    return io.TextIOWrapper(
        io.BufferedWriter(cast(Any, _Stream(number, dropping=dropping))),
        encoding=before.encoding if before else "utf-8",
        errors=errors,
        line_buffering=before.line_buffering if before else False,
        write_through=before.write_through if before else False,
    )


def _escaped(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    units = error.object[error.start : error.end].encode("utf-16-be", "surrogatepass")
    text = "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))
    return text, error.end
