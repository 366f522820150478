"""The HTTP Tracking API, `POST /v1/*`, as a Flask blueprint: parse, call, answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import Blueprint, Response, jsonify, request

from emulator.segment.bodies import BadRequest, limit_of, parse_body, unpacked
from emulator.segment.segment import Segment
from emulator.segment.tracking import BATCHES, CALLS


def blueprint(find: Callable[[str], Segment | None]) -> Blueprint:
    """The routes. `find` gives the Segment in whose workspace a write key is known."""
    routes = Blueprint("tracking", __name__, url_prefix="/v1")

    def take(route: str) -> tuple[Response, int]:
        try:
            body = _body(route)
            key = _write_key(body)
            segment = find(key) if key else None
            if segment is None:
                raise _unknown_source(key)
            segment.take(route, body, source=segment.source_named_by(key))
        except BadRequest as error:
            return _refusal(error), 400
        return jsonify(success=True), 200

    for route in (*CALLS, *BATCHES):
        routes.add_url_rule(
            f"/{route}",
            endpoint=route,
            view_func=take,
            defaults={"route": route},
            methods=["POST"],
            strict_slashes=False,
        )
    return routes


def _body(route: str) -> dict[str, Any]:
    limit = limit_of(route)
    # One byte more than is allowed tells that it is too much; the rest need not be read.
    raw = request.stream.read(limit + 1)
    return parse_body(route, unpacked(raw, request.headers.get("Content-Encoding", ""), limit=limit))


def _write_key(body: Mapping[str, Any]) -> str:
    """The user name of Basic authentication, else `writeKey` in the body: libraries send one, the other or both."""
    basic = request.authorization
    if basic is not None and basic.type == "basic" and basic.username:
        return basic.username
    key = body.get("writeKey")
    return key if isinstance(key, str) else ""


def _unknown_source(key: str) -> BadRequest:
    return BadRequest(
        "There is no source with this write key." if key else "There is no write key in this request.",
        code="unknown_source",
        hint="Send the write key of a source of the workspace as Basic user name or as writeKey in the body.",
    )


def _refusal(error: BadRequest) -> Response:
    hint = {"hint": error.hint} if error.hint else {}
    return jsonify(success=False, message=error.message, code=error.code, **hint)
