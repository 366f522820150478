"""The workspace of an emulator over the control API."""

from __future__ import annotations

from typing import Any

from werkzeug.test import Client

from emulator import Emulator

WHOLE = "/_emulator/workspace"
DESTINATION = "StackAdapt Acme"
SUBSCRIPTION = f"{WHOLE}/destinations/{DESTINATION}/subscriptions/Sync Audience"


def workspace(client: Client, **headers: str) -> Any:
    return client.get(WHOLE, headers=headers).json["workspace"]


def identify(client: Client, user: str, write_key: str = "segment-local", **traits: Any) -> int:
    given = {"email": f"{user}@example.com", "total_spent": 900, **traits}
    return client.post("/v1/identify", json={"userId": user, "writeKey": write_key, "traits": given}).status_code


def emails(emulator: Emulator) -> list[str]:
    return [profile["email"] for profile in emulator.stackadapt.profiles()]


NEW: dict[str, dict[str, Any]] = {
    "advertisers": {"id": "7", "name": "Seventh"},
    "tokens": {"token": "sa-t", "name": "T", "scopes": {}},
    "sources": {"name": "App", "writeKey": "app-key"},
    "trackingPlans": {"name": "Plan", "rules": [{"type": "IDENTIFY", "jsonSchema": {"type": "object"}}]},
    "audiences": {"key": "new", "id": "aud_new", "name": "New", "condition": {"trait": "city", "operator": "exists"}},
    "journeys": {
        "id": "jou_1",
        "name": "Trip",
        "entry": {"trait": "city", "operator": "exists"},
        "steps": [{"key": "first", "name": "First"}],
    },
    "destinations": {
        "name": "Second",
        "settings": {"apiKey": "sa-local-write", "advertiser_id": "1002"},
        "subscriptions": [],
        "audiences": [],
        "journeySteps": [],
    },
    "faults": {"fault": "status", "status": 503},
}
