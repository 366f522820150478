"""Is it up, and back to the beginning."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from emulator import __version__
from emulator.clock import to_iso
from emulator.server.services import CurrentServices


def add(routes: Blueprint, services: CurrentServices) -> None:
    """Adds the routes."""

    @routes.get("/health")
    def health() -> Response:
        return jsonify(
            status="ok", version=__version__, sandbox=services().sandbox.name, now=to_iso(services().sandbox.clock.now())
        )

    @routes.post("/reset")
    def reset() -> Response:
        services().reset()
        return jsonify(status="reset", now=to_iso(services().sandbox.clock.now()))
