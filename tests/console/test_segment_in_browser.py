"""Segment's screens in a real browser: what needs their scripts."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from emulator.artefacts import fixture
from emulator.server.emulator import Emulator
from emulator.workspace import load_workspace
from tests.console.browser_pages import follow, opened

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

MEGABYTE = 1024 * 1024
HEADERS = {"Authorization": "Basic " + b64encode(b"segment-local:").decode()}


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator() as started:
        started.client.post("/_emulator/clock/freeze")
        yield started


def send(emulator: Emulator, first: int, number: int) -> None:
    batch = [{"type": "track", "userId": f"u{first + each}", "event": "Ping"} for each in range(number)]
    assert emulator.client.post("/v1/batch", json={"batch": batch}, headers=HEADERS).status_code == 200


def ask(emulator: Emulator, path: str) -> Any:
    return emulator.client.get(f"/_emulator/{path}").json


def heap(page: Page) -> float:
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.collectGarbage")
    session.send("Performance.enable")
    metrics = {each["name"]: each["value"] for each in session.send("Performance.getMetrics")["metrics"]}
    return float(metrics["JSHeapUsedSize"])


def test_new_calls_appear_on_top_while_live_and_are_counted_while_paused(browser: Browser, emulator: Emulator) -> None:
    with opened(browser, emulator) as go:
        page = go("/console/debugger")
        for first in range(0, 20_000, 2_000):
            send(emulator, first, 2000)
            page.locator("tbody tr:first-child", has_text=f"u{first + 1999}").wait_for()
        assert page.locator("tbody tr").count() == 100
        assert page.locator("#news").is_hidden()
        assert heap(page) < 100 * MEGABYTE
        follow(page.get_by_role("link", name="Pause"))
        page.get_by_text("Paused").wait_for()
        send(emulator, 70_000, 3)
        page.get_by_role("button", name="3 new").wait_for()
        assert page.locator("tbody tr", has_text="u70000").count() == 0
        follow(page.get_by_role("link", name="Resume"))
        page.locator("tbody tr", has_text="u70000").wait_for()


def test_people_are_sent_in_with_nothing_but_the_console(browser: Browser) -> None:
    with (
        Emulator(load_workspace(fixture("empty-workspace.yaml"))) as emulator,
        opened(browser, emulator) as go,
    ):
        page = go("/console/debugger")
        follow(page.get_by_role("button", name="Add Source"))
        follow(page.get_by_role("link", name="Send identify"))
        page.get_by_label("User id", exact=True).fill("ada")
        page.get_by_label("Traits (JSON)").fill('{"total_spent": 700}')
        page.get_by_label("Email, a trait").fill("ada@example.com")
        form = page.locator("form.act", has=page.get_by_role("button", name="Send", exact=True))
        form.get_by_text("Copy as").click()
        form.get_by_role("button", name="curl").click()
        assert "-u WRITE_KEY: --json" in form.locator("pre").inner_text()
        assert "segment-local" not in form.locator("pre").inner_text()
        form.get_by_role("button", name="Send", exact=True).click()
        page.locator("#sent", has_text="Sent identify for ada ada@example.com").wait_for()
        assert page.get_by_label("Email, a trait").input_value() == "ada@example.com"
        page.locator("tbody tr", has_text="✓ accepted").wait_for()
        (profile,) = ask(emulator, "space/profiles")["profiles"]
        assert (profile["userId"], profile["traits"]["total_spent"], profile["email"]) == (
            "ada",
            700,
            "ada@example.com",
        )


def test_an_audience_is_built_connected_and_computed_by_clicks(browser: Browser, emulator: Emulator) -> None:
    for name, spent in (("ada", 700), ("bob", 10)):
        call = {"userId": name, "traits": {"email": f"{name}@example.com", "spent": spent}}
        emulator.client.post("/v1/identify", json=call, headers=HEADERS)
    with opened(browser, emulator) as go:
        page = go("/console/audiences")
        follow(page.get_by_role("link", name="New Audience"))
        page.get_by_label("Name").fill("Big spenders")
        page.get_by_role("button", name="Add Condition").click()
        page.get_by_label("Operator").nth(1).select_option("at_least")
        page.get_by_text("Enter the trait that the condition looks at").wait_for()
        page.get_by_label("Trait").nth(1).fill("spent")
        page.get_by_text("Enter the value that spent is compared with").wait_for()
        page.get_by_label("Value").nth(1).fill("500")
        page.get_by_text("1 of 2 profiles meet it now.").wait_for()
        follow(page.get_by_role("button", name="Create Audience"))
        follow(page.get_by_role("link", name="Add Destination").first)
        follow(page.get_by_role("link", name="StackAdapt Acme"))
        page.get_by_label("Send Track").check()
        page.get_by_label("Send Identify").check()
        follow(page.get_by_role("button", name="Save"))
        page.get_by_text("StackAdapt Acme is saved.").wait_for()
        page.get_by_role("button", name="Compute now").click()
        page.get_by_text("Computed for 2 profiles: 1 entered, 0 exited, 2 events emitted for 1 member.").wait_for()
        page.get_by_role("heading", name="Members (1)").wait_for()
    first, second = ask(emulator, "workspace/destinations/StackAdapt%20Acme")["item"]["audiences"]
    assert first["key"] == "vip_customers"
    assert second == {"key": "big_spenders"}, "both switches are on by default"
    item = ask(emulator, "workspace/audiences/big_spenders")["item"]
    assert item["condition"] == {
        "all": [{"trait": "email", "operator": "exists"}, {"trait": "spent", "operator": "at_least", "value": 500}]
    }
    assert {each["userId"] for each in ask(emulator, "deliveries")["deliveries"]} == {"ada"}
