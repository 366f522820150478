"""A tracking plan, the workspace that has it, and calls under it."""

from __future__ import annotations

import copy
from typing import Any

from emulator.segment.tracking.calls import Call
from emulator.segment.tracking.screening import Screening
from emulator.workspace import parse_workspace
from tests.segment.conftest import NOON


def schema_of(holder: str, required: list[str] | None = None, **properties: Any) -> dict[str, Any]:
    inner = {"type": "object", "properties": properties, "required": required or []}
    return {"$schema": "http://json-schema.org/draft-07/schema#", "type": "object", "properties": {holder: inner}}


ORDER = schema_of(
    "properties",
    ["order_id"],
    order_id={"type": "string"},
    total={"type": "number", "minimum": 0},
    address={"type": "object", "properties": {"city": {"type": "string"}}},
    items={"type": "array", "items": {"type": "object", "properties": {"sku": {"type": "string"}}}},
)
PLAN = {
    "name": "Shop",
    "rules": [
        {"type": "TRACK", "key": "Order Completed", "jsonSchema": ORDER},
        {"type": "IDENTIFY", "jsonSchema": schema_of("traits", email={"type": "string"}, age={"type": "integer"})},
        {"type": "GROUP", "jsonSchema": schema_of("traits", name={"type": "string"})},
        {
            "type": "COMMON",
            "jsonSchema": {
                "properties": {
                    "context": {"not": {"required": ["bot"]}},
                    "properties": {"not": {"required": ["debug"]}},
                }
            },
        },
    ],
}


def workspace_with(schema: dict[str, Any] | None = None, plan: dict[str, Any] | None = PLAN, **source: Any) -> Any:
    return {
        "advertisers": [{"id": "1", "name": "A"}],
        "tokens": [{"token": "t", "name": "T", "scopes": {}}],
        "sources": [
            {"name": "Web", "writeKey": "k"}
            | ({"schema": schema} if schema else {})
            | ({"trackingPlan": plan["name"]} if plan else {})
            | source,
            {"name": "Blocked", "writeKey": "k2"},
        ],
        "trackingPlans": [plan] if plan else [],
    }


def call_of(type_: str, **message: Any) -> Call:
    return Call(
        type=type_,
        message_id="m",
        user_id="u",
        anonymous_id=None,
        original_timestamp=NOON,
        sent_at=None,
        received_at=NOON,
        timestamp=NOON,
        message={"userId": "u"} | message,
    )


def after(document: dict[str, Any], type_: str, **message: Any) -> Any:
    call = call_of(type_, **message)
    before = copy.deepcopy(call.message)
    [result] = Screening(parse_workspace(document)).screen([call], "Web").results
    assert call.message == before, "the call as it came is not changed"
    return result
