"""The control API, `/_emulator/*`: what the real services do not offer.

Each module adds the routes of one group; `services` finds the services that the current request addresses.
"""

from __future__ import annotations

from flask import Blueprint

from emulator.server.control import (
    calls,
    clock,
    coverage,
    destination_tests,
    events,
    faults,
    funnel,
    grade,
    journal,
    mapping_drafts,
    mutate,
    plan,
    queries,
    rate_limit,
    reference,
    scenarios,
    schema,
    segment_service,
    segments,
    state,
    tools,
    upgrade_check,
    wait,
    why,
)
from emulator.server.services import CurrentServices

_GROUPS = (
    calls,
    clock,
    segments,
    segment_service,
    queries,
    destination_tests,
    mapping_drafts,
    tools,
    plan,
    upgrade_check,
    mutate,
    grade,
    coverage,
    events,
    funnel,
    faults,
    rate_limit,
    schema,
    reference,
    scenarios,
    journal,
    state,
    wait,
    why,
)


def blueprint(services: CurrentServices) -> Blueprint:
    """All routes that address one sandbox."""
    routes = Blueprint("control", __name__)
    for group in _GROUPS:
        group.add(routes, services)
    return routes
