"""Findings of the workspace on the pages that show them: each leads to its place, and its button corrects it."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from werkzeug.test import Client

from emulator.console.screens.finding_fixes import Findings
from emulator.console.view import View
from tests.console.pages import get, page
from tests.console.test_segment_pages import AUDIENCE, NAME, PATH, buttons, links, press

MAPPING = "Sync Audience"
EDITOR = f"/console/destinations/mapping?destination={NAME.replace(' ', '+')}&mapping=Sync+Audience"
VIP = "audience=vip_customers"


DESTINATION = f"/destinations/{quote(NAME)}"
OF_MAPPING = f"{DESTINATION}/subscriptions/{quote(MAPPING)}"


def change(client: Client, part: str, **changes: Any) -> None:
    answer = client.patch(f"/_emulator/workspace{part}", json=changes)
    assert answer.status_code == 200, answer.text


def findings(client: Client) -> list[Any]:
    found: list[Any] = client.post("/_emulator/lint", json={}).json["findings"]
    return found


NO_EMAIL: dict[str, Any] = {
    "mapping": {
        "email": {"@path": "$.traits.email", "@if": None, "@template": None},
        "marketing_status": "Opted-in",
    }
}
UNSET: dict[str, Any] = {"mapping": {"marketing_status": None}}
UNKNOWN_STATUS: dict[str, Any] = {"mapping": {"marketing_status": "subscribed"}}
# The part that is changed, the change, the code of the finding, the button that corrects it.
CORRECTED: dict[str, tuple[str, dict[str, Any], str, str]] = {
    "a source": ("/sources/Website", {"enabled": False}, "D001", "Enable Website"),
    "a destination": (DESTINATION, {"enabled": False}, "D004", "Enable Destination"),
    "a mapping": (OF_MAPPING, {"enabled": False}, "D005", "Enable Sync Audience"),
    "an email": (OF_MAPPING, NO_EMAIL, "M005", "Correct the mapping"),
    "an unset status, opted in": (OF_MAPPING, UNSET, "M004", "Use Opted-in"),
    "an unset status, indeterminate": (OF_MAPPING, UNSET, "M004", "Use Indeterminate"),
    "an unknown status": (OF_MAPPING, UNKNOWN_STATUS, "M010", "Use Opted-in"),
    "a trigger": (OF_MAPPING, {"trigger": 'event = "Audience Entered" and type = "identify"'}, "T", "Use this trigger"),
    "an audience": ("/audiences/vip_customers", {"name": "VIP"}, "D011", "Require an email"),
    "a version": (DESTINATION, {"generation": "3.387.0"}, "S007", "Use API version 2025-05"),
}


@pytest.mark.parametrize(("part", "changes", "code", "label"), CORRECTED.values(), ids=CORRECTED)
def test_a_button_of_overview_corrects_a_finding(
    client: Client, part: str, changes: dict[str, Any], code: str, label: str
) -> None:
    change(client, part, **changes)
    before = [each["code"] for each in findings(client) if each["code"].startswith(code)]
    assert before
    press(client, buttons(get(client, "/").text)[label])
    assert len([each for each in findings(client) if each["code"] in before]) < len(before)


LED: dict[str, tuple[str, dict[str, Any], str]] = {
    "no source": ("", {"sources": []}, "/console/debugger?add=source"),
    "no destination": ("", {"destinations": []}, "/console/destinations/catalog?search=StackAdapt+Audience"),
    "no mapping": (DESTINATION, {"subscriptions": []}, "/console/destinations/mappings"),
    "no connection": (DESTINATION, {"audiences": []}, f"/console/audiences?{VIP}&connect=StackAdapt+Acme#connect"),
    "nothing sent": (
        DESTINATION,
        {"audiences": [{"key": "vip_customers", "sendTrack": False, "sendIdentify": False}]},
        f"/console/audiences?{VIP}",
    ),
    "no advertiser": (DESTINATION, {"settings": {"advertiser_id": ""}}, "/console/destinations?destination="),
    "a field": (OF_MAPPING, {"mapping": {"unknown": "x"}}, EDITOR),
    "a filter": (
        DESTINATION,
        {"filters": [{"title": "A", "if": "type = ", "actions": [{"type": "DROP"}]}]},
        "/console/destinations/filters?destination=",
    ),
}


@pytest.mark.parametrize(("part", "changes", "link"), LED.values(), ids=LED)
def test_a_finding_of_overview_leads_to_its_place(
    client: Client, part: str, changes: dict[str, Any], link: str
) -> None:
    change(client, part, **changes)
    shown = page(client, "/")
    assert any(each.startswith(link) for each in links(shown)), links(shown)


PLACES = ("sources[0].schema.track", "trackingPlans[0]", "space.identifiers[0].blockedValues", "journeys[0]", "data")


@pytest.mark.parametrize("place", PLACES)
def test_each_place_has_a_page(client: Client, place: str) -> None:
    item = {"name": "A", "key": "a", "rules": [], "identifiers": []}
    workspace = {name: [item] for name in ("sources", "trackingPlans", "journeys", "destinations")} | {"space": item}
    fixes = Findings(view=View.read("", {}, ""), workspace=workspace, catalog=[])
    for cell in (fixes.place({"place": place}), fixes.fix({"place": place, "code": "R001"})):
        assert cell.link
        assert page(client, cell.link)


@pytest.mark.parametrize("enabled", [True, False])
def test_an_audience_shows_the_errors_of_its_mappings(client: Client, enabled: bool) -> None:
    change(client, OF_MAPPING, mapping={"marketing_status": None, "email": None})
    change(client, OF_MAPPING, enabled=enabled)
    shown = get(client, AUDIENCE)
    errors = [each for each in findings(client) if each["severity"] == "error" and "mapping" in each["place"]]
    assert errors
    text = page(client, AUDIENCE).text
    assert all(f"{NAME}, {MAPPING}: {each['message']}" in text for each in errors)
    assert f"{EDITOR}#field-marketing_status" in links(page(client, AUDIENCE))
    if not enabled:
        press(client, buttons(shown.text)[f"Enable {MAPPING}"])
        assert all(each["message"] in page(client, AUDIENCE).text for each in errors)
    change(client, DESTINATION, audiences=[])
    assert not any(each["message"] in page(client, AUDIENCE).text for each in errors)


def test_the_error_of_a_setting_is_shown_on_its_audiences(client: Client) -> None:
    assert client.patch(PATH, json={"settings": {"apiKey": "wrong"}}).status_code == 200
    assert "does not know this token" in page(client, AUDIENCE).text
