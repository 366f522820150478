"""What some columns of the Segment service hold, as words and JSON Schemas."""

from __future__ import annotations

from emulator.column_rules import LARGEST_COUNT, LATEST_MILLIS
from emulator.json_text import compact, parsed

DELIVERY_OUTCOMES = ("sent", "discarded", "rejected", "retrying", "failed")
BATCH_OUTCOMES = DELIVERY_OUTCOMES

_WHOLE = {"type": "integer", "minimum": 0, "maximum": LARGEST_COUNT}
_TIME = {"type": "integer", "minimum": 0, "maximum": LATEST_MILLIS}

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


def as_stored(message_id: str) -> str:
    """A message id as the table of events has it: the sender of a call may use any characters."""
    return compact(message_id)[1:-1]


def as_sent(stored: str) -> str:
    """A message id from the table of events."""
    return str(parsed(f'"{stored}"')) if "\\" in stored else stored


# What stands before and after the message id in the JSON of every event.
BEFORE_ID = '{"messageId":"'
AFTER_ID = '"'

# What delivery reads of an event; a mapping takes anything.
EVENT = {
    "type": "object",
    "required": ["messageId"],
    "properties": {"messageId": {"type": "string"}, "userId": {"type": ["string", "null"]}},
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
