"""Calls that a tracking plan or a schema blocks: what they reach, and where they are forwarded."""

from __future__ import annotations

from typing import Any

import pytest

from emulator.errors import WorkspaceError
from emulator.events import CallReceived
from emulator.segment.tracking.screening import Screening
from emulator.workspace import parse_workspace
from tests.segment.conftest import OpenEnv
from tests.segment.tracking_plan import PLAN, call_of, schema_of, workspace_with


def test_a_blocked_call_reaches_nothing_and_counts_under_its_code(open_env: OpenEnv, document: dict[str, Any]) -> None:
    rules = [{"type": "IDENTIFY", "jsonSchema": schema_of("traits", total_spent={"type": "number"})}]
    document["trackingPlans"] = [
        {"name": "P", "rules": [*rules, {"type": "COMMON", "jsonSchema": {"required": ["v"]}}]}
    ]
    document["sources"][0] |= {
        "trackingPlan": "P",
        "schema": {"identify": {"commonEventOnViolations": "BLOCK", "allowUnplannedTraits": False}},
    }
    segment_env = open_env(document)
    receipt = segment_env.segment.ingest("identify", {"userId": "u", "traits": {"total_spent": 900}})
    assert (receipt.accepted, [each.reason for each in receipt.failed]) == (0, ["common_schema_violation"])
    assert segment_env.segment.profiles() == segment_env.segment.deliveries() == []
    [blocked] = segment_env.heard(CallReceived)
    assert (blocked.accepted, blocked.status, blocked.reason) == (False, 200, "common_schema_violation")
    assert "v is required" in (blocked.message or "")
    segment_env.segment.ingest("identify", {"userId": "u", "v": 1, "traits": {"total_spent": 900, "x": 1}})
    assert segment_env.segment.profiles()[0]["traits"] == {"total_spent": 900}
    assert segment_env.segment.counts()["calls"] == {"accepted": 1, "failed": {"common_schema_violation": 1}}


def test_blocked_calls_are_forwarded_where_nothing_blocks_them_again(
    open_env: OpenEnv, document: dict[str, Any]
) -> None:
    schema = {"track": {"allowUnplannedEvents": False, "blockedEvents": ["Spam"]}}
    document["trackingPlans"] = [PLAN]
    document["sources"] = [
        document["sources"][0] | {"trackingPlan": "Shop", "schema": schema | {"forwardingBlockedEventsTo": "Blocked"}},
        {"name": "Blocked", "writeKey": "k2", "trackingPlan": "Shop", "schema": schema},
    ]
    segment_env = open_env(document)
    calls = [{"type": "track", "userId": "u", "event": event} for event in ("X", "Spam")]
    segment_env.segment.ingest("batch", {"batch": calls})
    heard = [(each.source, each.accepted, each.reason, each.notes) for each in segment_env.heard(CallReceived)]
    assert heard == [
        ("Website", False, "unplanned", ()),
        ("Website", False, "event_setting", ()),
        ("Blocked", True, None, ("forwarded by 'Website', which blocked it",)),
    ]
    assert segment_env.segment.profiles() == [], "a source of blocked calls is not connected to the space"


def test_a_disabled_source_gets_no_blocked_calls() -> None:
    document = workspace_with({"track": {"allowUnplannedEvents": False}, "forwardingBlockedEventsTo": "Blocked"})
    document["sources"][1]["enabled"] = False
    assert Screening(parse_workspace(document)).screen([call_of("track", event="X")], "Web").forwarded == ()


def test_blocked_calls_can_only_be_forwarded_to_another_source() -> None:
    with pytest.raises(WorkspaceError, match="unknown other source 'Web'. Known: Blocked"):
        parse_workspace(workspace_with({"forwardingBlockedEventsTo": "Web"}))
