"""Ajv's type coercion (`coerceTypes: 'array'`) and its removal of unknown members (`removeAdditional`).

A list of one item is taken for its item where a scalar belongs; numbers and booleans become text, null becomes empty
text; text and numbers become booleans where they are unmistakable. Objects and lists are never made out of scalars.
What cannot be converted stays for the validator to complain about.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from emulator.mapping.javascript.values import is_number, to_string
from emulator.mapping.schema.json_schema import JsonSchema


def coerced_payload(payload: dict[str, Any], schema: JsonSchema) -> dict[str, Any]:
    """A payload with lists where lists belong, its values converted, members unknown to the schema taken out."""
    listed = {key: _listed(value, schema["properties"].get(key)) for key, value in payload.items()}
    converted: dict[str, Any] = coerced(listed, schema)
    return converted


def coerced(value: Any, schema: JsonSchema) -> Any:
    """The value as ajv sees it after coercion."""
    return _COERCIONS[schema["type"]](value, schema)


def _listed(value: Any, schema: JsonSchema | None) -> Any:
    is_list_field = schema is not None and schema["type"] == "array"
    return [value] if is_list_field and value is not None and not isinstance(value, list) else value


def _to_object(value: Any, schema: JsonSchema) -> Any:
    if not isinstance(value, dict) or "properties" not in schema:
        return value
    schemas = schema["properties"]
    return {
        key: coerced(member, schemas[key]) if key in schemas else member
        for key, member in value.items()
        if key in schemas or schema["additionalProperties"]
    }


def _to_list(value: Any, schema: JsonSchema) -> Any:
    return [coerced(item, schema["items"]) for item in value] if isinstance(value, list) else value


def _to_text(value: Any, _schema: JsonSchema) -> Any:
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
    "array": _to_list,
    "string": _to_text,
    "boolean": _to_boolean,
}
