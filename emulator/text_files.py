"""The only reader of text files from elsewhere: UTF-8 with or without a byte order mark, any line ends, gzip or not.

Gzip is recognised by its first bytes, since standard input has no name, and read to its last member. Other encodings
are refused by name: a guess could be wrong in a single letter. Files of the package itself are read by `artefacts`.
"""

from __future__ import annotations

import codecs
import gzip
import io
import re
import sys
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

from emulator.errors import InputError, TooLarge, UserMistake, unreadable

STANDARD_INPUT = "-"

MEBIBYTE = 1024 * 1024
# Three megabytes of gzip can be gigabytes of zeros. A snapshot of a million profiles unpacks to about this much.
UNPACKED_LIMIT_BYTES = 1024 * MEBIBYTE
# What is read as a whole or in one piece is in memory several times over; the largest real file is far smaller.
TEXT_LIMIT_BYTES = 64 * MEBIBYTE

_GZIP = b"\x1f\x8b"
_UTF_32 = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_LINE_END = re.compile("\r\n?")


class NotUtf8(ValueError):
    """Text in another encoding; the text says which, or where. `hint` says what to do."""

    def __init__(self, reason: str, hint: str) -> None:
        super().__init__(reason)
        self.hint = hint


def read_text(source: Path | str, *, mistake: type[UserMistake] = InputError) -> str:
    """The text of a file, or of standard input for `-`, with `\\n` as line end. Raises `mistake`."""
    parts: list[str] = []
    length = 0
    for line in lines_of(source, mistake=mistake):
        parts.append(line)
        length += len(line)
        if length > TEXT_LIMIT_BYTES:
            raise _too_large(f"cannot read {place_of(source)}: it", TEXT_LIMIT_BYTES, mistake)
    return "".join(parts)


def lines_of(source: Path | str, *, mistake: type[UserMistake] = InputError) -> Iterator[str]:
    """The lines of `read_text` with their line ends, read one at a time. Raises `mistake`."""
    where = place_of(source)
    try:
        with _opened(source) as file, unpacked(file) as raw:
            for line in _decoded(raw):
                # A lone carriage return ends a line too.
                yield from _LINE_END.sub("\n", line).splitlines(keepends=True) if "\r" in line else (line,)
    except NotUtf8 as error:
        raise mistake(f"cannot read {where}: {error}", hint=error.hint) from None
    except TooLarge as error:
        raise mistake(f"cannot read {where}: {error.message}", allowed=error.allowed, hint=error.hint) from None
    except (OSError, EOFError, zlib.error) as error:
        raise unreadable(where, error, mistake=mistake) from None


def place_of(source: Path | str) -> str:
    """How messages name a file, or standard input for `-`."""
    return "standard input" if source == STANDARD_INPUT else str(source)


def suffix_of(path: Path | str) -> str:
    """The suffix of the text in a file: `.yaml` for `workspace.yaml.gz`."""
    name = str(path)
    return Path(name.removesuffix(".gz")).suffix


def decode(content: bytes) -> str:
    """A body as text, without a byte order mark. Raises NotUtf8."""
    return "".join(_decoded(io.BytesIO(content)))


class _Borrowed(io.RawIOBase):
    """Bytes of a stream that belongs to the caller: it stays open when its readers are closed."""

    def __init__(self, stream: IO[bytes]) -> None:
        # A pipe returns what it has, instead of waiting for more.
        self._read: Callable[[int], bytes] = getattr(stream, "read1", stream.read)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        content = self._read(len(buffer))
        buffer[: len(content)] = content
        return len(content)


class _Limited(io.RawIOBase):
    """What a gzip file unpacks to, as far as the limit."""

    def __init__(self, packed: gzip.GzipFile) -> None:
        self._packed = packed
        self._left = UNPACKED_LIMIT_BYTES

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        content = self._packed.read1(len(buffer))
        self._left -= len(content)
        if self._left < 0:
            raise _too_large("the unpacked content", UNPACKED_LIMIT_BYTES, TooLarge)
        buffer[: len(content)] = content
        return len(content)


def _too_large(what: str, limit: int, mistake: type[UserMistake]) -> UserMistake:
    return mistake(f"{what} is too large", allowed=f"at most {limit // MEBIBYTE} MiB", hint="Split it, or remove data.")


def lenient_lines(stream: IO[bytes], *, longest: int) -> Iterator[str | None]:
    """The lines of a stream with their line ends, of which some may not be UTF-8: such bytes are halves of surrogates.

    A line of more than `longest` characters is None. Raises NotUtf8 for another encoding; OSError, EOFError or
    zlib.error, at any line, for damaged gzip.
    """
    raw = unpacked(stream)
    if error := other_encoding(raw.peek(len(codecs.BOM_UTF32_LE))):
        raise error
    text = io.TextIOWrapper(raw, encoding="utf-8-sig", errors="surrogateescape", newline="")
    while line := text.readline(longest):
        whole = len(line) < longest or line.endswith(("\r", "\n"))
        yield line if whole else None
        while not whole:
            whole = not (rest := text.readline(longest)) or rest.endswith(("\r", "\n"))


def unpacked(stream: IO[bytes]) -> io.BufferedReader[Any]:
    """A stream of bytes, without the gzip around it if there is any.

    Reading it raises OSError, EOFError or zlib.error, and TooLarge once it has given UNPACKED_LIMIT_BYTES. Closing it
    leaves `stream` open.
    """
    raw: io.BufferedReader[Any] = io.BufferedReader(_Borrowed(stream))
    packed = raw.peek(len(_GZIP)).startswith(_GZIP)
    return io.BufferedReader(_Limited(gzip.GzipFile(fileobj=raw))) if packed else raw


def other_encoding(first_bytes: bytes) -> NotUtf8 | None:
    """The error for text that begins with these bytes and cannot be UTF-8."""
    # In UTF-16, one of the first two bytes of an ASCII character is zero.
    if first_bytes.startswith(_UTF_32):
        name = "UTF-32"
    elif first_bytes.startswith(_UTF_16) or b"\0" in first_bytes[:2]:
        name = "UTF-16"
    else:
        return None
    return NotUtf8(
        f"it is {name} text, not UTF-8", "Save it as UTF-8; in PowerShell, write it with Set-Content -Encoding utf8."
    )


def _opened(source: Path | str) -> IO[bytes]:
    if source == STANDARD_INPUT:
        return open(sys.stdin.fileno(), "rb", closefd=False)
    return open(source, "rb")


def _decoded(raw: IO[bytes]) -> Iterator[str]:
    for number, line in enumerate(iter(lambda: raw.readline(TEXT_LIMIT_BYTES + 1), b""), start=1):
        if len(line) > TEXT_LIMIT_BYTES:
            raise _too_large("a line", TEXT_LIMIT_BYTES, TooLarge)
        content = line
        if number == 1:
            if error := other_encoding(line):
                raise error
            content = line.removeprefix(codecs.BOM_UTF8)
        try:
            yield content.decode()
        except UnicodeDecodeError as error:
            column = len(content[: error.start].decode()) + 1
            byte = content[error.start : error.start + 1]
            meant = byte.decode("cp1252", "ignore")
            letter = f", {meant!r} in Windows-1252" if meant else ""
            place = f"line {number}, column {column} has the byte 0x{byte.hex().upper()}{letter}"
            raise NotUtf8(f"it is not UTF-8 text: {place}", "Save it as UTF-8.") from None
