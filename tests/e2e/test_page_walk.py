"""Segment's page *StackAdapt Audiences*, click by click through the control API, from an empty workspace.

Followed literally, it makes no profile visible: its trigger lets no identify event through, and track events have the
email where the destination does not look. What the page leaves out is added then, by generation.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner

from emulator import Emulator
from emulator.cli import cli

JSON = dict[str, Any]
NAME = "StackAdapt Audiences"
PAGE_TRIGGER = '(type = "track" or type = "identify") and (event = "Audience Entered" or event = "Audience Exited")'
OR_TRIGGER = 'type = "track" or type = "identify"'
EMAIL_ANYWHERE = {"@template": "{{traits.email}}{{context.traits.email}}"}
PEOPLE = {"u1": "ada@example.com", "u2": "bob@example.com"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """A generation of the destination, with the StackAdapt of its time."""

    generation: str
    api_version: str
    advertiser_in_mapping: bool
    stop: str


WALKS = [
    Walk(generation="3.387.0", api_version="2024-12", advertiser_in_mapping=True, stop="WAITS_FOR_PROFILE"),
    Walk(generation="3.497.0", api_version="2026-06", advertiser_in_mapping=False, stop="PAYLOAD_VALIDATION_FAILED"),
    Walk(generation="3.517.0", api_version="2026-06", advertiser_in_mapping=False, stop="PAYLOAD_VALIDATION_FAILED"),
]


class Client:
    """The control API of an emulator over HTTP."""

    def __init__(self, http: httpx.Client) -> None:
        self.http = http

    def __call__(self, method: str, path: str, body: JSON | None = None, **params: str) -> Any:
        response = self.http.request(method, f"/_emulator/{path}", json=body, params=params)
        assert response.is_success, response.text
        return response.json()


@contextmanager
def serving(workspace: Path) -> Iterator[Client]:
    with (
        Emulator(workspace) as emulator,
        httpx.Client(base_url=emulator.start(), trust_env=False, timeout=60) as http,
    ):
        yield Client(http)


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    path = tmp_path / "workspace.yaml"
    result = CliRunner().invoke(cli, ["workspace", "init", "--empty", str(path)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return path


@pytest.mark.parametrize("walk", WALKS, ids=lambda walk: walk.generation)
def test_the_page_makes_people_visible_with_what_it_leaves_out(walk: Walk, empty: Path, tmp_path: Path) -> None:
    with serving(empty) as call:
        call("PATCH", "workspace", {"apiVersion": walk.api_version, "ingestion": {"latency": "4h"}})
        call("POST", "clock/freeze")
        set_up(call, walk)
        set_up_audience(call)

        send_people(call)
        call("POST", "clock/advance", {"hours": 4})
        assert visible(call) == []
        answer = call("GET", "why", email="ada@example.com")
        assert (answer["arrived"], answer["stopped"]["reason"]) == (False, walk.stop)

        add_what_is_left_out(call, walk)
        call("POST", "audiences/vip_customers/compute", {"destination": NAME, "resync": True})
        assert visible(call) == []
        call("POST", "clock/advance", {"hours": 4})
        assert visible(call) == sorted(PEOPLE.values())
        assert segment_sizes(call) == [2, 2]
        assert call("GET", "funnel")["imbalances"] == []
        exported = tmp_path / "exported.yaml"
        exported.write_text(call.http.get("/_emulator/workspace", params={"format": "yaml"}).text, encoding="utf-8")

    with serving(exported) as call:
        call("POST", "clock/freeze")
        send_people(call)
        call("POST", "clock/advance", {"hours": 4})
        assert visible(call) == sorted(PEOPLE.values())
        assert segment_sizes(call) == [2, 2]


def set_up(call: Client, walk: Walk) -> None:
    """Steps 1 to 17: the destination and its mapping."""
    [token] = call("GET", "workspace/tokens")["items"]
    call("POST", "workspace/sources", {"name": "Website", "writeKey": "website"})
    destination = {"name": NAME, "generation": walk.generation, "enabled": False, "subscriptions": []}
    call("POST", "workspace/destinations", {**destination, "settings": {"apiKey": token["token"]}})
    assert call("POST", f"destinations/{NAME}/test")["passed"]
    call("PATCH", f"workspace/destinations/{NAME}", {"enabled": True})

    mapping = {"name": "Forward Audience Event", "action": "forwardAudienceEvent", "trigger": PAGE_TRIGGER}
    added = call("POST", f"workspace/destinations/{NAME}/subscriptions", mapping)
    assert added["item"]["enabled"] is False
    [advertiser] = call("GET", "workspace/advertisers")["items"]
    choose_advertiser(call, walk, advertiser)
    call("PATCH", f"workspace/destinations/{NAME}/subscriptions/Forward Audience Event", {"enabled": True})


def choose_advertiser(call: Client, walk: Walk, advertiser: JSON) -> None:
    """In the generations of 2024 it is looked up in the dynamic list of the mapping; later it is a setting."""
    if walk.advertiser_in_mapping:
        [choice] = call("GET", f"destinations/{NAME}/choices/advertiser_id", search=advertiser["id"])["choices"]
        assert choice["label"] == advertiser["name"]
        change = {"mapping": {"advertiser_id": choice["value"]}}
        call("PATCH", f"workspace/destinations/{NAME}/subscriptions/Forward Audience Event", change)
        return
    change = {"settings": {"advertiser_id": advertiser["id"]}}
    call("PATCH", f"workspace/destinations/{NAME}", change)
    required = {"mapping": {"marketing_status": "Opted-in"}}
    call("PATCH", f"workspace/destinations/{NAME}/subscriptions/Forward Audience Event", required)


def set_up_audience(call: Client) -> None:
    """An audience with a condition on the email, and the destination added to it with both switches on."""
    condition = {
        "all": [
            {"trait": "email", "operator": "exists"},
            {"trait": "total_spent", "operator": "at_least", "value": 500},
        ]
    }
    audience = {"key": "vip_customers", "id": "aud_vip", "name": "VIP Customers", "condition": condition}
    call("POST", "workspace/audiences", audience)
    connection = {"key": "vip_customers", "sendTrack": True, "sendIdentify": True}
    call("PATCH", f"workspace/destinations/{NAME}", {"audiences": [connection]})


def add_what_is_left_out(call: Client, walk: Walk) -> None:
    """2024: a mapping *Forward Profile*. Since 2025: a trigger with `or`, and the email of track events, too."""
    [advertiser] = call("GET", "workspace/advertisers")["items"]
    if walk.advertiser_in_mapping:
        mapping = {"name": "Forward Profile", "action": "forwardProfile", "trigger": OR_TRIGGER, "enabled": True}
        mapping["mapping"] = {"advertiser_id": advertiser["id"]}
        call("POST", f"workspace/destinations/{NAME}/subscriptions", mapping)
        return
    change = {"trigger": OR_TRIGGER, "mapping": {"email": EMAIL_ANYWHERE}}
    call("PATCH", f"workspace/destinations/{NAME}/subscriptions/Forward Audience Event", change)


def send_people(call: Client) -> None:
    for user, email in PEOPLE.items():
        traits = {"email": email, "total_spent": 900}
        response = call.http.post("/v1/identify", json={"userId": user, "traits": traits}, auth=("website", ""))
        assert response.json() == {"success": True}


def visible(call: Client) -> list[str]:
    return sorted(profile["email"] for profile in call("GET", "profiles")["profiles"])


def segment_sizes(call: Client) -> list[int]:
    """The sizes of a segment by audience id and of one by audience name."""
    [advertiser] = call("GET", "workspace/advertisers")["items"]
    rules = {"segment_engage_audience_id": "aud_vip", "segment_engage_audience_name": "vip_customers"}
    made = []
    for field, value in rules.items():
        rule = {"field": field, "operator": "equals", "value": value}
        made.append(call("POST", "segments", {"advertiserId": advertiser["id"], "name": field, "rule": rule}))
    return [call("GET", f"segments/{each['id']}")["size"] for each in made]
