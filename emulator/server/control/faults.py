"""Making things go wrong."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from emulator.server.control.reading import Chosen, json_body


def add(routes: Blueprint, world: Chosen) -> None:
    """Adds the routes."""

    @routes.get("/faults")
    def faults() -> Response:
        return jsonify(faults=[rule.as_dict() for rule in world().sandbox.faults.rules()])

    @routes.post("/faults")
    def add_fault() -> tuple[Response, int]:
        return jsonify(world().sandbox.faults.add(json_body()).as_dict()), 201

    @routes.delete("/faults")
    def clear_faults() -> tuple[str, int]:
        world().sandbox.faults.clear()
        return "", 204
