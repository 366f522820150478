"""Profiles in a file: a JSON array of flat objects, or CSV with a header line. Which formats the service reads is not
public (assumed).
"""

from __future__ import annotations

import csv
import io
import json
from typing import Any

Records = list[dict[str, Any]]


class UnreadableFile(ValueError):
    """A file that holds no profiles; the text says why."""


def read_file(filename: str, text: str) -> Records:
    """The profiles of a file, by the ending of its name. Raises UnreadableFile.

    A cell of a CSV file that is empty counts as absent.
    """
    ending = filename.rpartition(".")[2].lower()
    reader = {"json": _json, "csv": _csv}.get(ending)
    if reader is None:
        raise UnreadableFile(f"{filename!r} ends neither in .csv nor in .json")
    return reader(text.removeprefix("\ufeff"))


def _json(text: str) -> Records:
    try:
        records = json.loads(text)
    except (ValueError, RecursionError):
        raise UnreadableFile("this is not JSON") from None
    if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
        raise UnreadableFile("this is not a JSON array of objects")
    return records


def _csv(text: str) -> Records:
    rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = next(rows, None)
        if header is None:
            raise UnreadableFile("this file has no header line")
        if len(set(header)) < len(header):
            raise UnreadableFile("two columns of the header have the same name")
        return [_record(header, row, rows.line_num) for row in rows if row]
    except csv.Error as error:
        raise UnreadableFile(f"line {rows.line_num} is not CSV: {error}") from None


def _record(header: list[str], row: list[str], line: int) -> dict[str, Any]:
    if len(row) != len(header):
        raise UnreadableFile(f"line {line} has {len(row)} cells, the header {len(header)}")
    return {name: cell for name, cell in zip(header, row, strict=True) if cell != ""}
