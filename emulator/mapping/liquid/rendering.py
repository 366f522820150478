"""What a template is rendered with: the variables of the event and of the template, and the memory limit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from inspect import CO_VARARGS

from emulator.mapping.javascript.values import double, is_number
from emulator.mapping.liquid.template_errors import LiquidFailure
from emulator.mapping.liquid.values import key_of, number, text

MEMORY_LIMIT = 100_000_000
"""How many characters and items the filters of one rendering may use together, as Segment configures it."""

Filter = Callable[..., object]
"""A filter: from the context, the value and the arguments to the new value."""


def fitting(function: Filter) -> Filter:
    """The function without the arguments that it does not have, which JavaScript ignores."""
    code = function.__code__
    if code.co_flags & CO_VARARGS:
        return function
    return lambda *arguments: function(*arguments[: code.co_argcount])


class Output:
    """The output of a template or of a `capture`.

    LiquidJS does not limit it; here it has the memory limit, because a template can double it with every line.
    """

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._length = 0

    def write(self, value: object) -> None:
        piece = text(value)
        self._length += len(piece)
        if self._length > MEMORY_LIMIT:
            raise LiquidFailure("memory alloc limit exceeded")
        self._pieces.append(piece)

    def text(self) -> str:
        return "".join(self._pieces)


class Context:
    """One rendering. `event` holds the outermost variables: counters are written into it."""

    def __init__(
        self, event: dict[str, object], filters: Mapping[str, Filter], now: Callable[[], datetime], used: float = 0
    ) -> None:
        self.event = event
        self.filters = filters
        self.now = now
        self.stopped = False
        self.variables: dict[str, object] = {}
        self.inner: list[dict[str, object]] = []
        self.cycles: dict[str, int] = {}
        self._used = used

    def of_item(self, item: object) -> Context:
        """The context for an item of an array: its members are the only variables."""
        return Context(names_in(item), self.filters, self.now, self._used)

    def use(self, count: float) -> None:
        """Counts characters or items that a filter is about to use. Raises LiquidFailure when there are too many."""
        if count > 0:
            if self._used + count > MEMORY_LIMIT:
                raise LiquidFailure("memory alloc limit exceeded")
            self._used += count

    def scope_of(self, key: object) -> dict[str, object]:
        """The innermost scope with a variable; an unknown one is looked up in an empty object, which has a size."""
        name = key_of(key)
        scopes = (*reversed(self.inner), self.variables, self.event)
        return next((scope for scope in scopes if name in scope), {})

    def counter(self, name: str) -> int | float:
        """The event's number of that name, otherwise 0."""
        found = self.event.get(name)
        return number(found) if is_number(found) else 0

    def set_counter(self, name: str, value: int | float) -> None:
        self.event[name] = double(value)


def names_in(value: object) -> dict[str, object]:
    """The variables of an event: the members of an object, or the items and `length` of an array or string."""
    if isinstance(value, dict):
        return value
    items = list(text(value)) if isinstance(value, str) else value if isinstance(value, list) else None
    if items is None:
        return {}
    return {**{str(position): item for position, item in enumerate(items)}, "length": len(items)}
