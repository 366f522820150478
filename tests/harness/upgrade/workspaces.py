"""Workspaces of each generation, with custom traits, consent, and identify and track events of an audience."""

from __future__ import annotations

from typing import Any

from emulator.workspace import Workspace, load_workspace, parse_workspace
from emulator.workspace_document import document_of

TRIGGER = 'type = "identify" or type = "track"'
TRAITS, CONTEXT = {"@path": "$.traits.email"}, {"@path": "$.context.traits.email"}
EMAIL = {"@if": {"exists": TRAITS, "then": TRAITS, "else": CONTEXT}}
SPENT = {"total_spent": {"@path": "$.traits.total_spent"}}
PROFILE = {"traits": {"email": EMAIL, **SPENT}}


def of_2024(generation: str = "3.387.0") -> Workspace:
    """Profiles with a custom trait and audience events, to an advertiser in the mapping."""
    return workspace(generation, {"apiKey": "sa-local-write"}, forwardProfile=PROFILE, forwardAudienceEvent={})


def repaired() -> Workspace:
    """The same with what 3.497.0 needs for audience events, which the generations of 2024 ignore."""
    settings = {"apiKey": "sa-local-write", "advertiser_id": "1001"}
    added = {"marketing_status": "Opted-in", "email": EMAIL}
    return workspace("3.387.0", settings, forwardProfile=PROFILE, forwardAudienceEvent=added)


def of_2025(generation: str = "3.497.0") -> Workspace:
    """Audience events with a custom trait."""
    settings = {"apiKey": "sa-local-write", "advertiser_id": "1001"}
    mapping = {"marketing_status": "Opted-in", "email": EMAIL, "custom_traits": SPENT}
    return workspace(generation, settings, forwardAudienceEvent=mapping)


def workspace(generation: str, settings: dict[str, str], **mappings: dict[str, Any]) -> Workspace:
    """The default workspace with an instance of a generation, and a subscription to each action."""
    document = document_of(load_workspace())
    [instance] = document["destinations"]
    instance |= {"generation": generation, "settings": settings}
    instance["audiences"][0]["traits"].append("total_spent")
    advertiser = {} if "advertiser_id" in settings and "forwardProfile" not in mappings else {"advertiser_id": "1001"}
    instance["subscriptions"] = [
        {"name": action, "action": action, "trigger": TRIGGER, "mapping": {**advertiser, **mapping}}
        for action, mapping in mappings.items()
    ]
    return parse_workspace(document)
