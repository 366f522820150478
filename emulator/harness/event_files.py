"""Documents from a file or standard input: one JSON value, a JSON array, or JSON lines, also packed with gzip.

A file of YAML holds one document. JSON lines are read one at a time, so that a file of any length needs little memory.
"""

from __future__ import annotations

import gzip
import io
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import IO, Any

from emulator.errors import InputError
from emulator.mapping import parse_json
from emulator.schemas import in_words
from emulator.yaml_files import read_mapping

STANDARD_INPUT = "-"

_GZIP = b"\x1f\x8b"
_YAML = frozenset({".yaml", ".yml"})
_SHOWN_CHARACTERS = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A value and where it stands: a line of a file, an item of its list, or all of it. `error` says why none was read.

    Numbers are read as JavaScript reads them.
    """

    file: str
    line: int | None = None
    index: int | None = None
    value: Any = None
    error: InputError | None = None

    @property
    def where(self) -> str:
        """The place as text: `events.jsonl, line 3`."""
        if self.line is not None:
            return f"{self.file}, line {self.line}"
        return self.file if self.index is None else f"{self.file}: [{self.index}]"


def read_events(path: str) -> list[dict[str, Any]]:
    """The events in a file, or in standard input for `-`. Raises InputError naming the file and line."""
    return [_event(document) for document in read_documents(path, what="an event")]


def read_documents(path: str, *, what: str = "a document") -> Iterator[Document]:
    """The documents in a file, or in standard input for `-`. A line that cannot be read does not hide the others.

    `what` names one in messages.
    """
    file = "standard input" if path == STANDARD_INPUT else path
    try:
        if Path(path).suffix in _YAML:
            yield Document(file=file, value=read_mapping(Path(path), what=what, mistake=InputError))
        else:
            with _opened(path) as text:
                yield from _documents(file, text)
    except InputError as error:
        yield Document(file=file, error=error)
    except (OSError, EOFError, UnicodeDecodeError, zlib.error) as error:
        yield Document(file=file, error=InputError(f"this file cannot be read: {error}", where=file))


@contextmanager
def _opened(path: str) -> Iterator[IO[str]]:
    source = sys.stdin.fileno() if path == STANDARD_INPUT else path
    with open(source, "rb", closefd=path != STANDARD_INPUT) as raw:
        # Two bytes that only a packed file starts with; a name would say nothing about standard input.
        packed = raw.peek(len(_GZIP)).startswith(_GZIP)
        yield io.TextIOWrapper(gzip.GzipFile(fileobj=raw) if packed else raw, encoding="utf-8")


def _documents(file: str, text: IO[str]) -> Iterator[Document]:
    lines = enumerate(text, start=1)
    ahead = list(_first_two(lines))
    if _is_lines([line for _, line in ahead if line.strip()]):
        for number, line in chain(ahead, lines):
            if line.strip():
                yield _parsed(line, Document(file=file, line=number))
        return
    content = "".join(line for _, line in chain(ahead, lines))
    if not content.strip():
        return
    whole = _parsed(content, Document(file=file))
    if isinstance(whole.value, list):
        yield from (Document(file=file, index=index, value=item) for index, item in enumerate(whole.value))
    else:
        yield whole


def _first_two(lines: Iterator[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    """The lines up to and with the second one that is not blank."""
    seen = 0
    for number, line in lines:
        yield number, line
        seen += bool(line.strip())
        if seen > 1:
            return


def _is_lines(first_two: list[str]) -> bool:
    """Whether each line is a document: the first one is, or both look as if they were meant to be."""
    if len(first_two) < 2:
        return False
    return _parses(first_two[0]) or all(line.lstrip().startswith("{") for line in first_two)


def _parses(text: str) -> bool:
    try:
        parse_json(text)
    except ValueError:
        return False
    return True


def _parsed(text: str, document: Document) -> Document:
    try:
        return replace(document, value=parse_json(text))
    except ValueError as error:
        found = text.strip()[:_SHOWN_CHARACTERS]
        return replace(document, error=InputError(f"this is not JSON: {error}", where=document.where, found=found))


def _event(document: Document) -> dict[str, Any]:
    if document.error is not None:
        raise document.error
    if not isinstance(document.value, dict):
        raise InputError("an event is a JSON object", where=document.where, found=in_words(document.value))
    return document.value
