"""Health, reset, the OpenAPI document, and the sandbox's clock."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import Blueprint, Response, jsonify, request

from emulator import __version__
from emulator.clock import Clock, to_iso
from emulator.durations import parse_duration
from emulator.errors import InputError
from emulator.server.control.request_args import document, json_body
from emulator.server.services import CurrentServices


def add(routes: Blueprint, services: CurrentServices) -> None:
    """Adds the routes."""

    @routes.get("/openapi.json")
    def openapi() -> Response:
        return jsonify(document())

    @routes.get("/health")
    def health() -> Response:
        sandbox = services().sandbox
        return jsonify(status="ok", version=__version__, sandbox=sandbox.name, now=to_iso(sandbox.clock.now()))

    @routes.post("/reset")
    def reset() -> Response:
        services().reset()
        return jsonify(status="reset", now=to_iso(services().sandbox.clock.now()))

    @routes.get("/clock")
    def clock() -> Response:
        current = services()
        advance = current.advance_in_progress()
        return jsonify(_state(current.sandbox.clock) | ({"advance": advance.as_dict()} if advance else {}))

    @routes.post("/clock/advance")
    def advance() -> Response:
        services().advance(_duration(json_body()))
        return jsonify(_state(services().sandbox.clock))

    @routes.post("/clock/freeze")
    def freeze() -> Response:
        services().freeze()
        return jsonify(_state(services().sandbox.clock))

    @routes.post("/clock/resume")
    def resume() -> Response:
        services().resume()
        return jsonify(_state(services().sandbox.clock))


def _state(clock: Clock) -> dict[str, Any]:
    return {"now": to_iso(clock.now()), "frozen": clock.frozen, "aheadSeconds": clock.offset.total_seconds()}


def _duration(body: dict[str, Any]) -> timedelta:
    if not body:
        raise InputError("no duration given", where=request.path, hint='For example {"hours": 4}.')
    return parse_duration(body["duration"], where="duration") if "duration" in body else timedelta(**body)
