"""The JSON Schema of a list of fields, laid out so that its errors come in the engine's order.

A validator reports by the order of keywords: of an object first the missing members, in the order of the fields, then
the complaints about each member, depth first. Defaults are left out: the engine never applies them to a payload.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from emulator.mapping.definition import Field

JsonSchema = dict[str, Any]


def object_schema(fields: Sequence[Field], *, open_to_others: bool = False) -> JsonSchema:
    """The schema of an object with these members; others are taken out of it unless it is open to them."""
    return {
        "type": "object",
        "additionalProperties": open_to_others,
        "required": [field.key for field in fields if field.required],
        "properties": {field.key: field_schema(field) for field in fields},
    }


def field_schema(field: Field) -> JsonSchema:
    """The schema of one field, its label as the title."""
    if field.multiple:
        return {"title": field.label, "type": "array", "items": _value_schema(field)}
    return {"title": field.label, **_value_schema(field)}


def _value_schema(field: Field) -> JsonSchema:
    if field.type == "object":
        if not field.properties:
            return {"type": "object"}
        return object_schema(field.properties, open_to_others=bool(field.additional_properties))
    schema: JsonSchema = {"type": "string" if field.type == "password" else field.type}
    if field.choices:
        schema["enum"] = list(field.choices)
    if field.format:
        schema["format"] = field.format
    return schema
