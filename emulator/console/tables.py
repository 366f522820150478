"""Tables of a page. An item that cannot be read is a row that says so; the other rows stay."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from emulator.console.view import Address


@dataclass(frozen=True, slots=True, kw_only=True)
class Button:
    """An action at `path`. `body` has JSON values by the pointers of their fields."""

    label: str
    action: str
    path: str | None = None
    body: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Cell:
    """A value, a link or a button, or several in `parts`; `reason` is a code that the address `link` explains.

    `opens` are documents that unfold below it, by their labels.
    """

    text: Any
    link: Address | None = None
    reason: bool = False
    button: Button | None = None
    opens: Sequence[tuple[str, Any]] = ()
    parts: Sequence[Cell] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """Cells, one per column, or what could not be read. `selected` is the row that the address names."""

    cells: Sequence[Cell] = ()
    unreadable: Any = None
    selected: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """`empty` says what would be here, `fill` is the command that brings it; `before` and `after` are other pages."""

    caption: str
    columns: Sequence[str]
    rows: Sequence[Row]
    empty: str
    fill: str | None = None
    before: Address | None = None
    after: Address | None = None


def rows_of(items: Iterable[Any], read: Callable[[Any], Row]) -> list[Row]:
    """A row for each item."""
    return [_row(item, read) for item in items]


def _row(item: Any, read: Callable[[Any], Row]) -> Row:
    try:
        return read(item)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError):
        return Row(unreadable=item)
