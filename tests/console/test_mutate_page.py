"""The page *Mutate*: what its form sends, and in a browser the survivors with the events that reveal them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
import yaml
from werkzeug.test import Client

from emulator.artefacts import fixture
from emulator.server.emulator import Emulator
from emulator.workspace import load_workspace
from emulator.workspace_file import read
from tests.console.browser_pages import opened
from tests.console.pages import page

if TYPE_CHECKING:
    from playwright.sync_api import Browser

PATH = "/console/mutate"
MAPPING = "/console/destinations/mapping?destination=StackAdapt+Acme&mapping=Sync+Audience"
SCENARIO = {key: value for key, value in read(fixture("newsletter-scenario.yaml")).items() if key != "given"} | {
    "given": {"people": {"ada": {"email": "ada@example.com", "traits": {"orders": 2, "newsletter": True}}}}
}


def test_the_page_sends_what_the_operation_takes(client: Client) -> None:
    shown = page(client, PATH)
    [form] = [form for form in shown.all("form") if form.get("data-action") == "mutate"]
    assert (form["data-method"], form["data-path"], form["data-show"]) == ("POST", "/_emulator/mutate", "mutated")
    named = {field["name"] for tag in ("input", "select", "textarea") for field in shown.all(tag) if field.get("name")}
    assert named >= {"scenario", "document", "only/[0]", "sample", "seed"}
    assert "mappings/standard-properties-by-track" in shown.text
    assert "swap-join" in shown.text
    assert not [form for form in page(client, f"{PATH}?mask=on").all("form") if form.get("data-action") == "mutate"]


def test_an_event_in_the_address_is_the_test_event_of_a_mapping(client: Client) -> None:
    event = {"type": "identify", "userId": "</textarea><img>", "traits": {"email": "eve@example.com"}}
    shown = page(client, f"{MAPPING}&event={quote(json.dumps(event))}")
    assert json.dumps(event) in shown.text
    assert not shown.all("img")
    for wrong in ('{"type": ', "[" * 9, "{" + '"a":{' * 9_000):
        assert "a sample is shown" in page(client, f"{MAPPING}&event={quote(wrong)}").text


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator(load_workspace(fixture("newsletter-workspace.yaml"))) as started:
        started.start()
        yield started


def test_survivors_lead_to_their_place_and_their_event(browser: Browser, emulator: Emulator) -> None:
    with opened(browser, emulator) as go:
        shown = go(PATH)
        shown.get_by_text("A scenario of your own").click()
        shown.get_by_role("textbox", name="Scenario, as YAML").fill(yaml.safe_dump(SCENARIO))
        shown.get_by_label("Kind").select_option("swap-join")
        shown.get_by_role("button", name="Mutate", exact=True).click()
        report = shown.locator("#mutated")
        report.get_by_text("Score 0 %: 0 of 1 mutations noticed by 1 scenario").wait_for()
        text = report.inner_text()
        assert 'type = "identify" and traits.newsletter = true' in text
        assert "the trigger does not match" in text
        place = report.get_by_role("link", name="destinations[0].subscriptions[0].trigger")
        mapping = place.get_attribute("href")
        report.get_by_role("link", name="Open as test event").click()
        event = json.loads(shown.get_by_role("textbox", name="Event, as JSON").input_value())
        assert event["type"] == "identify"
        assert "newsletter" not in event["traits"]
        shown.get_by_text("yes · The trigger matches the sample event.").wait_for()
        assert mapping is not None
        go(mapping).get_by_role("heading", name="Define event trigger").wait_for()
