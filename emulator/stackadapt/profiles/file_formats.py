"""Profiles as lines of text: JSON lines, which lose nothing, or CSV, which spreadsheets read.

A profile is an object with `advertiserId`, `email`, `marketingStatus`, `externalIds` (`provider`, `id`), `audiences`
(`provider`, `id`, `name`) and `properties`. In CSV the lists are JSON texts and each property is a column of its own;
its name starts with `properties.` where it would be taken for another column.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import IO, Any

from emulator.errors import InputError, nearest

ADVERTISER_ID = "advertiserId"
EMAIL = "email"
MARKETING_STATUS = "marketingStatus"
EXTERNAL_IDS = "externalIds"
AUDIENCES = "audiences"
PROPERTIES = "properties"
TEXTS = (ADVERTISER_ID, EMAIL, MARKETING_STATUS)
LISTS = (EXTERNAL_IDS, AUDIENCES)
KEYS = (*TEXTS, *LISTS, PROPERTIES)

FORMATS = ("jsonl", "csv")
LONGEST_LINE = 4 * 1024 * 1024

_PREFIX = f"{PROPERTIES}."

Shown = dict[str, Any]


class BadLine(ValueError):
    """A line that is no profile; the text says why."""


# A line's number, and the object on it or why there is none.
Line = tuple[int, "Shown | BadLine"]


def check_format(name: str) -> str:
    """The name again. Raises InputError for one that is not known."""
    if name not in FORMATS:
        raise InputError(
            "there is no such format",
            where="format",
            found=name,
            allowed=", ".join(FORMATS),
            hint=nearest(name, FORMATS),
        )
    return name


def as_json_lines(profiles: Iterable[Shown]) -> Iterator[str]:
    """One line for each profile."""
    for profile in profiles:
        yield json.dumps(profile, ensure_ascii=False) + "\n"


def as_csv(profiles: Iterable[Shown], property_keys: Sequence[str]) -> Iterator[str]:
    """A heading, then one line for each profile, with a column for each of the property keys."""
    yield _csv_line([*TEXTS, *LISTS, *map(_heading, property_keys)])
    for profile in profiles:
        lists = [json.dumps(profile[key], ensure_ascii=False) if profile[key] else "" for key in LISTS]
        properties = [_cell(profile[PROPERTIES].get(key)) for key in property_keys]
        yield _csv_line([*(profile[key] for key in TEXTS), *lists, *properties])


def read_lines(file: IO[bytes], name: str) -> Iterator[Line]:
    """The lines of a file in one of the formats. Empty lines are left out."""
    return _READERS[name](file)


def _csv_line(cells: Sequence[str]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(cells)
    return line.getvalue()


def _heading(key: str) -> str:
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
            yield number, _json_object(line)


def _json_object(line: bytes) -> Shown | BadLine:
    try:
        profile = json.loads(line)
    except (ValueError, RecursionError):
        return BadLine("This is not JSON")
    return profile if isinstance(profile, dict) else BadLine("This is not a JSON object")


def _read_csv(file: IO[bytes]) -> Iterator[Line]:
    # What is not UTF-8 becomes text that cannot be stored, and is refused where it stands.
    text = io.TextIOWrapper(file, encoding="utf-8-sig", errors="surrogateescape", newline="")
    reader = csv.reader(text, strict=True)
    try:
        heading = next(reader, [])
        for cells in reader:
            if cells:
                yield reader.line_num, _profile_of_cells(heading, cells)
    except csv.Error as error:
        yield reader.line_num, BadLine(f"This is not CSV: {error}")
    finally:
        text.detach()


def _profile_of_cells(heading: Sequence[str], cells: Sequence[str]) -> Shown | BadLine:
    if len(cells) != len(heading):
        return BadLine(f"There are {len(cells)} cells under {len(heading)} headings")
    profile: Shown = {PROPERTIES: {}}
    for name, cell in zip(heading, cells, strict=True):
        if cell == "":
            continue
        if name in TEXTS:
            profile[name] = cell
        elif name in LISTS:
            try:
                profile[name] = json.loads(cell)
            except (ValueError, RecursionError):
                return BadLine(f"{name} is not a JSON list")
        else:
            profile[PROPERTIES][name.removeprefix(_PREFIX)] = cell
    return profile


_READERS: Mapping[str, Callable[[IO[bytes]], Iterator[Line]]] = {"jsonl": _read_json_lines, "csv": _read_csv}
