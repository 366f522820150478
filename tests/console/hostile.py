"""An emulator whose every name and value is hostile: markup, right-to-left, too long, no text at all."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

from emulator.server.emulator import Emulator
from emulator.workspace import parse_workspace
from tests.console.pages import HOSTILE

IMAGE, SCRIPT = HOSTILE[0], HOSTILE[1]
_LONG = "x" * 10_000
_RIGHT_TO_LEFT = "\u202e\u0645\u0631\u062d\u0628\u0627"
_KEY = "https://elsewhere.example/?a=1&b=<b>"
_TOKEN = "sa-local-write"


def workspace() -> dict[str, Any]:
    """Hostile wherever a workspace takes any text."""
    return {
        "name": IMAGE,
        "advertisers": [{"id": "1001", "name": SCRIPT + _LONG}, {"id": "1002", "name": _RIGHT_TO_LEFT}],
        "tokens": [{"token": _TOKEN, "name": IMAGE, "scopes": {"1001": ["READ", "WRITE"]}}],
        "sources": [{"name": SCRIPT, "writeKey": "segment-local"}],
        "audiences": [
            {
                "key": "vip_customers",
                "id": f"aud_{IMAGE}",
                "name": _LONG,
                "condition": {"trait": SCRIPT, "operator": "equals", "value": IMAGE},
            },
        ],
        "destinations": [_destination(name) for name in (IMAGE, "\U0001f469\u200d\U0001f680 & \"quoted\" 'name'")],
    }


def _destination(name: str) -> dict[str, Any]:
    return {
        "name": name,
        "generation": "3.517.0",
        "settings": {"apiKey": _TOKEN, "advertiser_id": "1001"},
        "audiences": [{"key": "vip_customers", "traits": [SCRIPT, _KEY]}],
        "subscriptions": [
            {
                "name": SCRIPT,
                "action": "forwardAudienceEvent",
                "trigger": f'type = "identify" or event = "{IMAGE}"',
                "mapping": {"marketing_status": "Opted-in"},
            }
        ],
    }


def hostile_emulator() -> Emulator:
    """With a frozen clock, people in it, some of them visible and some refused, and segments."""
    emulator = Emulator(parse_workspace(workspace()))
    client = emulator.client
    client.post("/_emulator/clock/freeze")
    for number, value in enumerate([*HOSTILE, None, {"a": [None, IMAGE]}]):
        traits = {"email": f"p{number}@example.com", "first_name": value, SCRIPT: IMAGE, _KEY: value}
        _send(emulator, "identify", {"userId": f"{str(value)[:200]}-{number}", "traits": traits})
    _send(emulator, "identify", {"userId": IMAGE, "traits": {SCRIPT: IMAGE}})
    _send(emulator, "track", {"userId": SCRIPT, "event": IMAGE, "properties": {SCRIPT: _LONG}})
    _send(emulator, "track", {"userId": SCRIPT, "event": None})
    client.post("/_emulator/clock/advance", json={"hours": 5})
    for value in HOSTILE:
        rule = {"field": "segment_engage_audience_name", "operator": "equals", "value": value}
        client.post("/_emulator/segments", json={"advertiserId": "1001", "name": value, "rule": rule})
    client.post("/_emulator/faults", json={"fault": "user_errors", "message": IMAGE, "times": 1})
    client.post("/graphql", data=f'{{"query": "{IMAGE}"}}', headers={"Authorization": f"Bearer {_TOKEN}"})
    return emulator


def _send(emulator: Emulator, path: str, call: dict[str, Any]) -> None:
    headers = {"Authorization": "Basic " + b64encode(b"segment-local:").decode()}
    emulator.client.post(f"/v1/{path}", json=call, headers=headers)
