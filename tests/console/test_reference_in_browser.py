"""The editor of the workspace, and a run of a scenario, in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from emulator.server.emulator import Emulator
from tests.console.browser_pages import opened

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator() as started:
        started.client.post("/_emulator/clock/freeze")
        started.start()
        yield started


def test_the_workspace_is_linted_compared_and_applied(browser: Browser, emulator: Emulator) -> None:
    with opened(browser, emulator, refused=400) as go:
        page = go("/console/workspace?reveal=on")
        page.get_by_text("It can be applied").wait_for()
        editor = page.get_by_role("textbox", name="Workspace")
        text = editor.input_value()
        editor.fill(text.replace("operator: at_least", "operator: unknown_operator"))
        page.get_by_text("It would be refused").wait_for()
        page.get_by_role("button", name="line").first.click()
        chosen = page.evaluate("editor.value.slice(editor.selectionStart, editor.selectionEnd)")
        assert "unknown_operator" in chosen
        editor.fill(text.replace("name: local", "name: changed"))
        page.locator("#diff .added", has_text="+name: changed").wait_for()
        page.get_by_role("button", name="Apply", exact=True).click()
        page.locator("#applied", has_text="Applied.").wait_for()
        page.get_by_text("No difference.").wait_for()
        assert emulator.sandbox.workspace.name == "changed"
        editor.press("Control+End")
        editor.press("Tab")
        assert editor.input_value().endswith("  ")
        editor.press("Escape")
        assert page.evaluate("document.activeElement.id") != "editor"


def test_a_scenario_of_ones_own_is_played(browser: Browser, emulator: Emulator) -> None:
    with opened(browser, emulator) as go:
        page = go("/console/scenarios?own=on")
        outcome = page.locator("#outcome")
        page.get_by_role("button", name="Play it").click()
        outcome.get_by_text("1 passed").wait_for()
        scenario = page.get_by_role("textbox", name="Scenario")
        scenario.fill(scenario.input_value().replace("total_spent: 700", "total_spent: 7"))
        page.get_by_role("button", name="Play it").click()
        outcome.get_by_text("1 failed").wait_for()
        assert "steps[0].then.profiles" in outcome.inner_text()
        assert "total_spent is 7" in outcome.inner_text()
