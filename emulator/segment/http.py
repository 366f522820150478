"""The HTTP Tracking API, `POST /v1/*`, as a Flask blueprint.

Browser and mobile libraries use one-letter routes, `/v1/t` for track. The CORS headers allow those that
`@segment/analytics-next` sends, from any origin.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import Blueprint, Response, jsonify, request

from emulator.errors import NotFound
from emulator.segment.service import Segment
from emulator.segment.tracking.calls import BATCHES, CALLS
from emulator.segment.tracking.request_body import BadRequest, ParsedBody, decompress, limit_of, parse_body

_INITIALS = {name[0]: name for name in (*CALLS, "batch")}
_FOR_BROWSERS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, X-Retry-Count",
}


def blueprint(find: Callable[[str], Segment | None]) -> Blueprint:
    """The routes. `find` returns the Segment service whose workspace has a write key."""
    routes = Blueprint("tracking", __name__, url_prefix="/v1")

    def ingest(route: str) -> tuple[Response, int]:
        try:
            body = _body(route)
            key = _write_key(body)
            segment = find(key) if key else None
            if segment is None:
                raise _unknown_source(key)
            _ingest(segment, route, body, key)
        except BadRequest as error:
            return _bad_request(error), 400
        return jsonify(success=True), 200

    def ingest_short(initial: str) -> tuple[Response, int]:
        return ingest(_INITIALS[initial])

    def allow_browsers(response: Response) -> Response:
        response.headers.update(_FOR_BROWSERS)
        return response

    options: dict[str, Any] = {"methods": ["POST"], "strict_slashes": False}
    for route in (*CALLS, *BATCHES):
        routes.add_url_rule(f"/{route}", endpoint=route, view_func=ingest, defaults={"route": route}, **options)
    routes.add_url_rule(f"/<any({', '.join(_INITIALS)}):initial>", view_func=ingest_short, **options)
    routes.after_request(allow_browsers)
    return routes


def _body(route: str) -> ParsedBody:
    limit = limit_of(route)
    # A body that is too large gets the response of this API, not that of the server.
    request.max_content_length = None
    # One byte beyond the limit is enough to refuse it.
    raw = request.stream.read(limit + 1)
    return parse_body(route, decompress(raw, request.headers.get("Content-Encoding", ""), limit=limit))


def _write_key(body: Mapping[str, Any]) -> str:
    """The user name of Basic authentication, or else `writeKey` in the body: libraries send one or both."""
    try:
        basic = request.authorization
    except ValueError:
        # werkzeug returns None for other invalid values, but raises for one that is not ASCII.
        basic = None
    if basic is not None and basic.type == "basic" and basic.username:
        return basic.username
    key = body.get("writeKey")
    return key if isinstance(key, str) else ""


def _ingest(segment: Segment, route: str, body: ParsedBody, key: str) -> None:
    """Raises BadRequest for an unknown write key when the sandbox was deleted meanwhile."""
    try:
        segment.ingest(route, body, source=segment.source_named_by(key))
    except NotFound:
        raise _unknown_source(key) from None


def _unknown_source(key: str) -> BadRequest:
    return BadRequest(
        "No source has this write key." if key else "The request has no write key.",
        code="unknown_source",
        hint="Send a source's write key as the user name of Basic authentication or as writeKey in the body.",
    )


def _bad_request(error: BadRequest) -> Response:
    hint = {"hint": error.hint} if error.hint else {}
    return jsonify(success=False, message=error.message, code=error.code, **hint)
