"""How long the console's pages take until they are first painted, in the system's Chromium."""

from __future__ import annotations

from collections.abc import Mapping

from tests.bench.rows import Measured
from tests.bench.servers import Server
from tests.console import chromium

_PAGES: Mapping[str, str] = {
    "console-profiles": "/console/profiles",
    "console-person": "/console/person?person=u7",
    "console-requests": "/console/requests",
}
_TIMES = 7
_FIRST_PAINT = """() => new Promise((done) => {
  const look = (list) => list.getEntriesByName("first-contentful-paint").forEach((entry) => done(entry.startTime));
  new PerformanceObserver(look).observe({ type: "paint", buffered: true });
})"""


def first_paints(server: Server) -> dict[str, Measured]:
    """Milliseconds from the navigation to the first contentful paint, of each page several times."""
    if (why := chromium.missing()) is not None:
        return dict.fromkeys(_PAGES, Measured(skipped=why))
    with chromium.running() as browser:
        page = browser.new_page()
        found: dict[str, list[float]] = {name: [] for name in _PAGES}
        page.goto(f"http://127.0.0.1:{server.port}/")
        for _ in range(_TIMES):
            for name, path in _PAGES.items():
                page.goto(f"http://127.0.0.1:{server.port}{path}")
                found[name].append(float(page.evaluate(_FIRST_PAINT)))
                # What comes after the page is not to be in the next one's time.
                page.wait_for_load_state("networkidle")
    return {name: Measured(figures=times) for name, times in found.items()}
