"""Types of columns as values show them, over the payloads of a batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from emulator.mapping.javascript.prototypes import member
from emulator.mapping.javascript.values import UNDEFINED, truthy, type_of


class InferredTypes:
    """Column types by name, in first-seen order.

    A column of two types is text, and so is one that only had null, false and empty values. The engine keeps the types
    in a JavaScript object: a name that every object inherits (`toString`) counts as typed before anything was seen, and
    has no type at all when nothing is.
    """

    def __init__(self, *, text: str, type_of_value: Callable[[object], str]) -> None:
        self._text = text
        self._type_of_value = type_of_value
        self._types: dict[str, str | None] = {}

    def see(self, name: str, value: object) -> None:
        """Takes notice of one value of a column."""
        if not truthy(value) and type_of(value) != "number":
            self._types.setdefault(name, None)
            return
        known, found = self._types.get(name) or member({}, name), self._type_of_value(value)
        self._types[name] = self._text if known is not UNDEFINED and known != found else found

    def items(self) -> Iterator[tuple[str, object]]:
        """Name and type of each column; the type is undefined for an inherited name of which nothing was seen."""
        for name, found in self._types.items():
            untyped = self._text if member({}, name) is UNDEFINED else UNDEFINED
            yield name, found or untyped
