"""A fast check for payloads that are valid unchanged, the usual case, compiled to closures.

A payload that it does not recognise goes through conversion and the validator.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from emulator.mapping.schema.json_schema import FORMATS, JsonSchema

Check: TypeAlias = Callable[[Any], bool]


def compile_fast_check(schema: JsonSchema, *, allow_empty: bool = True) -> Check:
    """A function that is true for objects that are valid unchanged.

    `allow_empty` allows empty strings at the root, as in a batch.
    """
    checks = {key: _compile(member, allow_empty=allow_empty) for key, member in schema["properties"].items()}
    required = frozenset(schema["required"])

    def check(value: Any) -> bool:
        if type(value) is not dict or not required <= value.keys():
            return False
        for key, member in value.items():
            passes = checks.get(key)
            if passes is None or not passes(member):
                return False
        return True

    return check


def _compile(schema: JsonSchema, *, allow_empty: bool = True) -> Check:
    if schema["type"] == "object":
        return compile_fast_check(schema) if "properties" in schema else lambda value: type(value) is dict
    if schema["type"] == "array":
        item = _compile(schema["items"])
        return lambda value: type(value) is list and all(map(item, value))
    if schema["type"] == "boolean":
        return lambda value: value is True or value is False
    return _compile_string(schema, allow_empty=allow_empty)


def _compile_string(schema: JsonSchema, *, allow_empty: bool) -> Check:
    if "enum" in schema:
        allowed = frozenset(schema["enum"])
        return lambda value: type(value) is str and value in allowed
    if "format" in schema:
        fits = FORMATS[schema["format"]]
        return lambda value: type(value) is str and fits(value)
    if allow_empty:
        return lambda value: type(value) is str
    return lambda value: type(value) is str and value != ""
