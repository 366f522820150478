"""Events from a file or standard input: one JSON object, a JSON array, or JSON lines."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from emulator.errors import InputError
from emulator.mapping import parse_json

STANDARD_INPUT = "-"


def read_events(path: str) -> list[dict[str, Any]]:
    """The events in a file, or in standard input for `-`. Numbers are read as JavaScript reads them.

    Raises InputError naming the file and line.
    """
    text, where = _text(path)
    try:
        whole = parse_json(text)
    except ValueError:
        lines = [(number, line) for number, line in enumerate(text.splitlines(), start=1) if line.strip()]
        return [_event(_parsed(line, f"{where}, line {number}"), f"{where}, line {number}") for number, line in lines]
    if isinstance(whole, list):
        return [_event(event, f"{where}: [{index}]") for index, event in enumerate(whole)]
    return [_event(whole, where)]


def _text(path: str) -> tuple[str, str]:
    if path == STANDARD_INPUT:
        return sys.stdin.read(), "standard input"
    try:
        return Path(path).read_text(encoding="utf-8"), path
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"this file cannot be read: {error}.", where=path) from None


def _parsed(line: str, where: str) -> Any:
    try:
        return parse_json(line)
    except ValueError as error:
        raise InputError(f"this is not JSON: {error}.", where=where, found=line[:80]) from None


def _event(value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InputError("an event is a JSON object.", where=where, found=type(value).__name__)
    return value
