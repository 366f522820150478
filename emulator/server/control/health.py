"""Is it up, and back to the beginning."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from emulator import __version__
from emulator.clock import to_iso
from emulator.server.control.request_args import Chosen


def add(routes: Blueprint, world: Chosen) -> None:
    """Adds the routes."""

    @routes.get("/health")
    def health() -> Response:
        return jsonify(
            status="ok", version=__version__, sandbox=world().sandbox.name, now=to_iso(world().sandbox.clock.now())
        )

    @routes.post("/reset")
    def reset() -> Response:
        world().reset()
        return jsonify(status="reset", now=to_iso(world().sandbox.clock.now()))
