"""Documents from a file or standard input: a JSON value, a JSON array or JSON lines, optionally gzipped, or YAML.

JSON lines are read one at a time, so memory does not grow with the file.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain
from json import JSONDecodeError
from pathlib import Path
from typing import Any

from emulator.errors import InputError, UserMistake
from emulator.mapping import parse_json
from emulator.schemas import in_words
from emulator.strict_json import DuplicateKey, check_keys
from emulator.text_files import lines_of, place_of, suffix_of
from emulator.yaml_files import read_mapping

_YAML = frozenset({".yaml", ".yml"})
_SHOWN_CHARACTERS = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A value and its position: a line, an item of an array, or the whole file.

    `error` if it cannot be read; then `line` is that of the mistake, where it is known.
    """

    file: str
    line: int | None = None
    index: int | None = None
    value: Any = None
    error: UserMistake | None = None

    @property
    def where(self) -> str:
        """The position: `events.jsonl, line 3`."""
        if self.line is not None:
            return f"{self.file}, line {self.line}"
        return self.file if self.index is None else f"{self.file}: [{self.index}]"


def read_events(path: str) -> list[dict[str, Any]]:
    """The events in a file, or `-` for standard input. Raises InputError with file and line."""
    return [event_in(document) for document in read_documents(path, what="an event")]


def read_documents(path: str, *, what: str = "a document") -> Iterator[Document]:
    """The documents in a file, or `-` for standard input, including lines with an `error`. `what` is for messages."""
    file = place_of(path)
    try:
        if suffix_of(path) in _YAML:
            yield Document(file=file, value=read_mapping(Path(path), what=what, mistake=InputError))
        else:
            yield from _documents(file, lines_of(path))
    except InputError as error:
        yield Document(file=file, error=error)


def _documents(file: str, text: Iterator[str]) -> Iterator[Document]:
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
    whole = _with_unique_keys(content, _parsed(content, Document(file=file)))
    if isinstance(whole.value, list):
        yield from (Document(file=file, index=index, value=item) for index, item in enumerate(whole.value))
    else:
        yield whole


def _with_unique_keys(content: str, document: Document) -> Document:
    """The document, or an error for a duplicate key as in YAML: it may be a workspace."""
    if document.error is not None:
        return document
    try:
        check_keys(content)
    except DuplicateKey as error:
        place = f"{document.file}, line {error.line}, column {error.column}"
        return replace(document, value=None, error=InputError(str(error), where=place))
    return document


def _first_two(lines: Iterator[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    """The lines up to the second that is not blank."""
    seen = 0
    for number, line in lines:
        yield number, line
        seen += bool(line.strip())
        if seen > 1:
            return


def _is_lines(first_two: list[str]) -> bool:
    """Whether each line is a document: the first one parses, or both start like objects."""
    if len(first_two) < 2:
        return False
    starts_with_document = _parsed(first_two[0], Document(file="")).error is None
    return starts_with_document or all(line.lstrip().startswith("{") for line in first_two)


def _parsed(text: str, document: Document) -> Document:
    try:
        return replace(document, value=parse_json(text))
    except ValueError as error:
        found = text.strip()[:_SHOWN_CHARACTERS]
        line = document.line or (error.lineno if isinstance(error, JSONDecodeError) else None)
        mistake = InputError(f"this is not JSON: {error}", where=document.where, found=found)
        return replace(document, line=line, error=mistake)


def event_in(document: Document) -> dict[str, Any]:
    """The event. Raises InputError with its position for a document that has none."""
    if document.error is not None:
        raise document.error
    if not isinstance(document.value, dict):
        raise InputError("invalid event", where=document.where, found=in_words(document.value), allowed="a JSON object")
    return document.value
