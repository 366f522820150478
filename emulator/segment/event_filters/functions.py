"""The functions of FQL ("Destination Filter Query Language").

Null and values of another type have the results that the page lists, and otherwise those of Segment's published
evaluator (@segment/tsub 2.0.1): `false`, `null` or no number. Only a conversion of what cannot be converted fails.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from emulator.json_text import compact
from emulator.segment.event_filters.glob import compile_glob


class QueryError(Exception):
    """FQL that cannot be parsed, or cannot be evaluated for an event. The message is a clause."""


def type_name(value: Any) -> str:
    """The name of a value's type: `string`, `number`, `list`, `bool`, `null`, or `object`, which is not documented."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, str):
        return "string"
    if isinstance(value, int | float):
        return "number"
    return "list" if isinstance(value, list) else "object"


def _contains(text: Any, part: Any) -> bool:
    return isinstance(text, str) and isinstance(part, str) and part in text


def _match(text: Any, pattern: Any) -> bool:
    return isinstance(text, str) and isinstance(pattern, str) and compile_glob(pattern)(text)


def _length(value: Any) -> int | None:
    """Of a string the number of bytes; None, which no comparison of numbers holds for, for what has no length."""
    if value is None:
        return 0
    if isinstance(value, str):
        return len(value.encode("utf-8", "surrogatepass"))
    return len(value) if isinstance(value, list) else None


def _text(change: Callable[[str], str]) -> Callable[[Any], str | None]:
    return lambda value: change(value) if isinstance(value, str) else None


def _bool(value: Any) -> bool:
    if isinstance(value, str):
        if value in ("true", "false"):
            return value == "true"
        raise QueryError(f"bool() of the string {value!r}")
    if isinstance(value, dict):
        raise QueryError("bool() of an object")
    return bool(value)


def _string(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else compact(value)


def _number(value: Any) -> float | int:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    try:
        return float(value) if isinstance(value, str) else _number_of(value)
    except ValueError:
        raise QueryError(f"number() of the string {value!r}") from None


def _number_of(value: Any) -> float:
    raise QueryError(f"number() of a value of the type {type_name(value)}")


FUNCTIONS: Mapping[str, tuple[int, Callable[..., Any]]] = {
    "contains": (2, _contains),
    "match": (2, _match),
    "length": (1, _length),
    "lowercase": (1, _text(str.lower)),
    "uppercase": (1, _text(str.upper)),
    "snakecase": (1, _text(lambda text: text.replace(" ", "_"))),
    "kebabcase": (1, _text(lambda text: text.replace(" ", "-"))),
    "titlecase": (1, _text(lambda text: " ".join(word[:1].upper() + word[1:] for word in text.split(" ")))),
    "typeof": (1, type_name),
    "bool": (1, _bool),
    "string": (1, _string),
    "number": (1, _number),
}
"""Every function by name, with the number of its arguments."""
