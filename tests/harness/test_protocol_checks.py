"""`lint` finds mistakes in tracking plans, schema controls and identifiers."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import yaml

from emulator.artefacts import fixture
from emulator.harness.checks import lint
from emulator.harness.checks.finding import CHECKS, WORKSPACE, Finding
from emulator.workspace import parse_workspace

DEFAULT = yaml.safe_load(fixture("workspace.yaml").read_text())
BOUGHT = {"event": "Order Completed", "operator": "at_least", "value": 1}
ORDER = {"type": "TRACK", "key": "Order Completed", "jsonSchema": {}}
TRAITS = {"type": "IDENTIFY", "jsonSchema": {"properties": {"traits": {"properties": {"email": {}}}}}}
EVENTS, IDENTIFY = {"track": {"allowUnplannedEvents": False}}, {"identify": {"allowUnplannedTraits": False}}


def found(
    *, rules: list[Any] | None = None, schema: Any = None, condition: Any = BOUGHT, **space: Any
) -> list[Finding]:
    """What these checks find in the default workspace with these changes."""
    document = copy.deepcopy(DEFAULT)
    document["audiences"][0]["condition"] = condition
    document["destinations"][0]["audiences"][0]["traits"] = []
    if rules is not None:
        document["trackingPlans"] = [{"name": "Plan", "rules": rules}]
        document["sources"][0]["trackingPlan"] = "Plan"
    if schema is not None:
        document["sources"][0]["schema"] = schema
    if space:
        document["space"] = {"id": "spa_local", "name": "Local"} | space
    return [finding for finding in lint(parse_workspace(document)) if finding.code[0] in "RI"]


MISTAKES: list[tuple[dict[str, Any], tuple[str, str], str]] = [
    (
        {"schema": {"track": {"blockedEvents": ["Order Completed"]}}},
        ("R001", "sources[0].schema.track.blockedEvents"),
        "'vip_customers' counts",
    ),
    (
        {"schema": EVENTS, "rules": [TRAITS]},
        ("R001", "sources[0].schema.track.allowUnplannedEvents"),
        "'Plan' does not have it",
    ),
    (
        {
            "schema": EVENTS,
            "rules": [ORDER | {"key": "order completed"}],
            "condition": {"not": {"any": [BOUGHT]}},
        },
        ("R001", "sources[0].schema.track.allowUnplannedEvents"),
        "same spelling",
    ),
    (
        {"schema": IDENTIFY, "rules": [TRAITS], "condition": {"trait": "plan", "operator": "exists"}},
        ("R002", "sources[0].schema.identify.allowUnplannedTraits"),
        "'plan'",
    ),
    (
        {
            "schema": {"identify": {"blockedTraits": ["email"]}},
            "condition": {"trait": "email", "operator": "exists"},
        },
        ("R002", "sources[0].schema.identify.blockedTraits"),
        "'email'",
    ),
    ({"schema": EVENTS}, ("R004", "sources[0].schema"), "no tracking plan"),
    (
        {"schema": {"track": {"blockedEvents": ["Spam"]}}, "rules": [ORDER]},
        ("R005", "sources[0].schema"),
        "switched off",
    ),
    (
        {"rules": [{"type": "COMMON", "jsonSchema": {"properties": {"event": {"pattern": "^(?!x)"}}}}]},
        ("R006", "trackingPlans[0].rules[0].jsonSchema"),
        "ahead",
    ),
    ({"identifiers": [{"type": "anonymous_id"}]}, ("I001", "space.identifiers"), "stay empty"),
    (
        {"identifiers": [{"type": "user_id", "blockedValues": [{"pattern": "[0-]*"}]}]},
        ("I002", "space.identifiers[0].blockedValues"),
        "blocks every user_id",
    ),
]


@pytest.mark.parametrize(("arguments", "finding", "words"), MISTAKES)
def test_a_mistake_is_found(arguments: dict[str, Any], finding: tuple[str, str], words: str) -> None:
    [only] = found(**arguments)
    assert (only.code, only.place) == finding
    assert words in f"{only.message} {only.why} {only.fix}"


def test_every_check_of_sources_and_identifiers_is_tested() -> None:
    checks = {each.code for each in CHECKS.values() if WORKSPACE in each.subjects and each.code[0] in "RI"}
    assert checks == {code for _, (code, _), _ in MISTAKES} | {"R003"}


def test_a_plan_that_no_source_uses_is_noted() -> None:
    document = DEFAULT | {"trackingPlans": [{"name": "Plan", "rules": []}]}
    [finding] = [each for each in lint(parse_workspace(document)) if each.code == "R003"]
    assert (finding.severity, finding.place) == ("note", "trackingPlans[0]")


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"schema": EVENTS, "rules": [ORDER]},
        {"schema": EVENTS, "rules": [TRAITS], "condition": {"event": "Page Viewed"}},
        {"rules": [TRAITS]},
        {"schema": IDENTIFY, "rules": [TRAITS, ORDER], "condition": {"trait": "email", "operator": "exists"}},
        {"identifiers": [{"type": "user_id", "blockedValues": "recommended"}, {"type": "email"}]},
    ],
)
def test_nothing_is_found_where_all_is_well(arguments: dict[str, Any]) -> None:
    assert found(**arguments) == []
