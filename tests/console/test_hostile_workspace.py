"""Pages that can be reached by links, with hostile names and values everywhere."""

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

# How many pages of one screen are looked at; each has other arguments than the rest.
_OF_A_SCREEN = 8


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    with hostile_emulator() as started:
        yield started


@pytest.fixture(scope="module")
def reached(emulator: Emulator) -> dict[str, Page]:
    """Pages by their addresses, from the overview on."""
    waiting, kinds, of_a_screen = ["/"], {arguments_of("/")}, Counter[str]()
    found: dict[str, Page] = {}
    while waiting:
        path = waiting.pop(0)
        answer = get(emulator.client, path)
        assert answer.status_code in (200, 404), (path[:200], answer.text[:2000])
        found[path] = Page(answer.text)
        for link in found[path].all("a"):
            target = (link.get("href") or "").partition("#")[0]
            kind = arguments_of(target)
            is_page = target == "/" or target.startswith(("/?", "/console/"))
            if is_page and kind not in kinds and of_a_screen[kind[0]] < _OF_A_SCREEN:
                kinds.add(kind)
                of_a_screen[kind[0]] += 1
                waiting.append(target)
    return found


def arguments_of(target: str) -> tuple[str, ...]:
    """The path, and the names of the arguments."""
    parts = urlsplit(target)
    return (parts.path, *sorted({name for name, _ in parse_qsl(parts.query)}))


def test_the_workspace_is_used(emulator: Emulator) -> None:
    assert emulator.client.get("/_emulator/counts").json["stackadapt"]["profiles"] > 0


def test_no_page_has_an_element_of_the_data(reached: dict[str, Page]) -> None:
    for path, shown in reached.items():
        assert not shown.all("img"), path[:200]
        assert not shown.all("b"), path[:200]
        assert all((script.get("src") or "").startswith("/console/static/") for script in shown.all("script"))
        for link in shown.all("a"):
            assert (link.get("href") or "#").startswith(("/", "#")), path[:200]
    assert {urlsplit(path).path for path in reached} >= {address(each.path) for each in SCREENS if not each.under}


def test_no_page_runs_a_script_of_the_data_or_loses_its_layout(
    browser: Browser, emulator: Emulator, reached: dict[str, Page]
) -> None:
    # Of each screen the page with the most arguments.
    pages = {urlsplit(path).path: path for path in sorted(reached, key=lambda path: len(arguments_of(path)))}
    with opened(browser, emulator, ignore_status=True) as go:
        for path in pages.values():
            assert not is_wider_than_the_window(go(path)), path[:300]
