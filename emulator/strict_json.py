"""JSON as RFC 8259 defines it: Python's reader also takes NaN and Infinity, and turns 1e999 into infinity."""

from __future__ import annotations

import json
import re
from math import isinf
from typing import Any, NoReturn

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]')


class DuplicateKey(ValueError):
    """An object has a key twice: readers differ in which value they take. `line` and `column` are the second one's."""

    def __init__(self, key: str, *, line: int, column: int, first_line: int) -> None:
        super().__init__(f"duplicate key {key!r}, first in line {first_line}")
        self.line = line
        self.column = column


def parse(text: str | bytes) -> Any:
    """The value of a JSON text. Raises ValueError for anything else, RecursionError for one nested too deeply."""
    return json.loads(text, parse_constant=_refuse_constant, parse_float=_finite)


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


def _finite(digits: str) -> float:
    number = float(digits)
    if isinf(number):
        raise ValueError("a number is too large")
    return number
