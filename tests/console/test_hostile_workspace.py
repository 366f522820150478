"""Every page that can be reached by links, with hostile names and values everywhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

import pytest

from emulator.console.screens import SCREENS
from emulator.server.emulator import Emulator
from tests.console.browser_pages import is_wider_than_the_window, opened
from tests.console.hostile import hostile_emulator
from tests.console.pages import Page, get
from tests.console.views import address

if TYPE_CHECKING:
    from playwright.sync_api import Browser

# How many pages are looked at of those that differ in the values of their arguments only.
_OF_A_KIND = 3


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    with hostile_emulator() as started:
        yield started


def kind_of(target: str) -> tuple[str, ...]:
    parts = urlsplit(target)
    return (parts.path, *(name for name, _ in parse_qsl(parts.query)))


def crawl(emulator: Emulator) -> Iterator[tuple[str, Page]]:
    """Pages with their addresses, from the overview on, some of each kind."""
    waiting, seen, kinds = ["/"], {"/"}, Counter[tuple[str, ...]]()
    while waiting:
        path = waiting.pop(0)
        answer = get(emulator.client, path)
        assert answer.status_code in (200, 404), (path[:200], answer.text[:2000])
        shown = Page(answer.text)
        yield path, shown
        for link in shown.all("a"):
            target = (link.get("href") or "").partition("#")[0]
            is_page = target == "/" or target.startswith(("/?", "/console/"))
            if is_page and target not in seen and kinds[kind_of(target)] < _OF_A_KIND:
                seen.add(target)
                kinds[kind_of(target)] += 1
                waiting.append(target)


def test_the_workspace_is_used(emulator: Emulator) -> None:
    assert emulator.client.get("/_emulator/counts").json["stackadapt"]["profiles"] > 0


def test_no_page_has_an_element_of_the_data(emulator: Emulator) -> None:
    reached = set()
    for path, shown in crawl(emulator):
        reached.add(urlsplit(path).path)
        assert not shown.all("img"), path[:200]
        assert not shown.all("b"), path[:200]
        assert all((script.get("src") or "").startswith("/console/static/") for script in shown.all("script"))
        for link in shown.all("a"):
            assert (link.get("href") or "#").startswith(("/", "#")), path[:200]
    assert reached >= {address(screen.path) for screen in SCREENS if not screen.under}


def test_no_page_runs_a_script_of_the_data_or_loses_its_layout(browser: Browser, emulator: Emulator) -> None:
    looked_at = set()
    with opened(browser, emulator, ignore_status=True) as go:
        for path, _ in crawl(emulator):
            if kind_of(path) in looked_at:
                continue
            looked_at.add(kind_of(path))
            assert not is_wider_than_the_window(go(path)), path[:300]
