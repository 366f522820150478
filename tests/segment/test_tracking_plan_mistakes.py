"""Mistakes in tracking plans, and in what refers to them, are located."""

from __future__ import annotations

from typing import Any

import pytest

from emulator.errors import WorkspaceError
from emulator.workspace import parse_workspace
from tests.segment.tracking_plan import PLAN, workspace_with


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"trackingPlans": [PLAN, PLAN]}, r"trackingPlans\[1\]: duplicates trackingPlans\[0\]"),
        ({"trackingPlans": []}, r"sources\[0\].trackingPlan: unknown tracking plan 'Shop'. Known: none"),
    ],
)
def test_a_wrong_reference_is_located(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(WorkspaceError, match=message):
        parse_workspace(workspace_with() | changes)


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ([PLAN["rules"][0]] * 2, r"rules\[1\]: duplicates rules\[0\]\. .*version of its own"),
        ([{"type": "TRACK", "jsonSchema": {}}], r"rules\[0\]: the key 'key' is missing"),
        ([{"type": "track", "key": "E", "jsonSchema": {}}], r"rules\[0\].type: invalid value.*TRACK, IDENTIFY"),
        (
            [{"type": "COMMON", "jsonSchema": {"type": "text"}}],
            r"rules\[0\].jsonSchema.type: the JSON Schema is invalid",
        ),
        ([{"type": "COMMON", "jsonSchema": {"pattern": "("}}], r"jsonSchema.pattern: the JSON Schema is invalid"),
        (
            [{"type": "COMMON", "jsonSchema": {"properties": {"x": {"$ref": "http://example.com/s.json"}}}}],
            "jsonSchema: the JSON Schema refers to a schema that is not in it",
        ),
        ([{"type": "COMMON", "jsonSchema": {"allOf": [{"$ref": "#"}]}}], "refers to itself without end"),
    ],
)
def test_a_wrong_rule_is_located(rules: list[dict[str, Any]], message: str) -> None:
    with pytest.raises(WorkspaceError, match=message):
        parse_workspace(workspace_with(plan={"name": "Shop", "rules": rules}))
