"""The coverage of what an endpoint has recorded so far, asked of its control API."""

from __future__ import annotations

from emulator.harness.client import Endpoint
from emulator.harness.coverage.covered import Coverage, coverage_in

_NO_CONTROL = "An endpoint that is not an emulator says nothing about what was exercised."


def coverage_at(endpoint: Endpoint) -> Coverage:
    """The coverage of a sandbox; nothing but a note where there is no control API."""
    if not endpoint.controlled:
        return Coverage(notes={_NO_CONTROL})
    return coverage_in(endpoint.control.get("coverage"))
