"""The HTTP Tracking API, `POST /v1/*`, as a Flask blueprint: parse, call, answer.

Browser and mobile libraries use routes of one letter, `/v1/t` for track. A browser first asks whether it may send the
headers that `@segment/analytics-next` adds, and shows the answer only to pages that the answer allows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import Blueprint, Response, jsonify, request

from emulator.errors import NotFound
from emulator.segment.service import Segment
from emulator.segment.tracking.calls import BATCHES, CALLS
from emulator.segment.tracking.request_body import BadRequest, decompress, limit_of, parse_body

_INITIALS = {name[0]: name for name in (*CALLS, "batch")}
_FOR_BROWSERS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, X-Retry-Count",
}


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
            _take(segment, route, body, key)
        except BadRequest as error:
            return _refusal(error), 400
        return jsonify(success=True), 200

    def take_short(initial: str) -> tuple[Response, int]:
        return take(_INITIALS[initial])

    def open_to_browsers(answer: Response) -> Response:
        answer.headers.update(_FOR_BROWSERS)
        return answer

    options: dict[str, Any] = {"methods": ["POST"], "strict_slashes": False}
    for route in (*CALLS, *BATCHES):
        routes.add_url_rule(f"/{route}", endpoint=route, view_func=take, defaults={"route": route}, **options)
    routes.add_url_rule(f"/<any({', '.join(_INITIALS)}):initial>", view_func=take_short, **options)
    routes.after_request(open_to_browsers)
    return routes


def _body(route: str) -> dict[str, Any]:
    limit = limit_of(route)
    # What is too large gets the answer of this API, not that of the server around it.
    request.max_content_length = None
    # One byte more than is allowed tells that it is too much; the rest need not be read.
    raw = request.stream.read(limit + 1)
    return parse_body(route, decompress(raw, request.headers.get("Content-Encoding", ""), limit=limit))


def _write_key(body: Mapping[str, Any]) -> str:
    """The user name of Basic authentication, else `writeKey` in the body: libraries send one, the other or both."""
    try:
        basic = request.authorization
    except ValueError:
        # werkzeug gives None for every other value that cannot be read, and fails on one beyond ASCII.
        basic = None
    if basic is not None and basic.type == "basic" and basic.username:
        return basic.username
    key = body.get("writeKey")
    return key if isinstance(key, str) else ""


def _take(segment: Segment, route: str, body: Mapping[str, Any], key: str) -> None:
    """Raises BadRequest as for an unknown write key when the sandbox was deleted meanwhile, and its keys with it."""
    try:
        segment.take(route, body, source=segment.source_named_by(key))
    except NotFound:
        raise _unknown_source(key) from None


def _unknown_source(key: str) -> BadRequest:
    return BadRequest(
        "There is no source with this write key." if key else "There is no write key in this request.",
        code="unknown_source",
        hint="Send the write key of a source of the workspace as Basic user name or as writeKey in the body.",
    )


def _refusal(error: BadRequest) -> Response:
    hint = {"hint": error.hint} if error.hint else {}
    return jsonify(success=False, message=error.message, code=error.code, **hint)
