"""A destination set up in a real browser, with the mistakes on the way, from the catalog to its first mapping."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from emulator.server.emulator import Emulator
from tests.console.browser_pages import follow, opened
from tests.console.pages import send

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator() as started:
        started.client.post("/_emulator/clock/freeze")
        started.client.patch("/_emulator/workspace", json={"destinations": []})
        yield started


def test_a_destination_is_added_as_on_the_page(browser: Browser, emulator: Emulator) -> None:
    with opened(browser, emulator) as go:
        page = go("/console/destinations")
        follow(page.get_by_role("link", name="Add Destination"))
        page.get_by_label("Search").fill("StackAdapt Audience")
        with page.expect_navigation(url="**search=StackAdapt+Audience"):
            page.keyboard.press("Enter")
        follow(page.get_by_role("link", name="Add Destination").first)
        assert "/console/destinations/new?" in page.url
        page.get_by_label("Destination name").fill("Mine / new")
        rejects = page.get_by_text("This generation rejects every call of a source")
        source, generation = page.locator("[name=source]"), page.get_by_label("Generation")
        for name, version, is_shown in (
            ("Website", "3.517.0", True),
            ("Website", "3.387.0", False),
            ("", "3.517.0", False),
        ):
            source.select_option(name)
            generation.select_option(version)
            assert rejects.is_visible() == is_shown
        follow(page.get_by_role("button", name="Create Destination"))
        assert page.url.endswith("/console/destinations?destination=Mine%20%2F%20new&new=on")
        page.get_by_text("Advertiser ID is required").wait_for()

        token, tested = page.get_by_label("StackAdapt GraphQL API token"), page.locator("#tested")
        for secret, said in (("wrong", "does not know this token"), ("sa-local-read", "use one with the scope WRITE")):
            token.fill(secret)
            page.get_by_role("button", name="Test connection").click()
            tested.get_by_text(said).wait_for()
            assert page.get_by_role("button", name="Acme Outfitters (1001)").count() == 0
        page.get_by_role("button", name="Local read and write").click()
        assert not tested.is_visible()
        page.get_by_role("button", name="Test connection").click()
        tested.get_by_text("The connection works").wait_for()
        assert emulator.client.get("/_emulator/workspace/destinations").json["items"][0]["settings"]["apiKey"] == ""

        page.get_by_role("button", name="Acme Outfitters (1001)").click()
        assert not page.get_by_text("Advertiser ID is required").is_visible()
        follow(page.get_by_role("button", name="Save Changes"))
        follow(page.get_by_role("row", name="is disabled").get_by_role("button", name="Enable Destination"))
        # The editor has tests of its own.
        page.route("**/console/destinations/mapping?**", lambda route: route.fulfill(body="", content_type="text/html"))
        follow(page.get_by_role("link", name="New Mapping"))
        assert page.url.endswith("new=on")
        follow(page.get_by_role("button", name="Sync Audience"))
        assert page.url.endswith("mapping=Sync%20Audience")
    (item,) = emulator.client.get("/_emulator/workspace/destinations").json["items"]
    assert item["settings"] == {"apiKey": "sa-local-write", "advertiser_id": "1001"}
    assert "enabled" not in item
    assert [(each["action"], each["enabled"]) for each in item["subscriptions"]] == [("forwardAudienceEvent", False)]


def test_dead_letters_are_replayed_by_a_click(browser: Browser, emulator: Emulator) -> None:
    workspace = {"destinations": [{"name": "Acme", "settings": {"apiKey": "wrong"}, "subscriptions": []}]}
    subscription = {"name": "A", "action": "forwardAudienceEvent", "trigger": 'type = "identify"'}
    workspace["destinations"][0] |= {
        "generation": "3.517.0",
        "settings": {"apiKey": "wrong", "advertiser_id": "1001"},
        "audiences": [{"key": "vip_customers"}],
        "subscriptions": [{**subscription, "mapping": {"marketing_status": "Opted-in"}}],
    }
    assert emulator.client.patch("/_emulator/workspace", json=workspace).status_code == 200
    send(emulator.client, userId="ada", traits={"email": "ada@example.com", "total_spent": 700})
    emulator.client.post("/_emulator/clock/advance", json={"hours": 5})
    with opened(browser, emulator) as go:
        page = go("/console/destinations/delivery?destination=Acme")
        follow(page.get_by_role("link", name="Failed delivery"))
        page.get_by_role("link", name="401").first.wait_for()
        emulator.client.patch("/_emulator/workspace/destinations/Acme", json={"settings": {"apiKey": "sa-local-write"}})
        follow(page.get_by_role("button", name="Replay", exact=True))
        page.get_by_text("There is no dead letter.").wait_for()
        step = page.get_by_role("link", name="Successful delivery").inner_text()
    count = emulator.client.get("/_emulator/funnel").json["steps"]["successfulDelivery"]["count"]
    assert (step, count) == ("1 Successful delivery", 1)
