"""`document_of` writes a workspace in JSON form, from which the same workspace is read."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from emulator import load_workspace
from emulator.workspace import Workspace, parse_workspace
from emulator.workspace_document import document_of, set_at

ROOT = Path(__file__).resolve().parents[2]
WORKSPACES = sorted(path for path in (ROOT / "fixtures").glob("*.yaml") if not path.stem.endswith("-scenario"))
FULL = {
    "name": "full",
    "seed": 7,
    "apiVersion": "2024-12",
    "user": {"email": "a@example.com"},
    "advertisers": [{"id": "1", "name": "A", "description": "d"}],
    "tokens": [{"token": "t", "name": "T", "scopes": {"1": ["READ"]}, "expiresAt": "2026-01-31T00:00:00+00:00"}],
    "sources": [
        {
            "name": "S",
            "writeKey": "k",
            "enabled": False,
            "trackingPlan": "Plan",
            "schema": {
                "track": {
                    "blockedEvents": ["Spam"],
                    "allowUnplannedEvents": False,
                    "allowUnplannedEventProperties": False,
                    "allowEventOnViolations": False,
                    "allowPropertiesOnViolations": False,
                    "commonEventOnViolations": "OMIT_PROPERTIES",
                },
                "identify": {
                    "blockedTraits": ["x"],
                    "allowUnplannedTraits": False,
                    "allowTraitsOnViolations": False,
                    "commonEventOnViolations": "BLOCK",
                },
                "group": {"commonEventOnViolations": "OMIT_TRAITS"},
                "forwardingBlockedEventsTo": "Other",
            },
        },
        {"name": "Other", "writeKey": "k2"},
    ],
    "trackingPlans": [
        {
            "name": "Plan",
            "rules": [
                {"type": "TRACK", "key": "E", "version": 2, "jsonSchema": {"type": "object"}},
                {"type": "COMMON", "jsonSchema": {"required": ["context"]}},
            ],
        }
    ],
    "space": {
        "id": "spa_full",
        "name": "Space",
        "keepAllEvents": True,
        "identifiers": [
            {"type": "phone", "key": "phone_number", "blockedValues": ["void", {"pattern": "^0*$"}]},
            {"type": "user_id", "blockedValues": "recommended"},
        ],
    },
    "audiences": [
        {
            "id": "aud_vip",
            "key": "vip",
            "name": "VIP",
            "computation": "batch",
            "includeHistory": False,
            "condition": {"trait": "x", "operator": "exists"},
        }
    ],
    "journeys": [
        {
            "id": "jou_j",
            "name": "J",
            "entry": {"event": "E"},
            "exit": {"event": "F"},
            "steps": [{"key": "s", "name": "S", "wait": "36h", "condition": {"trait": "x", "operator": "exists"}}],
        }
    ],
    "destinations": [
        {
            "name": "D",
            "generation": "3.497.0",
            "endpoint": "http://127.0.0.1:9/graphql",
            "source": "Other",
            "enabled": False,
            "filters": [
                {
                    "title": "F",
                    "description": "d",
                    "if": "type = 'track'",
                    "enabled": False,
                    "actions": [
                        {"type": "SAMPLE", "percent": 0.5, "path": "userId"},
                        {"type": "DROP_PROPERTIES", "fields": {"": ["userId"], "context.traits": ["email"]}},
                    ],
                },
                {"title": "G", "if": "type = 'track'", "actions": [{"type": "DROP"}]},
            ],
            "consent": {"categories": ["Advertising", "Analytics"]},
            "settings": {"apiKey": "t", "advertiser_id": "1"},
            "batch": {"size": 5, "age": "1234567.25s", "concurrency": 2, "retries": "regroup"},
            "audiences": [
                {
                    "key": "vip",
                    "sendTrack": False,
                    "sendIdentify": False,
                    "enterEvent": "In",
                    "exitEvent": "Out",
                    "email": False,
                    "traits": {"x": "y"},
                }
            ],
            "journeySteps": [{"key": "s", "event": "Step", "events": "entered", "email": "all", "traits": ["x"]}],
            "subscriptions": [
                {
                    "name": "N",
                    "action": "forwardAudienceEvent",
                    "trigger": 'type = "track"',
                    "mapping": {"email": "x"},
                    "defaults": False,
                    "enabled": False,
                }
            ],
        }
    ],
    "ingestion": {
        "latency": "4h",
        "reportRejections": "user_errors",
        "sharedExternalId": "both",
        "mappingRace": True,
        "recordWithoutEmail": "wait",
    },
    "faults": [{"fault": "status", "status": 503}],
    "rateLimit": {"requests": 5, "per": "1m", "burst": 9},
}


def test_every_key_survives() -> None:
    workspace = parse_workspace(FULL)
    assert parse_workspace(document_of(workspace)) == workspace
    # Nothing in it has its default, so that a key that is left out shows.
    assert workspace.destinations[0].batch_age == timedelta(seconds=1234567.25)


@pytest.mark.parametrize("path", [None, *WORKSPACES], ids=str)
def test_the_workspaces_of_the_project_survive(path: Path | None) -> None:
    workspace = load_workspace(path)
    again = parse_workspace(document_of(workspace))
    assert isinstance(again, Workspace)
    assert again == workspace


def test_a_value_is_set_at_a_path() -> None:
    document = {"a": [{"b": 1}]}
    set_at(document, ["a", 0, "c", "d"], 2)
    assert document == {"a": [{"b": 1, "c": {"d": 2}}]}
