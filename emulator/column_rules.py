"""What the columns of a table may hold, beyond their types: declared in `Column(..., info=...)` beside the type.

Loading a snapshot checks every value against it, because code that reads a row relies on what was written.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from emulator.clock import LATEST
from emulator.timestamps import to_millis

RULE: Final = "holds"

# Half of what the nine digits of a GraphQL `ID` allow, so that others can follow.
LARGEST_ID = 500_000_000
LARGEST_INTEGER = 2**31 - 1
# Exact in JSON numbers of every client.
LARGEST_COUNT = 2**53 - 1
LATEST_MILLIS = to_millis(LATEST)


@dataclass(frozen=True, slots=True, kw_only=True)
class Holds:
    """The rule of a column: the least and the largest number, or the words that are allowed.

    `enum` is the name of the enum of StackAdapt's schema whose values are allowed. `json` is a JSON Schema of the
    value, or of the JSON in a column of text. `refers_to` names the column `table.id` that has each number but 0,
    without a foreign key in the database.
    """

    least: int | None = None
    most: int | None = None
    words: tuple[str, ...] = ()
    enum: str | None = None
    json: Mapping[str, Any] | None = None
    refers_to: str | None = None


def holds(**rule: Any) -> dict[str, Holds]:
    """The `info` of a column."""
    return {RULE: Holds(**rule)}


OBJECT: Final[Mapping[str, Any]] = {"type": "object"}
STRINGS: Final[Mapping[str, Any]] = {"type": "array", "items": {"type": "string"}}
