"""Pages in a real browser, which may not complain, ask another host or run a script of the data."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from emulator.server.emulator import Emulator

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Dialog, Locator, Page


@dataclass
class Seen:
    """What a page must not do."""

    problems: list[str] = field(default_factory=list)
    leaving: list[str] = field(default_factory=list)
    hosts: set[str] = field(default_factory=set)


SERIOUS = frozenset({"serious", "critical"})
# The only rules whose result depends on light and dark.
COLORS = {
    "resultTypes": ["violations"],
    "runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]},
}


def inaccessible(page: Page, options: dict[str, object] | None = None) -> list[str]:
    """What axe finds serious, with the elements."""
    from axe_playwright_python.sync_playwright import DEFAULT_OPTIONS, Axe

    found = Axe().run(page, options=options or DEFAULT_OPTIONS).response["violations"]
    serious = [violation for violation in found if violation["impact"] in SERIOUS]
    return [f"{each['id']}: {[node['html'][:200] for node in each['nodes'][:3]]}" for each in serious]


def is_wider_than_the_window(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))


def follow(locator: Locator) -> None:
    """Clicks what leads to another page, or to this one again, and goes on when that page and its scripts are there:
    the page before has elements of the same names.
    """
    with locator.page.expect_navigation():
        locator.click()


Open = Callable[[str], "Page"]


@contextmanager
def opened(
    browser: Browser,
    emulator: Emulator,
    scheme: str = "light",
    *,
    refused: int | None = None,
    ignore_status: bool = False,
    asked_to_leave: int = 0,
) -> Iterator[Open]:
    """Opens paths in a page; at the end, nothing may have gone wrong in it but one answer with the status `refused`, or
    with `ignore_status` any that have an error's. It asks `asked_to_leave` times whether to leave it, and the answer
    is yes.
    """
    seen = Seen()
    with closing(browser.new_context(color_scheme=scheme)) as context:  # type: ignore[arg-type]  # a literal
        yield _watched(context.new_page(), seen, emulator)
    assert len(seen.leaving) == asked_to_leave, seen.leaving
    refusals = [problem for problem in seen.problems if refused is not None and f"status of {refused}" in problem]
    statuses = [
        problem for problem in seen.problems if ignore_status and "the server responded with a status" in problem
    ]
    assert seen.problems == (statuses or refusals[:1]), seen.problems
    assert seen.hosts <= {urlsplit(emulator.url).netloc, ""}


def _watched(page: Page, seen: Seen, emulator: Emulator) -> Open:
    """Opens paths of an emulator in a page, and notes what happens in it."""
    # A violation of the content security policy is an error of the console too.
    page.on("console", lambda said: seen.problems.append(said.text) if said.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: seen.problems.append(str(error)))
    page.on("dialog", lambda dialog: _answer(dialog, seen))
    page.on("request", lambda request: seen.hosts.add(urlsplit(request.url).netloc))

    def go(path: str) -> Page:
        page.goto(emulator.url + path)
        return page

    return go


def _answer(dialog: Dialog, seen: Seen) -> None:
    if dialog.type == "beforeunload":
        seen.leaving.append(dialog.page.url if dialog.page else "")
        dialog.accept()
        return
    seen.problems.append(dialog.message)
    dialog.dismiss()
