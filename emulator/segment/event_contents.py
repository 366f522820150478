"""What some columns of the Segment service hold, as words and JSON Schemas."""

from __future__ import annotations

from emulator.column_rules import LARGEST_COUNT, LATEST_MILLIS

DELIVERY_OUTCOMES = ("sent", "discarded", "rejected", "retrying", "failed")
BATCH_OUTCOMES = DELIVERY_OUTCOMES

_WHOLE = {"type": "integer", "minimum": 0, "maximum": LARGEST_COUNT}
_TIME = {"type": "integer", "minimum": 0, "maximum": LATEST_MILLIS}
_OBJECT = {"type": "object"}

# The timestamp and the turn at which each trait was last set.
UPDATED = {
    "type": "object",
    "additionalProperties": {
        "type": "array",
        "prefixItems": [_TIME, _WHOLE],
        "items": False,
        "minItems": 2,
    },
}

# What stands before and after the message id in the JSON of every event.
BEFORE_ID = '{"messageId":"'
AFTER_ID = '"'

# An event as Engage sends it.
EVENT = {
    "type": "object",
    "required": ["type", "messageId"],
    "properties": {
        "type": {"enum": ["identify", "track"]},
        "messageId": {"type": "string"},
        "userId": {"type": ["string", "null"]},
        "event": {"type": "string"},
        "context": _OBJECT,
        "traits": _OBJECT,
        "properties": _OBJECT,
    },
}

# Where in the document of a request its errors are.
LOCATIONS = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["line", "column"],
        "properties": {"line": _WHOLE, "column": _WHOLE},
    },
}
