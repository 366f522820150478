"""Profiles as lines of text: JSON lines, which are lossless, or CSV, for spreadsheets.

A profile is an object with `advertiserId`, `email`, `marketingStatus`, `externalIds` (`provider`, `id`), `audiences`
(`provider`, `id`, `name`) and `properties`. In CSV the two arrays are JSON and each property is a column of its own;
its name starts with `properties.` where it would clash with another column. Where something of a stored profile could
not be read, `notShown` is an array of what and why.

A spreadsheet runs a cell that begins with `=`, `+`, `-`, `@`, a tab or a carriage return as a formula. Text that begins
so, after any number of apostrophes, is written with one apostrophe more, and read without it. Numbers are not text.
"""

from __future__ import annotations

import csv
import io
import json
import re
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import IO, Any

from emulator import strict_json
from emulator.errors import InputError, unknown
from emulator.stackadapt.rules.csv_rows import COMMA, OTHERS, BadRow, Lines, next_row, rows
from emulator.stored_values import NOT_SHOWN
from emulator.text import is_storable
from emulator.text_files import NotUtf8, lenient_lines

ADVERTISER_ID = "advertiserId"
EMAIL = "email"
MARKETING_STATUS = "marketingStatus"
EXTERNAL_IDS = "externalIds"
AUDIENCES = "audiences"
PROPERTIES = "properties"
STRINGS = (ADVERTISER_ID, EMAIL, MARKETING_STATUS)
ARRAYS = (EXTERNAL_IDS, AUDIENCES)
KEYS = (*STRINGS, *ARRAYS, PROPERTIES, NOT_SHOWN)

LONGEST_LINE = 4 * 1024 * 1024

_PREFIX = f"{PROPERTIES}."
_SHOWN_CHARACTERS = 80
_TOO_LONG = f"The line is longer than {LONGEST_LINE} characters."
# What a byte that is not UTF-8 becomes.
_UNDECODED = re.compile("[\udc80-\udcff]")

_FORMULA = re.compile(r"'*[=+\-@\t\r]")
_ESCAPED_FORMULA = re.compile(r"'+[=+\-@\t\r]")

JsonObject = dict[str, Any]


class BadLine(ValueError):
    """A line without a profile; the text says why."""


# A line's number, and the object on it or why there is none.
Line = tuple[int, "JsonObject | BadLine"]


def check_format(name: str) -> str:
    """The name of a format. Raises InputError for an unknown one."""
    if name not in _READERS:
        raise unknown("format", name, _READERS, where="format")
    return name


def as_json_lines(profiles: Iterable[JsonObject]) -> Iterator[str]:
    """One line per profile."""
    for profile in profiles:
        yield json.dumps(profile, ensure_ascii=False) + "\n"


def as_csv(profiles: Iterable[JsonObject], property_keys: Sequence[str], *, with_notes: bool = False) -> Iterator[str]:
    """A header, then one line per profile, with a column for each property key; `with_notes`: and for `notShown`."""
    array_keys = (*ARRAYS, NOT_SHOWN) if with_notes else ARRAYS
    yield _csv_line([*STRINGS, *array_keys, *(_text_cell(_header_of(key)) for key in property_keys)])
    for profile in profiles:
        arrays = [json.dumps(profile[key], ensure_ascii=False) if profile.get(key) else "" for key in array_keys]
        properties = [_cell(profile[PROPERTIES].get(key)) for key in property_keys]
        yield _csv_line([*(_text_cell(profile[key]) for key in STRINGS), *arrays, *properties])


def read_lines(file: IO[bytes], name: str) -> Iterator[Line]:
    """The lines of a file in one of the formats, also gzipped, without empty lines.

    Raises InputError for text in another encoding, damaged gzip and a CSV header without emails, and TooLarge.
    """
    yield from _READERS[name](Lines(_lines(file)))


def _csv_line(cells: Sequence[str]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(cells)
    return line.getvalue()


def _header_of(key: str) -> str:
    return f"{_PREFIX}{key}" if key in KEYS or key.startswith(_PREFIX) else key


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return _text_cell(value) if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _text_cell(text: str) -> str:
    return f"'{text}" if _FORMULA.match(text) else text


def _text_of(cell: str) -> str:
    """The text that `_text_cell` made the cell of."""
    return cell[1:] if _ESCAPED_FORMULA.match(cell) else cell


def _lines(file: IO[bytes]) -> Iterator[str | None]:
    """The lines of a file. Raises InputError for text in another encoding or damaged gzip, TooLarge."""
    try:
        yield from lenient_lines(file, longest=LONGEST_LINE)
    except NotUtf8 as error:
        raise InputError(f"cannot read the profiles: {error}", where="body", hint=error.hint) from None
    except (OSError, EOFError, zlib.error):
        hint = "Nothing was imported. Compress the file again with gzip."
        raise InputError("cannot read the profiles: the compressed data is damaged", where="body", hint=hint) from None


def _read_json_lines(lines: Lines) -> Iterator[Line]:
    for line in lines:
        if line is None:
            yield lines.number, BadLine(_TOO_LONG)
        elif line.strip():
            yield lines.number, _json_object(line)


def _json_object(line: str) -> JsonObject | BadLine:
    if _UNDECODED.search(line):
        return BadLine("The line is not UTF-8 text.")
    try:
        profile = strict_json.parse(line)
    except (ValueError, RecursionError):
        return BadLine("The line is not JSON.")
    return profile if isinstance(profile, dict) else BadLine("The line is not a JSON object.")


def _read_csv(lines: Lines) -> Iterator[Line]:
    found = _header(lines)
    if found is None:
        return
    header, delimiter = found
    for number, cells in rows(lines, delimiter, width=len(header)):
        yield number, BadLine(f"The line {cells}.") if isinstance(cells, BadRow) else _profile_of_cells(header, cells)


def _header(lines: Lines) -> tuple[list[str], str] | None:
    """The names of the columns and what separates them: the first delimiter that gives one column the name of emails.

    None for an empty file. Raises InputError for a header without that column, or with a column twice.
    """
    read: dict[str, list[str]] = {}
    for delimiter in (COMMA, *OTHERS):
        row = next_row(lines, delimiter)
        if row is None:
            return None
        _, cells, taken = row
        if isinstance(cells, list):
            cells = [_text_of(cell) for cell in cells]
            if cells.count(EMAIL) == 1:
                _check_columns(cells)
                return cells, delimiter
            read[delimiter] = cells
        lines.put_back(taken)
    names = max(read.values(), key=len, default=[])
    raise InputError(
        f"the header has {'more than one' if EMAIL in names else 'no'} column {EMAIL!r}",
        where=f"line {lines.number + 1}",
        found=", ".join(names)[:_SHOWN_CHARACTERS],
        allowed=f"one, among columns that are separated by commas, {', '.join(OTHERS.values())}",
        hint=_renaming(names),
    )


def _renaming(names: Sequence[str]) -> str:
    alike = get_close_matches(EMAIL, [name.strip().lower() for name in names], n=1)
    old = next((name for name in names if name.strip().lower() in alike), None)
    return f"Rename the column {'of the emails' if old is None or old == EMAIL else repr(old)} to {EMAIL!r}."


def _check_columns(header: Sequence[str]) -> None:
    keys = [name if name in KEYS else f"{_PREFIX}{name.removeprefix(_PREFIX)}" for name in header if name]
    for index, key in enumerate(keys):
        if key in keys[:index]:
            raise InputError("the header has a column twice", where="header", found=key.removeprefix(_PREFIX))
        if not is_storable(key):
            hint = "Save it as UTF-8."
            raise InputError("the header is not UTF-8 text, or has a zero byte", where="header", hint=hint)


def _profile_of_cells(header: Sequence[str], cells: Sequence[str]) -> JsonObject | BadLine:
    profile: JsonObject = {PROPERTIES: {}}
    for name, cell in zip(header, cells, strict=True):
        if cell == "":
            continue
        if not name:
            return BadLine(f"The cell {cell[:_SHOWN_CHARACTERS]!r} is in a column without a name.")
        if name in STRINGS:
            profile[name] = _text_of(cell)
        elif name in (*ARRAYS, NOT_SHOWN):
            try:
                profile[name] = strict_json.parse(cell)
            except (ValueError, RecursionError):
                return BadLine(f"{name} is not a JSON array.")
        else:
            profile[PROPERTIES][name.removeprefix(_PREFIX)] = _text_of(cell)
    return profile


_READERS: Mapping[str, Callable[[Lines], Iterator[Line]]] = {"jsonl": _read_json_lines, "csv": _read_csv}
