"""JSON as RFC 8259 defines it.

Python's own reader also takes NaN and Infinity, UTF-16, UTF-32 and a byte order mark, and turns 1e999 into infinity;
its writer writes infinity as `Infinity`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from itertools import chain
from math import isfinite, isinf
from typing import Any, Final, NoReturn, TypeVar

import orjson

_STRING = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
# What every reader makes the same of.
_EXACT_TYPES: Final = frozenset({str, int, bool, type(None)})
T = TypeVar("T")
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]')


class DuplicateKey(ValueError):
    """An object has a key twice: readers differ in which value they take. `line` and `column` are the second one's."""

    def __init__(self, key: str, *, line: int, column: int, first_line: int) -> None:
        super().__init__(f"duplicate key {key!r}, first in line {first_line}")
        self.line = line
        self.column = column


def parse(text: str | bytes) -> Any:
    """The value of a JSON text, as UTF-8 if it is bytes.

    Raises ValueError for anything else and for a number too large for a double, RecursionError for too deep nesting.
    """
    return json.loads(_decoded(text), parse_constant=_refuse_constant, parse_float=_finite)


def parse_bounded(text: str, *, containers: int, values: int) -> Any:
    """The value that `parse` returns, if it has at most so many objects and arrays, and so many values in them.

    Raises ValueError before anything is made of JSON that has more: an empty array of two characters takes 64 bytes.
    """
    if text.count("[") + text.count("{") > containers or text.count(",") > values:
        # Only now, since few texts have so many.
        marks = _STRING.sub("", text)
        if marks.count("[") + marks.count("{") > containers or marks.count(",") > values:
            raise ValueError("too many values")
    return parse(text)


def parse_as_javascript(text: str | bytes) -> Any:
    """The value that `JSON.parse` returns: infinity for a number too large for a double. Raises as `parse`."""
    return json.loads(_decoded(text), parse_constant=_refuse_constant)


def parse_rewritten(text: str | bytes) -> Any:
    """The value that JavaScript reads and writes again: null for a number too large for a double. Raises as `parse`."""
    return json.loads(_decoded(text), parse_constant=_refuse_constant, parse_float=_finite_or_null)


def parse_quickly(text: str | bytes, parse: Callable[[str | bytes], T]) -> T:
    """The value that `parse` of this module returns, in half the time for text whose values are flat and no floats.

    orjson refuses some of what `parse` takes, and reads an integer of more than 64 bits as a float; then `parse` reads
    it again.
    """
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return parse(text)
    objects = value if type(value) is list else [value]
    try:
        kinds = set(map(type, chain.from_iterable(map(dict.values, objects))))
    except TypeError:
        return parse(text)
    return value if kinds <= _EXACT_TYPES else parse(text)


def without_infinity(value: Any) -> Any:
    """The value with null for every number that JSON has no form for, as `JSON.stringify` has it."""
    if isinstance(value, float):
        return value if isfinite(value) else None
    if isinstance(value, dict):
        return {name: without_infinity(member) for name, member in value.items()}
    if isinstance(value, list | tuple):
        return [without_infinity(item) for item in value]
    return value


def _decoded(text: str | bytes) -> str:
    return text.decode() if isinstance(text, bytes) else text


def check_keys(text: str) -> None:
    """Raises DuplicateKey for the first one in a JSON text that `parse` accepts."""
    # The line of each key in the objects around a token; None for an array.
    around: list[dict[str, int] | None] = []
    line, line_start, at, key_follows = 1, 0, 0, False
    for token in _TOKEN.finditer(text):
        line, at, previous = line + text.count("\n", at, token.start()), token.start(), at
        line_start = max(line_start, text.rfind("\n", previous, at) + 1)
        mark = token[0]
        if mark in "{[":
            around.append({} if mark == "{" else None)
        elif mark in "}]":
            around.pop()
        keys = around[-1] if around else None
        if key_follows and keys is not None and mark[0] == '"':
            key = json.loads(mark)
            if key in keys:
                raise DuplicateKey(key, line=line, column=at - line_start + 1, first_line=keys[key])
            keys[key] = line
        key_follows = mark == "{" or (mark == "," and keys is not None)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")


def _finite_or_null(digits: str) -> float | None:
    number = float(digits)
    return None if isinf(number) else number


def _finite(digits: str) -> float:
    number = float(digits)
    if isinf(number):
        raise ValueError("a number is too large")
    return number
