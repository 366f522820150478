"""The emulator to which a probe is compared: in this process, on a clock that only the probe moves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import httpx

from emulator.clock import Clock
from emulator.harness.probe import Services
from emulator.server.emulator import Emulator
from emulator.workspace import Workspace


@contextmanager
def open_reference(workspace: Workspace, clock: Clock) -> Iterator[Services]:
    """Opens an emulator in memory."""
    with Emulator(workspace, clock=clock) as emulator:

        def make_segment(advertiser_id: str, rule: Mapping[str, Any]) -> str:
            return str(emulator.stackadapt.segments.create(advertiser_id, "Fidelity probe", dict(rule))["id"])

        yield Services(transport=httpx.WSGITransport(app=emulator.app), make_segment=make_segment)
