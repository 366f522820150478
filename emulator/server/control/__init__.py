"""The control API, `/_emulator/*`: what the real services do not offer. Look inside, move time, make segments.

One file a group of routes; each is given the blueprint and a function that finds the world a request speaks to.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from flask import Blueprint

from emulator.server.control import (
    calls,
    clock,
    dead_letters,
    engage,
    faults,
    health,
    journal,
    openapi,
    rate_limit,
    segments,
    state,
)
from emulator.server.control import (
    queries as read_models,
)

if TYPE_CHECKING:
    from emulator.server.services import SandboxServices

GROUPS = (
    health,
    clock,
    segments,
    engage,
    calls,
    read_models,
    dead_letters,
    faults,
    rate_limit,
    journal,
    state,
    openapi,
)


def blueprint(world: Callable[[], SandboxServices]) -> Blueprint:
    """All routes. `world` is asked at every request."""
    routes = Blueprint("control", __name__)
    for group in GROUPS:
        group.add(routes, services)
    return routes
