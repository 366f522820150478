"""Subscriptions are compiled once for all emulators of a process that have the same."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import yaml

from emulator.artefacts import fixture
from emulator.segment.delivery.subscriptions import DeliveryTarget, delivery_targets
from emulator.workspace import parse_workspace

PERSONAS = {"computation_class": "audience", "computation_id": "aud_1", "computation_key": "vip"}
EVENT = {
    "type": "identify",
    "userId": "u1",
    "traits": {"email": "ada@example.com", "other": "eve@example.com"},
    "context": {"personas": PERSONAS},
}


@pytest.fixture
def document() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(fixture("workspace.yaml").read_text(encoding="utf-8"))
    document["destinations"][0]["subscriptions"] = [
        {
            "name": "s",
            "action": "forwardAudienceEvent",
            "trigger": 'type = "identify"',
            "mapping": {"marketing_status": "Opted-in"},
        }
    ]
    return document


def target(document: dict[str, Any]) -> DeliveryTarget:
    [found] = delivery_targets(parse_workspace(document))
    return found


def test_the_same_subscription_is_compiled_once(document: dict[str, Any]) -> None:
    first, second = target(document), target(copy.deepcopy(document))
    assert first.subscription is second.subscription


@pytest.mark.parametrize(
    ("group", "change"),
    [
        ("subscriptions", {"mapping": {"first_name": "Eve"}}),
        ("subscriptions", {"mapping": {"first_name": 1}}),
        ("subscriptions", {"mapping": {"first_name": True}}),
        ("subscriptions", {"mapping": {"first_name": 1.0}}),
        ("subscriptions", {"trigger": 'type = "track"'}),
        ("subscriptions", {"defaults": False}),
        ("settings", {"apiKey": "another"}),
    ],
)
def test_what_differs_is_compiled_on_its_own(document: dict[str, Any], group: str, change: dict[str, Any]) -> None:
    """Also when the user changes the dict of a workspace in place."""
    [destination] = document["destinations"]
    before = target(document).subscription
    changed = destination["settings"] if group == "settings" else destination["subscriptions"][0]
    original = copy.deepcopy(changed)
    changed.update(change)
    during = target(document).subscription
    changed.clear()
    changed.update(original)
    assert during is not before
    assert target(document).subscription is before


def test_a_change_of_the_dict_does_not_reach_what_was_compiled(document: dict[str, Any]) -> None:
    [destination] = document["destinations"]
    mapping = destination["subscriptions"][0]["mapping"]
    mapping["email"] = {"@path": "$.traits.email"}
    compiled = target(document).subscription
    mapping["email"]["@path"] = "$.traits.other"
    # A batch this large is resolved by a function that is generated when it is first needed.
    [single] = compiled.prepare([EVENT], batch=False).records
    large = compiled.prepare([EVENT] * 100, batch=True).records
    assert {record["email"] for record in (single, *large)} == {"ada@example.com"}
