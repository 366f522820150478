"""Paths of `@path`, `@arrayPath` and templates: `$.traits.plan`, `items[0].name`.

The grammar is the engine's own, not JSONPath: a dot always separates, also within quotes; brackets separate only before
a digit or a quote; there are no wildcards.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeAlias

from emulator.mapping.javascript.prototypes import OBJECT_MEMBERS, list_member, member
from emulator.mapping.javascript.values import UNDEFINED, truthy

LookUp: TypeAlias = Callable[[object], object]

_SEPARATOR = re.compile(r"""\[(?=["'0-9])|\.|(?<=["'0-9])\]+""")
_QUOTES = str.maketrans("", "", "\"'")
WHOLE = ("", ".")


def without_root(path: str) -> str:
    """The path without its first `$.`, wherever that is, as in `@path` and `@arrayPath`."""
    return path.replace("$.", "", 1)


def chunks_of(path: str) -> tuple[str, ...]:
    """The keys of a path; none for `""` and `"."`, which mean the whole event."""
    if path in WHOLE:
        return ()
    return tuple(chunk.translate(_QUOTES) for chunk in _SEPARATOR.split(path) if chunk)


def compile_path(path: str) -> LookUp:
    """The look-up of a path without `$.`: UNDEFINED if missing; a falsy value on the way is the result."""
    return compile_keys(chunks_of(path))


def compile_keys(keys: tuple[str, ...]) -> LookUp:
    """The look-up of nested keys."""
    if OBJECT_MEMBERS.intersection(keys):
        return _with_prototypes(keys)
    if len(keys) == 1:
        return _one_key(keys[0])
    return _many_keys(keys)


def _one_key(key: str) -> LookUp:
    def look_up(value: object) -> object:
        if isinstance(value, dict):
            return value.get(key, UNDEFINED)
        return member(value, key) if truthy(value) else value

    return look_up


def _many_keys(keys: tuple[str, ...]) -> LookUp:
    def look_up(value: object) -> object:
        for key in keys:
            if isinstance(value, dict):
                value = value.get(key, UNDEFINED)
            elif isinstance(value, list):
                value = list_member(value, key)
            elif not value:
                return value
            else:
                value = member(value, key)
        return value

    return look_up


def _with_prototypes(keys: tuple[str, ...]) -> LookUp:
    def look_up(value: object) -> object:
        for key in keys:
            if not truthy(value):
                return value
            value = member(value, key)
        return value

    return look_up
