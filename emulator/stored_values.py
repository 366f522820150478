"""Stored values as a list shows them, where one of them may be damaged: by another version, an edit, or the disk.

A list shows every other item and every other field; an item of which something could not be read names it in
`notShown`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final

from emulator.schemas import NESTING_LIMIT, is_deeper_than
from emulator.timestamps import iso_of_millis

NOT_SHOWN: Final = "notShown"

JsonObject = dict[str, Any]


class StoredValues:
    """Reads the values of one item and notes those that cannot be read."""

    def __init__(self) -> None:
        self._notes: list[str] = []

    def read(self, field: str, reading: Callable[[], Any], otherwise: Any) -> Any:
        """What `reading` returns; `otherwise`, with a note, where it fails."""
        try:
            return reading()
        except Exception as error:  # noqa: BLE001 - whatever is wrong with one value, the others are shown
            self._notes.append(f"{field}: {error or type(error).__name__}")
            return otherwise

    def object(self, field: str, text: Any) -> JsonObject:
        """The JSON object in a column of text, or its bytes; an empty one where there is none."""
        found: JsonObject = self.read(field, lambda: _object(text), {})
        return found

    def text(self, field: str, value: Any) -> str:
        """The value of a column of text; an empty string where it has bytes, which a file may hold in any column."""
        found: str = self.read(field, lambda: text_of(value), "")
        return found

    def time(self, field: str, millis: Any) -> str:
        """A time in milliseconds since 1970, as ISO 8601; 1970 itself where it is none."""
        found: str = self.read(field, lambda: iso_of_millis(millis), iso_of_millis(0))
        return found

    def time_or_none(self, field: str, millis: Any) -> str | None:
        """A time as `time` has it, or None for none."""
        return None if millis is None else self.time(field, millis)

    def shown(self, item: JsonObject) -> JsonObject:
        """The item, with the notes if there are any."""
        return {**item, NOT_SHOWN: self._notes} if self._notes else item


def text_of(value: Any) -> str:
    """The value of a column of text. Raises ValueError for bytes."""
    if not isinstance(value, str):
        raise ValueError("not text")
    return value


def text_or_none(value: Any) -> str | None:
    """The value of a column of text that may be null; what a damaged file has in it, as text."""
    if value is None or isinstance(value, str):
        return value
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def check_depth(value: Any) -> None:
    """Raises ValueError for a value that is nested too deeply to be written as JSON."""
    if is_deeper_than(NESTING_LIMIT, value):
        raise ValueError("nested too deeply")


def _object(text: Any) -> JsonObject:
    if isinstance(text, bytes):
        text = text.decode()
    value = json.loads(text)
    if not isinstance(value, dict):
        raise ValueError("not a JSON object")
    # Counted first, since few values have so many.
    if text.count("[") + text.count("{") > NESTING_LIMIT:
        check_depth(value)
    return value
