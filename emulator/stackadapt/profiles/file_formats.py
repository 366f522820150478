"""Profiles as lines of text: JSON lines, which are lossless, or CSV, for spreadsheets.

A profile is an object with `advertiserId`, `email`, `marketingStatus`, `externalIds` (`provider`, `id`), `audiences`
(`provider`, `id`, `name`) and `properties`. In CSV the two arrays are JSON and each property is a column of its own;
its name starts with `properties.` where it would clash with another column.
"""

from __future__ import annotations

import csv
import io
import json
from codecs import BOM_UTF8
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import IO, Any

from emulator import strict_json
from emulator.errors import unknown

ADVERTISER_ID = "advertiserId"
EMAIL = "email"
MARKETING_STATUS = "marketingStatus"
EXTERNAL_IDS = "externalIds"
AUDIENCES = "audiences"
PROPERTIES = "properties"
STRINGS = (ADVERTISER_ID, EMAIL, MARKETING_STATUS)
ARRAYS = (EXTERNAL_IDS, AUDIENCES)
KEYS = (*STRINGS, *ARRAYS, PROPERTIES)

LONGEST_LINE = 4 * 1024 * 1024

_PREFIX = f"{PROPERTIES}."

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


def as_csv(profiles: Iterable[JsonObject], property_keys: Sequence[str]) -> Iterator[str]:
    """A header, then one line per profile, with a column for each of the property keys."""
    yield _csv_line([*STRINGS, *ARRAYS, *map(_header_of, property_keys)])
    for profile in profiles:
        arrays = [json.dumps(profile[key], ensure_ascii=False) if profile[key] else "" for key in ARRAYS]
        properties = [_cell(profile[PROPERTIES].get(key)) for key in property_keys]
        yield _csv_line([*(profile[key] for key in STRINGS), *arrays, *properties])


def read_lines(file: IO[bytes], name: str) -> Iterator[Line]:
    """The lines of a file in one of the formats, without empty lines."""
    return _READERS[name](file)


def _csv_line(cells: Sequence[str]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(cells)
    return line.getvalue()


def _header_of(key: str) -> str:
    return f"{_PREFIX}{key}" if key in KEYS or key.startswith(_PREFIX) else key


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _read_json_lines(file: IO[bytes]) -> Iterator[Line]:
    number = 0
    while line := file.readline(LONGEST_LINE):
        number += 1
        if line.strip():
            yield number, _json_object(line.removeprefix(BOM_UTF8) if number == 1 else line)


def _json_object(line: bytes) -> JsonObject | BadLine:
    try:
        profile = strict_json.parse(line)
    except (ValueError, RecursionError):
        return BadLine("The line is not JSON.")
    return profile if isinstance(profile, dict) else BadLine("The line is not a JSON object.")


def _read_csv(file: IO[bytes]) -> Iterator[Line]:
    # Bytes that are not UTF-8 become text that cannot be stored, which is rejected where it is read.
    text = io.TextIOWrapper(file, encoding="utf-8-sig", errors="surrogateescape", newline="")
    reader = csv.reader(text, strict=True)
    try:
        header = next(reader, [])
        for cells in reader:
            if cells:
                yield reader.line_num, _profile_of_cells(header, cells)
    except csv.Error as error:
        yield reader.line_num, BadLine(f"The line is not CSV: {error}.")
    finally:
        text.detach()


def _profile_of_cells(header: Sequence[str], cells: Sequence[str]) -> JsonObject | BadLine:
    if len(cells) != len(header):
        return BadLine(f"The line has {len(cells)} cells, the header {len(header)}.")
    profile: JsonObject = {PROPERTIES: {}}
    for name, cell in zip(header, cells, strict=True):
        if cell == "":
            continue
        if name in STRINGS:
            profile[name] = cell
        elif name in ARRAYS:
            try:
                profile[name] = strict_json.parse(cell)
            except (ValueError, RecursionError):
                return BadLine(f"{name} is not a JSON array.")
        else:
            profile[PROPERTIES][name.removeprefix(_PREFIX)] = cell
    return profile


_READERS: Mapping[str, Callable[[IO[bytes]], Iterator[Line]]] = {"jsonl": _read_json_lines, "csv": _read_csv}
