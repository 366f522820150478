"""The coverage of what an endpoint has recorded so far, asked of its control API."""

from __future__ import annotations

import httpx

from emulator.errors import EmulatorError, reason_of
from emulator.harness.client import Control, Endpoint
from emulator.harness.coverage.covered import Coverage, check_format, coverage_in

_NO_CONTROL = "An endpoint that is not an emulator says nothing about what was exercised."


def coverage_at(endpoint: Endpoint) -> Coverage:
    """The coverage of a sandbox; nothing but a note where there is no control API, or where it cannot be asked."""
    if not endpoint.controlled:
        return Coverage(notes={_NO_CONTROL})
    try:
        return coverage_from(endpoint.control, "GET /_emulator/coverage")
    except httpx.HTTPError as error:
        return Coverage(notes={f"A sandbox is not counted: no response, {reason_of(error)}."})
    except EmulatorError as error:
        return Coverage(notes={f"A sandbox is not counted: {str(error).removesuffix('.')}."})


def coverage_from(control: Control, where: str) -> Coverage:
    """The coverage that a control API answers. Raises UserMistake, InputError for an emulator of another version."""
    document = control.get("coverage")
    check_format(document, where)
    return coverage_in(document)
