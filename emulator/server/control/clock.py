"""The sandbox's time: look, move forward, stand still, run on."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, jsonify, request

from emulator.clock import to_iso
from emulator.durations import parse_duration
from emulator.errors import InputError, nearest
from emulator.server.control.request_args import json_body
from emulator.server.services import CurrentServices

if TYPE_CHECKING:
    from emulator.server.services import SandboxServices

_UNITS = ("days", "hours", "minutes", "seconds")


def add(routes: Blueprint, services: CurrentServices) -> None:
    """Adds the routes."""

    @routes.get("/clock")
    def clock() -> Response:
        return jsonify(_state(services()))

    @routes.post("/clock/advance")
    def advance() -> Response:
        services().advance(_duration(json_body()))
        return jsonify(_state(services()))

    @routes.post("/clock/freeze")
    def freeze() -> Response:
        services().sandbox.clock.freeze()
        return jsonify(_state(services()))

    @routes.post("/clock/resume")
    def resume() -> Response:
        services().sandbox.clock.resume()
        return jsonify(_state(services()))


def _state(services: SandboxServices) -> dict[str, Any]:
    clock = services.sandbox.clock
    return {"now": to_iso(clock.now()), "frozen": clock.frozen, "aheadSeconds": clock.offset.total_seconds()}


def _duration(body: dict[str, Any]) -> timedelta:
    if set(body) == {"duration"}:
        return parse_duration(str(body["duration"]), where="duration")
    for key, value in body.items():
        if key not in _UNITS:
            raise InputError(
                "this is not a unit of time",
                where=key,
                allowed=", ".join((*_UNITS, "duration")),
                hint=nearest(key, _UNITS),
            )
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1_000_000:
            raise InputError("this is not an amount of time", where=key, found=value, allowed="0 to 1000000")
    if not body:
        raise InputError("say how far", where=request.path, hint='For example {"hours": 4}.')
    return timedelta(**body)
