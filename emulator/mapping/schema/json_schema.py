"""The JSON Schema of a list of fields, laid out so that its errors come in the engine's order, and its formats.

The validator reports by keyword: of an object first the missing members, in the order of the fields, then the errors of
each member, depth first. Defaults are omitted, because the engine never applies them to a payload. Formats are as
strict as ajv-formats 2 in full mode.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, TypeAlias

from emulator.mapping.definition import Field

JsonSchema = dict[str, Any]

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9]+(?:-+[A-Za-z0-9]+)*"
_EMAIL = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@{_LABEL}(?:\.{_LABEL})+")
_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_DATE_LENGTH = 10
_GREGORIAN_CYCLE_YEARS = 400


def object_schema(fields: Sequence[Field], *, additional: bool = False) -> JsonSchema:
    """The schema of an object with these members."""
    return {
        "type": "object",
        "additionalProperties": additional,
        "required": [field.key for field in fields if field.required],
        "properties": {field.key: field_schema(field) for field in fields},
    }


def field_schema(field: Field) -> JsonSchema:
    """The schema of one field, with its label as the title."""
    schema = _value_schema(field)
    return {"title": field.label, **({"type": "array", "items": schema} if field.multiple else schema)}


def _value_schema(field: Field) -> JsonSchema:
    if field.type == "object":
        if not field.properties:
            return {"type": "object"}
        return object_schema(field.properties, additional=bool(field.additional_properties))
    schema: JsonSchema = {"type": "string" if field.type == "password" else field.type}
    if field.choices:
        schema["enum"] = list(field.choices)
    if field.format:
        schema["format"] = field.format
    return schema


def is_email(text: str) -> bool:
    """Dot-separated ASCII atoms, `@`, at least two host labels; no quotes, address literals or length limit."""
    return _EMAIL.fullmatch(text) is not None


def is_calendar_date(text: str) -> bool:
    """`YYYY-MM-DD` of an existing day; the year may be 0000."""
    return len(text) == _DATE_LENGTH and _is_day(text)


@lru_cache(maxsize=4096)  # the same birthdays come in many events
def _is_day(text: str) -> bool:
    match = _DATE.fullmatch(text)
    if match is None:
        return False
    year, month, day = map(int, match.groups())
    if not 1 <= month <= 12:
        return False
    return 1 <= day <= monthrange(year % _GREGORIAN_CYCLE_YEARS + _GREGORIAN_CYCLE_YEARS, month)[1]


FORMATS: Mapping[str, Callable[[str], bool]] = {"email": is_email, "date": is_calendar_date}


Check: TypeAlias = Callable[[Any], bool]


def compile_fast_check(schema: JsonSchema, *, allow_empty: bool = True) -> Check:
    """A test for objects that are valid unchanged, the usual case; `allow_empty` allows empty strings at the root."""
    checks = {key: compile_value_check(member, allow_empty=allow_empty) for key, member in schema["properties"].items()}
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


def compile_value_check(schema: JsonSchema, *, allow_empty: bool = True) -> Check:
    """A test for values of a field that are valid unchanged."""
    if schema["type"] == "object":
        return compile_fast_check(schema) if "properties" in schema else lambda value: type(value) is dict
    if schema["type"] == "array":
        item = compile_value_check(schema["items"])
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
