"""An emulator that plays the live service: another token, its own advertisers, a clock that the test moves."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from emulator import Emulator
from emulator.clock import Clock
from emulator.harness.probe import STATE, ProbeReport, RowResult, Run, State, Wanted
from emulator.harness.probe.write_requests import SEGMENT_RULE
from emulator.server.probe_reference import open_reference
from emulator.workspace import parse_workspace

TOKEN = "secret-token-of-the-live-service"
URL = "http://127.0.0.1/graphql"
WORKSPACE = {
    "advertisers": [{"id": "7", "name": "Probed"}, {"id": "8", "name": "Readable"}, {"id": "9", "name": "Hidden"}],
    "tokens": [{"token": TOKEN, "name": "Live", "scopes": {"7": ["READ", "WRITE"], "8": ["READ"]}}],
}
BEGAN = datetime(2026, 6, 1, tzinfo=UTC)


@dataclass
class Live:
    """The emulator that is probed, the folder of the probe, and what sends to it."""

    emulator: Emulator
    clock: Clock
    folder: Path
    transport: httpx.BaseTransport

    def segment(self) -> str:
        """A segment of the audience that the probes use."""
        return str(self.emulator.stackadapt.segments.create("7", "Probe", SEGMENT_RULE)["id"])

    def begin(self, *only: str, token: str = TOKEN, advertiser: str = "7", **wanted: Any) -> ProbeReport:
        asked = Wanted(url=URL, advertiser_id=advertiser, only=only, **{"writes": True, **wanted})
        return self._run(token, lambda run: run.begin(asked))

    def resume(self, token: str = TOKEN) -> ProbeReport:
        return self._run(token, lambda run: run.resume(State.load(self.folder / STATE)))

    def to_the_end(self, *only: str, step: timedelta = timedelta(hours=4), **wanted: Any) -> ProbeReport:
        """Resumes until nothing waits."""
        report = self.begin(*only, **wanted)
        while report.progress.waiting:
            self.clock.advance(step)
            report = self.resume()
        return report

    def _run(self, token: str, play: Callable[[Run], ProbeReport]) -> ProbeReport:
        with httpx.Client(transport=self.transport) as client:
            return play(Run(self.folder, token, client, self.clock, open_reference))


Open = Callable[..., Live]


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Open]:
    """Opens an emulator whose workspace has these changes."""
    with ExitStack() as opened:

        def live(changes: Mapping[str, Any] | None = None) -> Live:
            clock = Clock(frozen_at=BEGAN)
            emulator = opened.enter_context(Emulator(parse_workspace({**WORKSPACE, **(changes or {})}), clock=clock))
            return Live(emulator, clock, tmp_path / "probe", httpx.WSGITransport(app=emulator.app))

        yield live


def row_of(report: ProbeReport, name: str) -> RowResult:
    return next(row for row in report.rows if row.row == name)
