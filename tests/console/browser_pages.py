"""Pages in a real browser, which may not complain, ask another host or run a script of the data."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from emulator.server.emulator import Emulator

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


@dataclass
class Seen:
    """What a page must not do."""

    problems: list[str] = field(default_factory=list)
    hosts: set[str] = field(default_factory=set)


Open = Callable[[str], "Page"]


@contextmanager
def opened(browser: Browser, emulator: Emulator, scheme: str = "light", refused: int | None = None) -> Iterator[Open]:
    """Opens paths in a page; at the end, nothing may have gone wrong in it but one answer with the status `refused`."""
    context = browser.new_context(color_scheme=scheme)  # type: ignore[arg-type]  # a literal
    page, seen = context.new_page(), Seen()
    # A violation of the content security policy is an error of the console too.
    page.on("console", lambda said: seen.problems.append(said.text) if said.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: seen.problems.append(str(error)))
    page.on("dialog", lambda dialog: (seen.problems.append(dialog.message), dialog.dismiss()))
    page.on("request", lambda request: seen.hosts.add(urlsplit(request.url).netloc))

    def go(path: str) -> Page:
        page.goto(emulator.url + path)
        return page

    yield go
    context.close()
    refusals = [problem for problem in seen.problems if refused is not None and f"status of {refused}" in problem]
    assert seen.problems == refusals[:1]
    assert seen.hosts <= {urlsplit(emulator.url).netloc, ""}
