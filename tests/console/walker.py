"""Someone who uses the console of an emulator in a browser, by clicks and keys."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from emulator import Emulator
from tests.console.browser_pages import follow, opened

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page


@dataclass
class Walker:
    """Someone at the console of an emulator; the control API only says what its pages must show."""

    page: Page
    emulator: Emulator

    def api(self, path: str, **params: str) -> Any:
        response = self.emulator.client.get(f"/_emulator/{path}", query_string=params)
        assert response.status_code == 200, response.text
        return response.json

    def to(self, screen: str) -> None:
        """Through the navigation."""
        self.link(screen, self.page.get_by_role("navigation"))

    def link(self, name: str, within: Locator | None = None) -> None:
        self.follow((within or self.page.locator("main")).get_by_role("link", name=name, exact=True).first)

    def follow(self, link: Locator) -> None:
        follow(link)

    def tab_to(self, name: str) -> None:
        """To the link or button with this name by Tab alone, then Enter. Some come after the page."""
        link, button = (self.page.get_by_role(role, name=name) for role in ("link", "button"))
        link.or_(button).first.wait_for()
        named = "[document.activeElement.ariaLabel, document.activeElement.textContent.trim()]"
        for _ in range(200):
            self.page.keyboard.press("Tab")
            if name in self.page.evaluate(named):
                break
        else:
            pytest.fail(f"Tab leads to nothing named {name!r} on {self.page.url}")
        with self.page.expect_navigation():
            self.page.keyboard.press("Enter")

    def press(self, name: str, within: Locator | None = None) -> None:
        """A button after which there is another page, or this one again."""
        follow((within or self.page.locator("main")).get_by_role("button", name=name, exact=True).first)

    def fill(self, **fields: str) -> None:
        for label, value in fields.items():
            self.page.get_by_label(label.replace("_", " "), exact=True).fill(value)

    def advance_4_h(self) -> None:
        self.press("+4 h", self.page.locator("#clock"))

    def says(self, text: str) -> None:
        self.page.locator("main").get_by_text(text).first.wait_for()


@contextmanager
def walking(browser: Browser, emulator: Emulator) -> Iterator[Walker]:
    with opened(browser, emulator) as go:
        yield Walker(go("/"), emulator)
