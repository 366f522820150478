"""The system's Chromium, driven by Playwright; nothing is downloaded."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Browser

REQUIRE_VARIABLE = "STACKADAPT_EMULATOR_REQUIRE_BROWSER"
# No connection of the browser's own; no sandbox, which needs more rights than a container gives.
_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def missing() -> str | None:
    """Why no browser can be started here, or None."""
    if _path() is None:
        return "no Chromium is installed (Debian: apt-get install chromium)"
    try:
        import playwright  # noqa: F401 - whether it is installed
    except ImportError:
        return "Playwright is not installed (pip install playwright)"
    return None


def is_required() -> bool:
    """Whether tests fail, instead of being skipped, where there is no browser."""
    return os.environ.get(REQUIRE_VARIABLE) == "1"


@contextmanager
def running() -> Iterator[Browser]:
    """A headless browser."""
    from playwright.sync_api import expect, sync_playwright

    # As long as Playwright waits elsewhere: five seconds are too few on a busy machine.
    expect.set_options(timeout=30_000)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_path(), args=[*_FLAGS])
        try:
            yield browser
        finally:
            browser.close()


def _path() -> str | None:
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
