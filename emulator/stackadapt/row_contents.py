"""What some columns of the StackAdapt service hold, as words and JSON Schemas."""

from __future__ import annotations

from typing import Any

from emulator.column_rules import LARGEST_ID, STRINGS

MARKETING_STATUSES = ("OPTED_IN", "OPTED_OUT", "INDETERMINATE", "PROSPECT", "SUPPRESSED")
MAPPING_KINDS = ("profile", "audience")
OUTCOMES = ("queued", "visible", "pending", "rejected", "suppressed")

_STRING = {"type": "string"}
_STRING_OR_NULL = {"type": ["string", "null"]}
_BOOLEAN_OR_NULL = {"type": ["boolean", "null"]}
_ID = {"type": "integer", "minimum": 0, "maximum": LARGEST_ID}
_ID_OR_NULL = {"anyOf": [{"type": "null"}, _ID]}

PROPERTIES = {
    "type": "object",
    "patternProperties": {
        "^text:": _STRING,
        "^number:": {"type": "number"},
        "^boolean:": {"type": "boolean"},
        "^list:": STRINGS,
    },
    "additionalProperties": False,
}

USER_METADATA = {"type": "object", "additionalProperties": _STRING}

# The columns of a mapping, as `MappingColumn.as_dict` writes them.
COLUMNS = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["incoming_key", "destination_key", "label", "data_type", "is_pii"],
        "properties": {
            "incoming_key": _STRING,
            "destination_key": _STRING,
            "label": _STRING,
            "data_type": _STRING,
            "is_pii": {"type": "boolean"},
            "value": _STRING,
            "options": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["label", "value"],
                    "properties": {"label": _STRING, "value": _STRING},
                },
            },
        },
        "additionalProperties": False,
    },
}

WARNINGS = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["code"],
        "properties": {"code": _STRING, "keys": STRINGS, "mapping": _ID, "version": _ID},
    },
}

_SCHEMAS = {
    "type": "object",
    "required": ["mapping_id", "is_opted_in", "list_id", "profile", "audience"],
    "properties": {
        "mapping_id": _ID,
        "is_opted_in": _BOOLEAN_OR_NULL,
        "status": {"enum": [None, *MARKETING_STATUSES]},
        "list_id": _ID_OR_NULL,
        "profile": COLUMNS,
        "audience": {"anyOf": [{"type": "null"}, COLUMNS]},
        "version": _ID,
        "control_keys": {"type": "boolean"},
    },
}


def _instructions(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": [*properties], "properties": properties, "additionalProperties": False}


# The instructions of a job by its kind.
INSTRUCTIONS = {
    "records": _instructions(
        batch_id=_ID,
        provider=_STRING,
        source=_STRING,
        mapping_id=_ID_OR_NULL,
        rejecting={
            "anyOf": [
                {"type": "null"},
                _instructions(email=_STRING_OR_NULL, every={"type": "integer", "minimum": 1}),
            ]
        },
        waits={"type": "boolean"},
        shared_external_id={"enum": ["move", "first", "both"]},
        pinned_schemas={"anyOf": [{"type": "null"}, _SCHEMAS]},
    ),
    "mapping": _instructions(mapping_schema=COLUMNS, is_opted_in=_BOOLEAN_OR_NULL, list_id=_ID_OR_NULL),
    "delete_external_ids": _instructions(provider=_STRING, external_ids=STRINGS),
    "delete_emails": _instructions(emails=STRINGS, compliance={"type": "boolean"}),
    "list_members": _instructions(list_ids={"type": "array", "items": _ID}, add=STRINGS, remove=STRINGS),
}
JOB_KINDS = tuple(INSTRUCTIONS)
