"""A quick look that tells whether a payload needs nothing done to it: the ordinary case, compiled to closures.

It never judges: what it does not recognise at once takes the slow way through tidying and the validator.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from emulator.mapping.schema.formats import FORMATS
from emulator.mapping.schema.json_schema import JsonSchema

Look: TypeAlias = Callable[[Any], bool]


def compile_look(schema: JsonSchema, *, empty_text: bool) -> Look:
    """A function that is true for payloads which are valid as they are.

    `empty_text` tells whether empty text may stay at the root, as it may in a batch.
    """
    return _look_at_object(schema, empty_text=empty_text)


def _compile(schema: JsonSchema, *, empty_text: bool = True) -> Look:
    if schema["type"] == "object":
        return _look_at_object(schema) if "properties" in schema else _is_object
    if schema["type"] == "array":
        item = _compile(schema["items"])
        return lambda value: type(value) is list and all(map(item, value))
    if schema["type"] == "boolean":
        return lambda value: value is True or value is False
    return _look_at_text(schema, empty_text=empty_text)


def _look_at_object(schema: JsonSchema, *, empty_text: bool = True) -> Look:
    looks = {key: _compile(member, empty_text=empty_text) for key, member in schema["properties"].items()}
    required = frozenset(schema["required"])

    def look(value: Any) -> bool:
        if type(value) is not dict or not required <= value.keys():
            return False
        for key, member in value.items():
            recognised = looks.get(key)
            if recognised is None or not recognised(member):
                return False
        return True

    return look


def _look_at_text(schema: JsonSchema, *, empty_text: bool) -> Look:
    if "enum" in schema:
        allowed = frozenset(schema["enum"])
        return lambda value: type(value) is str and value in allowed
    if "format" in schema:
        fits = FORMATS[schema["format"]]
        return lambda value: type(value) is str and fits(value)
    if empty_text:
        return lambda value: type(value) is str
    return lambda value: type(value) is str and value != ""


def _is_object(value: Any) -> bool:
    return type(value) is dict
