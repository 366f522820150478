"""The `json` filter of LiquidJS and its other names."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from liquid.builtin.expressions.primitive import Blank, Empty, Nil

from emulator.mapping.javascript.values import UNDEFINED, is_number, ordered_items, stringify, utf16_units
from emulator.mapping.liquid.values import plain, whole

_LONGEST_INDENT = 10


def json_value(value: object) -> object:
    """A value as JSON sees it: to LiquidJS the words `nil`, `empty` and `blank` are objects without members."""
    return {} if isinstance(value, Nil | Empty | Blank) else plain(value)


def json(value: object, space: object = 0) -> object:
    """`JSON.stringify(value, null, space)`: `space` is a number of blanks or a text, at most ten characters."""
    step = " " * min(whole(space), _LONGEST_INDENT) if is_number(space) else ""
    if isinstance(space, str):
        step = "".join(utf16_units(space)[:_LONGEST_INDENT])
    return _laid_out(value, step, "\n") if step else stringify(value)


def _laid_out(value: object, step: str, newline: str) -> object:
    deeper = newline + step
    if isinstance(value, dict):
        members = ((key, _laid_out(member, step, deeper)) for key, member in ordered_items(value))
        return _enclosed(
            "{}", [f"{stringify(key)}: {text}" for key, text in members if text is not UNDEFINED], newline, step
        )
    if isinstance(value, list):
        items = (_laid_out(item, step, deeper) for item in value)
        return _enclosed("[]", ["null" if text is UNDEFINED else str(text) for text in items], newline, step)
    return stringify(value)


def _enclosed(brackets: str, parts: list[str], newline: str, step: str) -> str:
    if not parts:
        return brackets
    deeper = newline + step
    return f"{brackets[0]}{deeper}{f',{deeper}'.join(parts)}{newline}{brackets[1]}"


JSON_FILTERS: Mapping[str, Callable[..., object]] = {"inspect": json, "json": json, "jsonify": json}
