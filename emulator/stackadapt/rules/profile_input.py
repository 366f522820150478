"""Profiles as callers send them: the `profiles` argument, or an uploaded file."""

from __future__ import annotations

import io
from itertools import chain
from typing import Any

from emulator import strict_json
from emulator.schemas import NESTING_LIMIT, is_deeper_than
from emulator.stackadapt import messages
from emulator.stackadapt.rules.csv_rows import COMMA, OTHERS, BadRow, Lines, next_row, rows
from emulator.stackadapt.rules.user_errors import refusal

Records = list[dict[str, Any]]

_PATH = ("input", "profiles")


class UnreadableFile(ValueError):
    """A file without readable profiles; the text says why."""


def read_profiles(value: Any, *, limit: int) -> Records:
    """The records of an argument: a JSON array of flat objects, or that array as a string, as the published client
    sends it. Raises Refusal for malformed text, another shape, or more than `limit` records.
    """
    if isinstance(value, str):
        try:
            value = strict_json.parse_rewritten(value)
        except (ValueError, RecursionError):
            raise refusal(messages.MALFORMED_PROFILES, *_PATH) from None
    if not _is_array_of_objects(value) or (not _is_flat(value) and is_deeper_than(NESTING_LIMIT, value)):
        raise refusal(messages.MALFORMED_PROFILES, *_PATH)
    if len(value) > limit:
        raise refusal(messages.TOO_MANY_PROFILES.format(len(value), limit), *_PATH)
    return list(value)


def read_file(filename: str, text: str) -> Records:
    """The records of a `.json` file (an array of flat objects) or a `.csv` file (with a header; an empty cell counts as
    absent). Which formats the service reads is not public (assumed). Raises UnreadableFile.
    """
    suffix = filename.rpartition(".")[2].lower()
    reader = {"json": _json, "csv": _csv}.get(suffix)
    if reader is None:
        raise UnreadableFile(f"{filename!r} has neither the suffix .csv nor .json")
    return reader(text)


def _is_flat(records: Records) -> bool:
    """Whether no value is an object or an array; nearly always, and found in C."""
    return {dict, list}.isdisjoint(map(type, chain.from_iterable(map(dict.values, records))))


def _is_array_of_objects(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(record, dict) for record in value)


def _json(text: str) -> Records:
    try:
        records = strict_json.parse_rewritten(text)
    except (ValueError, RecursionError):
        raise UnreadableFile("the file is not JSON") from None
    if not _is_array_of_objects(records):
        raise UnreadableFile("the file is not a JSON array of objects")
    if is_deeper_than(NESTING_LIMIT, records):
        raise UnreadableFile(f"objects and arrays are nested more than {NESTING_LIMIT} deep")
    return list(records)


def _csv(text: str) -> Records:
    lines = Lines(io.StringIO(text, newline=""))
    first = next_row(lines, COMMA)
    if first is None:
        raise UnreadableFile("the file has no header")
    number, header, _ = first
    if isinstance(header, BadRow):
        raise UnreadableFile(f"line {number} {header}")
    if len(set(header)) < len(header):
        raise UnreadableFile("two columns of the header have the same name")
    if len(header) == 1 and (found := [name for mark, name in OTHERS.items() if mark in header[0]]):
        raise UnreadableFile(f"the header has one column, {header[0]!r}: separate columns with commas, not {found[0]}")
    return [_record(header, cells, number) for number, cells in rows(lines, COMMA, width=len(header))]


def _record(header: list[str], cells: list[str] | BadRow, line: int) -> dict[str, Any]:
    if isinstance(cells, BadRow):
        raise UnreadableFile(f"line {line} {cells}")
    return {name: cell for name, cell in zip(header, cells, strict=True) if cell != ""}
