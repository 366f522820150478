"""The page *StackAdapt Audiences* of Segment's documentation, by clicks and keys alone in a browser, from an empty
workspace.

Followed literally, it makes no profile visible. The console says why, and offers what is missing.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from emulator import Emulator
from emulator.cli import cli
from tests.console.browser_pages import opened
from tests.console.pages import send
from tests.console.walker import Walker, walking

if TYPE_CHECKING:
    from playwright.sync_api import Browser

ROOT = Path(__file__).resolve().parents[2]
NAME = "StackAdapt Audiences"
PAGE_TRIGGER = '(type = "track" or type = "identify") and (event = "Audience Entered" or event = "Audience Exited")'
PEOPLE = {"u1": "ada@example.com", "u2": "bob@example.com"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """A generation of the destination, with the StackAdapt of its time and the words of its console."""

    generation: str
    api_version: str
    new_mapping: str
    action: str
    advertiser_in_settings: bool
    stop: str


WALKS = [
    Walk(
        generation="3.387.0",
        api_version="2024-12",
        new_mapping="New Mapping",
        action="Forward Audience Event",
        advertiser_in_settings=False,
        stop="WAITS_FOR_PROFILE",
    ),
    Walk(
        generation="3.517.0",
        api_version="2026-06",
        new_mapping="Add mapping",
        action="Sync Audience",
        advertiser_in_settings=True,
        stop="PAYLOAD_VALIDATION_FAILED",
    ),
]


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    path = tmp_path / "workspace.yaml"
    result = CliRunner().invoke(cli, ["workspace", "init", "--empty", str(path)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return path


@pytest.mark.parametrize("walk", WALKS, ids=lambda walk: walk.generation)
def test_the_page_makes_people_visible_with_what_the_console_proposes(
    browser: Browser, walk: Walk, empty: Path
) -> None:
    with Emulator(empty, latency="4h") as emulator, walking(browser, emulator) as walker:
        walker.press("Freeze", walker.page.locator("#clock"))
        add_source(walker)
        add_destination(walker, walk)
        add_mapping(walker, walk)
        add_audience(walker)
        for user, email in {**PEOPLE, "u3": ""}.items():
            send_identify(walker, user, email)
        walker.advance_4_h()
        nobody_is_visible(walker, walk)
        correct_mapping(walker, walk)
        resync(walker)
        records_wait(walker)
        walker.advance_4_h()
        everybody_is_visible(walker)
        create_segment(walker, "Segment Engage Audience ID", "aud_vip")
        create_segment(walker, "Segment Engage Audience Name", "vip_customers")


def add_source(walker: Walker) -> None:
    walker.to("Debugger")
    walker.press("Add Source")


def add_destination(walker: Walker, walk: Walk) -> None:
    """*Catalog › Destinations* to *Save Changes*, with a wrong token first, and without *Enable Destination*."""
    page = walker.page
    walker.to("Destinations")
    walker.link("Add Destination")
    walker.fill(Search="StackAdapt Audience")
    walker.press("Search")
    card = page.locator("li", has=page.get_by_role("heading", name=walk.generation))
    walker.link("Add Destination", card)
    page.get_by_role("combobox", name="Source", exact=True).select_option("Website")
    walker.fill(Destination_name=NAME)
    walker.press("Create Destination")
    if walker.api("sandboxes/default")["apiVersion"] != walk.api_version:
        walker.press(f"Use API version {walk.api_version}")
    page.get_by_label("StackAdapt GraphQL API token").fill("segment-local")
    page.get_by_role("button", name="Test connection").click()
    walker.says("StackAdapt does not know this token")
    page.get_by_role("button", name="Local read and write").click()
    page.get_by_role("button", name="Test connection").click()
    walker.says("✓ The connection works")
    if walk.advertiser_in_settings:
        # The token may write to one advertiser only, which needs no choice.
        page.locator("#offered").get_by_role("button", name="Acme Outfitters (1001)").wait_for()
        assert page.locator("#setting-advertiser_id").input_value() == "1001"
        assert not page.get_by_text("Advertiser ID is required").is_visible()
    walker.press("Save Changes")


def add_mapping(walker: Walker, walk: Walk) -> None:
    """*New Mapping* to *Save*, with the trigger of the page."""
    walker.link("Mappings")
    walker.link(walk.new_mapping)
    walker.press(walk.action)
    define_page_trigger(walker)
    if walk.advertiser_in_settings:
        field, value = "marketing_status", "Opted-in"
    else:
        field, value = "advertiser_id", "Acme Outfitters (1001)"
    choose(walker, field, value)
    save_mapping(walker)


def define_page_trigger(walker: Walker) -> None:
    """*Event Type is Track or Identify* and *Event Name is Audience Entered or Audience Exited*, by the conditions.

    Each edit is waited for: the control API writes the trigger.
    """
    from playwright.sync_api import expect

    page = walker.page
    conditions, trigger = page.locator("#conditions"), page.get_by_role("textbox", name="Trigger", exact=True)
    types, names = 'type = "identify" or type = "track"', 'event = "Audience Entered" or event = "Audience Exited"'
    page.locator("#match").filter(has_text="yes").wait_for()
    for then in (f"{types} or ({names})", f"{types} or ({names}) or ({names})"):
        conditions.get_by_role("button", name="Add Group").click()
        expect(trigger).to_have_value(then)
    for then in (f'type = "track" or ({names}) or ({names})', f"({names}) or ({names})"):
        conditions.get_by_role("button", name="Remove condition").first.click()
        expect(trigger).to_have_value(then)
    conditions.get_by_role("combobox").first.select_option("All")
    expect(trigger).to_have_value(f"({names}) and ({names})")
    for number, kind in enumerate(("Track", "Identify")):
        condition = conditions.locator("li.condition").nth(number)
        condition.get_by_label("Field").select_option("Event Type")
        condition.get_by_label("Value", exact=True).select_option(kind)
    expect(trigger).to_have_value(PAGE_TRIGGER)
    walker.says("never matches identify events")


def add_audience(walker: Walker) -> None:
    """An audience with a condition on the email; it is connected before the destination is enabled."""
    page = walker.page
    walker.to("Audiences")
    walker.link("New Audience")
    walker.fill(Name="VIP Customers", Id="aud_vip")
    builder = page.locator("#builder")
    builder.get_by_role("button", name="Add Condition").click()
    test = builder.locator("p").last
    test.get_by_label("Trait").fill("total_spent")
    test.get_by_label("Operator").select_option("at_least")
    test.get_by_label("Value").fill("500")
    walker.press("Create Audience")
    walker.link("Add Destination")
    walker.link(NAME)
    connection = page.locator("#connect")
    connection.get_by_label("Send Track").check()
    connection.get_by_label("Send Identify").check()
    walker.press("Save", connection)
    walker.says(f"{NAME} is disabled: nothing is sent.")
    walker.press("Enable Destination")


def send_identify(walker: Walker, user: str, email: str) -> None:
    walker.to("Debugger")
    walker.link("Send identify")
    page = walker.page
    page.get_by_label("User id", exact=True).fill(user)
    page.get_by_label("Email, a trait").fill(email)
    page.locator("#form").get_by_role("button", name="Send", exact=True).click()
    walker.says(f"Sent identify for {user}")


def person(walker: Walker, name: str) -> None:
    """By keys, from any page."""
    walker.to("Person")
    walker.page.keyboard.press("/")
    walker.page.keyboard.type(name)
    with walker.page.expect_navigation():
        walker.page.keyboard.press("Enter")


def nobody_is_visible(walker: Walker, walk: Walk) -> None:
    """Person says why, for those with an email and for the one without."""
    walker.to("Profiles")
    walker.says("No profile is visible.")
    for name in PEOPLE.values():
        person(walker, name)
        answer = walker.api("why", email=name)
        assert (answer["arrived"], answer["stopped"]["reason"]) == (False, walk.stop)
        walker.says("✗ Did not arrive")
        walker.says(walk.stop)
    person(walker, "u3")
    walker.says("vip_customers: email is missing, needs any value")


def correct_mapping(walker: Walker, walk: Walk) -> None:
    """What the findings propose: the trigger; then the email, by a mapping of profiles in 2024, from tracks today."""
    page = walker.page
    open_finding(walker, "never matches identify events", "Edit mapping")
    page.locator("#trigger-findings").get_by_role("button", name="Use (").click()
    page.locator("#match").filter(has_text="yes").wait_for()
    if walk.advertiser_in_settings:
        fix = page.locator('li.field[data-path="email"]').get_by_role("button", name="Correct the mapping")
        fix.click()
        fix.wait_for(state="detached")
    save_mapping(walker)
    if not walk.advertiser_in_settings:
        open_finding(walker, "sends no email", "New Mapping")
        walker.press("Forward Profile")
        choose(walker, "advertiser_id", "Acme Outfitters (1001)")
        save_mapping(walker)


def open_finding(walker: Walker, words: str, link: str) -> None:
    walker.to("Destinations")
    walker.link(NAME)
    walker.link(link, walker.page.get_by_role("row", name=words))


def choose(walker: Walker, field: str, value: str) -> None:
    row = walker.page.locator(f'li.field[data-path="{field}"]')
    row.get_by_label("Static value").select_option(value)
    row.locator(".preview").filter(has_text="→").wait_for()


def save_mapping(walker: Walker) -> None:
    save = walker.page.locator("#save")
    save.get_by_label("Enabled").check()
    walker.press("Save", save)
    walker.says("Saved.")


def resync(walker: Walker) -> None:
    walker.to("Audiences")
    walker.link("VIP Customers")
    compute = walker.page.locator("form.act", has=walker.page.get_by_label("Resync"))
    compute.get_by_role("combobox").select_option(NAME)
    compute.get_by_label("Resync").check()
    walker.press("Compute now", compute)
    walker.says("emitted")


def records_wait(walker: Walker) -> None:
    walker.to("Profiles")
    queued = walker.api("counts")["stackadapt"]["records"]["queued"]
    walker.says(f"{queued} records accepted, visible in at most 4 h")


def everybody_is_visible(walker: Walker) -> None:
    walker.to("Profiles")
    shown = walker.page.get_by_role("table").get_by_role("row")
    visible = [each["email"] for each in walker.api("profiles")["profiles"]]
    assert sorted(visible) == sorted(PEOPLE.values())
    assert shown.count() - 1 == len(visible)
    for email in visible:
        shown.filter(has_text=email).wait_for()


def create_segment(walker: Walker, rule: str, value: str) -> None:
    """*Create Segment* to *Submit*; its size is shown before, and in the list."""
    page = walker.page
    walker.to("Segments")
    walker.link("Create Segment")
    walker.fill(Name=rule)
    page.get_by_role("combobox", name="Rule", exact=True).select_option(rule)
    page.get_by_role("combobox", name="Value").fill(value)
    page.locator("#preview").get_by_text("2 profiles").wait_for()
    assert sorted(page.locator("#preview li").all_inner_texts()) == sorted(PEOPLE.values())
    walker.press("Submit")
    walker.to("Segments")
    made = next(each for each in walker.api("segments")["segments"] if each["name"] == rule)
    assert made["size"] == len(PEOPLE)
    row = page.get_by_role("row", name=rule)
    assert str(made["size"]) in row.get_by_role("cell").all_inner_texts()


def test_why_three_people_are_missing_is_found_from_the_first_page(browser: Browser) -> None:
    with missing_people() as emulator, walking(browser, emulator) as walker:
        for name, reason in MISSING.items():
            losses_are_those_of_the_api(walker)
            walker.follow(walker.page.get_by_role("link", name=f"Who? {reason}"))
            walker.link(name)
            walker.says(reason)
            walker.says("Smallest change")
            walker.press("Apply")
            walker.advance_4_h()
            walker.says("✓ Arrived")
            walker.to("Overview")
        losses_are_those_of_the_api(walker)


def test_the_same_by_keys_alone(browser: Browser) -> None:
    with missing_people() as emulator, walking(browser, emulator) as walker:
        for name, reason in MISSING.items():
            walker.tab_to(f"Who? {reason}")
            walker.tab_to(name)
            walker.tab_to("Apply")
            walker.tab_to("+4 h")
            walker.says("✓ Arrived")
            walker.tab_to("Overview")
        person(walker, "grace")
        walker.says("✓ Arrived")


# Who is missing, and the reason.
MISSING = {"grace": "PAYLOAD_VALIDATION_FAILED", "ada": "GRAPHQL_ERRORS", "joan": "SUBSCRIPTION_DISABLED"}


@contextmanager
def missing_people() -> Iterator[Emulator]:
    """Someone without an email, someone whose name breaks the document, someone whose mapping is disabled."""
    condition = {"trait": "newsletter", "operator": "equals", "value": True}
    with Emulator(latency="4h") as emulator:
        client = emulator.client
        client.post("/_emulator/clock/freeze")
        audience = {"key": "newsletter", "id": "aud_newsletter", "name": "Newsletter", "condition": condition}
        assert client.post("/_emulator/workspace/audiences", json=audience).status_code == 201
        [acme] = client.get("/_emulator/workspace/destinations").json["items"]
        own = {
            "name": "StackAdapt Globex",
            "settings": {**acme["settings"], "advertiser_id": "1002"},
            "audiences": [{"key": "newsletter"}],
            "subscriptions": [{**acme["subscriptions"][0], "enabled": False}],
        }
        assert client.post("/_emulator/workspace/destinations", json={**acme, **own}).status_code == 201
        send(client, userId="grace", traits={"total_spent": 700})
        quoted = {"email": "ada@example.com", "first_name": 'Ada "Countess" King', "total_spent": 700}
        send(client, userId="ada", traits=quoted)
        send(client, userId="joan", traits={"email": "joan@example.com", "newsletter": True})
        for user in ("linus", "margaret", "alan"):
            send(client, userId=user, traits={"email": f"{user}@example.com", "total_spent": 700})
        client.post("/_emulator/clock/advance", json={"hours": 4})
        yield emulator


def losses_are_those_of_the_api(walker: Walker) -> None:
    """Each number of the picture of the pipeline."""
    stages = walker.api("funnel")["pipeline"]
    shown = walker.page.locator("#stages .stage strong").all_inner_texts()
    assert shown == [str(stage["count"]) for stage in stages]
    losses = [f"− {loss['count']} {loss['name']}" for stage in stages for loss in stage["losses"]]
    texts = walker.page.locator("#stages .losses li").all_inner_texts()
    assert [text.splitlines()[0] for text in texts] == losses


# What each picture of README shows: its address, and words on the page.
PICTURED = {
    "overview": ("/", "Refused by StackAdapt"),
    "person": ("/console/person?person=grace", "Smallest change"),
    "create-segment": ("/console/segments?create=on", "3 profiles"),
}


@pytest.mark.parametrize("name", PICTURED)
def test_the_pictures_of_readme_show_the_console(browser: Browser, name: str) -> None:
    """With UPDATE_PICTURES=1 they are taken again."""
    path, words = PICTURED[name]
    picture = ROOT / f"emulator/docs/pictures/{name}.png"
    with missing_people() as emulator, opened(browser, emulator) as go:
        page = go(path)
        page.set_viewport_size({"width": 1240, "height": 640})
        if name == "create-segment":
            page.get_by_label("Name", exact=True).fill("VIP Customers")
            page.get_by_role("combobox", name="Rule", exact=True).select_option("Segment Engage Audience Name")
            page.get_by_role("combobox", name="Value").fill("vip_customers")
        page.locator("main").get_by_text(words).first.wait_for()
        if os.environ.get("UPDATE_PICTURES") == "1":
            page.screenshot(path=picture)
    assert f"(emulator/docs/pictures/{name}.png)" in (ROOT / "README.md").read_text(encoding="utf-8")
    assert 0 < picture.stat().st_size < 120_000
