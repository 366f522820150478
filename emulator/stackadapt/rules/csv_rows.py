"""CSV row by row: a row that cannot be read is one error, and the lines after it are read all the same."""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterable, Iterator, Sequence

COMMA = ","
# Other ones that spreadsheets write, by their names in messages.
OTHERS = {";": "semicolons", "\t": "tabs", "|": "vertical bars"}

# A cell with line breaks is not longer. A quote that nothing closes would otherwise swallow the rest of the file.
_MOST_LINES = 1_000


class BadRow(ValueError):
    """A row that cannot be read. The text says what it is or has: `has 3 cells, the header 2`."""


class Lines:
    """Lines with their numbers, some of which can be put back. None is a line that is too long to be read."""

    def __init__(self, lines: Iterable[str | None]) -> None:
        self.number = 0
        self._lines = iter(lines)
        self._ahead: deque[str | None] = deque()

    def __iter__(self) -> Iterator[str | None]:
        return self

    def __next__(self) -> str | None:
        line = self._ahead.popleft() if self._ahead else next(self._lines)
        self.number += 1
        return line

    def put_back(self, lines: Sequence[str | None]) -> None:
        """Makes these lines, the last that were read, the next ones again."""
        self._ahead.extendleft(reversed(lines))
        self.number -= len(lines)


def rows(lines: Lines, delimiter: str, *, width: int) -> Iterator[tuple[int, list[str] | BadRow]]:
    """The rows of `width` cells with the numbers of their first lines; blank lines are left out."""
    while (row := next_row(lines, delimiter, width=width)) is not None:
        number, cells, _ = row
        yield number, cells


def next_row(
    lines: Lines, delimiter: str, *, width: int | None = None
) -> tuple[int, list[str] | BadRow, list[str]] | None:
    """The next row, of `width` cells if that is given: its first line's number, its cells, and its lines.

    Of a row that cannot be read only the first line is taken, since where it ends is not known. None after the last.
    """
    first = next((line for line in lines if line is None or line.strip()), "")
    number = lines.number
    if first is None:
        return number, BadRow("is too long"), []
    if not first:
        return None
    taken = [first]
    try:
        cells = next(csv.reader(_taking(lines, taken), delimiter=delimiter, strict=True))
        if width is not None and len(cells) != width:
            raise BadRow(f"has {len(cells)} cells, the header {width}")
    except (csv.Error, BadRow) as error:
        lines.put_back(taken[1:])
        bad = error if isinstance(error, BadRow) else BadRow(f"is not CSV: {_in_words(error, delimiter, len(taken))}")
        return number, bad, taken[:1]
    return number, cells, taken


def _taking(lines: Lines, taken: list[str]) -> Iterator[str]:
    """The first line, then the next ones as a reader asks for them; they are added to `taken`."""
    yield taken[0]
    for line in lines:
        if line is None or len(taken) == _MOST_LINES:
            lines.put_back([line])
            return
        taken.append(line)
        yield line


def _in_words(error: csv.Error, delimiter: str, lines: int) -> str:
    text = str(error)
    # In a later line, the quote that ends the cell is one that opens another.
    if "unexpected end" in text or ("expected after" in text and lines > 1):
        return "a quote opens a cell and nothing closes it"
    if "expected after" in text:
        return f"a cell in quotes ends before {delimiter!r}; write a quote inside a cell twice"
    if "field limit" in text:
        return f"a cell is longer than {csv.field_size_limit()} characters"
    return text
