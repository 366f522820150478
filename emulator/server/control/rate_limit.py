"""The limit on requests per StackAdapt token."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from emulator.rate_limit import parse_rate_limit
from emulator.server.control.request_args import json_body
from emulator.server.services import CurrentServices


def add(routes: Blueprint, services: CurrentServices) -> None:
    """Adds the routes."""

    def shown() -> Response:
        limit = services().sandbox.rate_limiter.limit
        return jsonify(rateLimit=limit.as_dict() if limit else None)

    @routes.get("/rate-limit")
    def rate_limit() -> Response:
        return shown()

    @routes.put("/rate-limit")
    def set_rate_limit() -> Response:
        services().sandbox.rate_limiter.set(parse_rate_limit(json_body()))
        return shown()

    @routes.delete("/rate-limit")
    def remove_rate_limit() -> tuple[str, int]:
        services().sandbox.rate_limiter.set(None)
        return "", 204
