"""Changes to a payload before validation: empty values are removed, then ajv coerces (`coerceTypes: 'array'`).

Coercion replaces an array of one item by its item where a scalar is expected, converts numbers and booleans to strings,
null to an empty string, and unambiguous strings and numbers to booleans; it also removes unknown members. The validator
reports what cannot be converted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from emulator.mapping.javascript.values import is_number, to_string
from emulator.mapping.schema.json_schema import JsonSchema


def without_empty_values(payload: dict[str, Any], schema: JsonSchema, *, batch: bool) -> dict[str, Any]:
    """The payload without null, and without empty strings where the schema has no string; unknown members stay.

    Empty strings at the root are always removed from a single event, and stay in a batch.
    """
    kept = payload if batch else {key: value for key, value in payload.items() if value != ""}
    return _cleaned_members(kept, schema["properties"])


def _cleaned_members(members: dict[str, Any], schemas: dict[str, JsonSchema]) -> dict[str, Any]:
    return {
        key: _cleaned(value, schemas[key]) if key in schemas else value
        for key, value in members.items()
        if key not in schemas or not is_empty(value, schemas[key])
    }


def is_empty(value: object, schema: JsonSchema) -> bool:
    """Whether a value is left out of a payload."""
    return value is None or (value == "" and schema["type"] != "string")


def _cleaned(value: Any, schema: JsonSchema) -> Any:
    if isinstance(value, dict) and "properties" in schema:
        return _cleaned_members(value, schema["properties"])
    if isinstance(value, list) and schema["type"] == "array":
        return [item for item in value if not is_empty(item, schema["items"])]
    return value


def coerced_payload(payload: dict[str, Any], schema: JsonSchema) -> dict[str, Any]:
    """The payload with single values of array fields wrapped, values converted and unknown members removed."""
    wrapped = {key: _wrapped(value, schema["properties"].get(key)) for key, value in payload.items()}
    converted: dict[str, Any] = _coerced(wrapped, schema)
    return converted


def _coerced(value: Any, schema: JsonSchema) -> Any:
    return _COERCIONS[schema["type"]](value, schema)


def _wrapped(value: Any, schema: JsonSchema | None) -> Any:
    is_array_field = schema is not None and schema["type"] == "array"
    return [value] if is_array_field and value is not None and not isinstance(value, list) else value


def _to_object(value: Any, schema: JsonSchema) -> Any:
    if not isinstance(value, dict) or "properties" not in schema:
        return value
    schemas = schema["properties"]
    return {
        key: _coerced(member, schemas[key]) if key in schemas else member
        for key, member in value.items()
        if key in schemas or schema["additionalProperties"]
    }


def _to_array(value: Any, schema: JsonSchema) -> Any:
    return [_coerced(item, schema["items"]) for item in value] if isinstance(value, list) else value


def _to_string(value: Any, _schema: JsonSchema) -> Any:
    value = _only_item(value)
    if isinstance(value, bool) or is_number(value):
        return to_string(value)
    return "" if value is None else value


def _to_boolean(value: Any, _schema: JsonSchema) -> Any:
    value = _only_item(value)
    if isinstance(value, bool):
        return value
    if value is None or value == "false" or (is_number(value) and value == 0):
        return False
    if value == "true" or (is_number(value) and value == 1):
        return True
    return value


def _only_item(value: Any) -> Any:
    return value[0] if isinstance(value, list) and len(value) == 1 else value


_COERCIONS: Mapping[str, Callable[[Any, JsonSchema], Any]] = {
    "object": _to_object,
    "array": _to_array,
    "string": _to_string,
    "boolean": _to_boolean,
}
