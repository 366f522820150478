"""Engage's audiences and journeys: compute an audience for everybody, look at the journeys."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, request

from emulator.errors import InputError, nearest
from emulator.server.control.reading import Chosen, json_body, text

_KEYS = ("destination",)


def add(routes: Blueprint, world: Chosen) -> None:
    """Adds the routes."""

    @routes.post("/audiences/<key>/compute")
    def compute(key: str) -> Response:
        body = json_body() if request.get_data() else {}
        for name in body:
            if name not in _KEYS:
                raise InputError(
                    "a computation has no such setting.",
                    where=name,
                    allowed=", ".join(_KEYS),
                    hint=nearest(name, _KEYS),
                )
        destination = text(body, "destination") if body else None
        return jsonify(audience=key, **world().segment.compute(key, destination))

    @routes.get("/journeys")
    def journeys() -> Response:
        world().segment.tick()
        return jsonify(journeys=world().segment.journeys())
