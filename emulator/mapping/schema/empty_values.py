"""What the engine takes out of a payload before it looks at it: null, and empty text where no text belongs.

Of a single event an empty text at the root goes as well, whatever its field; of a batch it stays.
"""

from __future__ import annotations

from typing import Any

from emulator.mapping.schema.json_schema import JsonSchema


def without_empty_values(payload: dict[str, Any], schema: JsonSchema, *, batch: bool) -> dict[str, Any]:
    """The payload without its empty values; only members that the schema names are looked into."""
    kept = payload if batch else {key: value for key, value in payload.items() if value != ""}
    return _cleaned_members(kept, schema["properties"])


def _cleaned_members(members: dict[str, Any], schemas: dict[str, JsonSchema]) -> dict[str, Any]:
    return {
        key: _cleaned(value, schemas[key]) if key in schemas else value
        for key, value in members.items()
        if key not in schemas or not _is_empty(value, schemas[key])
    }


def _is_empty(value: object, schema: JsonSchema) -> bool:
    return value is None or (value == "" and schema["type"] != "string")


def _cleaned(value: Any, schema: JsonSchema) -> Any:
    if isinstance(value, dict) and "properties" in schema:
        return _cleaned_members(value, schema["properties"])
    if isinstance(value, list) and schema["type"] == "array":
        return [item for item in value if not _is_empty(item, schema["items"])]
    return value
