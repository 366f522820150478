"""The HTTP Tracking API, `POST /v1/*`, as a Flask blueprint.

Browser and mobile libraries use one-letter routes, `/v1/t` for track. The CORS headers allow those that
`@segment/analytics-next` sends, from any origin.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from flask import Blueprint, Response, jsonify, request

from emulator.credentials import fingerprint, without_secrets
from emulator.errors import NotFound, UserMistake
from emulator.segment.service import Segment
from emulator.segment.tracking.calls import BATCHES, CALLS
from emulator.segment.tracking.request_body import BadRequest, ParsedBody, decompress, limit_of, parse_body
from emulator.store_failures import StoreFailure

_INITIALS = {name[0]: name for name in (*CALLS, "batch")}
_UNKNOWN_SOURCE = "unknown_source"
_FOR_BROWSERS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, X-Retry-Count",
}

Find = Callable[[str], Segment | None]
_LOG = logging.getLogger(__name__)


def blueprint(find: Find, fallback: Callable[[], Segment]) -> Blueprint:
    """The routes. `find` returns the Segment service whose workspace has a write key, `fallback` the one whose journal
    lists the requests that belong to none.
    """
    routes = Blueprint("tracking", __name__, url_prefix="/v1")

    def ingest(route: str) -> tuple[Response, int]:
        body, error = _body(route)
        key = _write_key(body)
        try:
            segment = find(key) if key else None
        except UserMistake as mistake:
            why = {"reason": "unreadable_sandbox", "message": mistake.message}
            _refuse(fallback(), route, body, key, status=400, **why)
            raise
        if error is None:
            error = _unknown_source(key) if segment is None else _ingest(segment, route, body, key)
        if error is None:
            return jsonify(success=True), 200
        owner = fallback() if segment is None or error.code == _UNKNOWN_SOURCE else segment
        _refuse(owner, route, body, key, status=400, reason=error.code, message=error.message)
        return _bad_request(error), 400

    def failed(failure: StoreFailure) -> tuple[Response, int, dict[str, str]]:
        _LOG.error("%s: %s", request.path, failure)
        error = BadRequest(failure.reason, code="store_failed", hint=failure.hint)
        return _bad_request(error), 503, failure.headers

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
    routes.register_error_handler(StoreFailure, failed)
    return routes


def route_named(text: str) -> str | None:
    """The route of the Tracking API with this name or initial."""
    name = _INITIALS.get(text, text)
    return name if name in (*CALLS, *BATCHES) else None


def journal_refused(
    find: Find, fallback: Callable[[], Segment], route: str, *, status: int, reason: str, message: str, read: bool
) -> None:
    """Journals the current request, which was meant for a route of the Tracking API and refused before it got there.

    Its body is left unread unless `read`.
    """
    body = _body(route)[0] if read else ParsedBody()
    key = _write_key(body)
    segment = None
    with suppress(UserMistake):
        segment = find(key) if key else None
    _refuse(segment or fallback(), route, body, key, status=status, reason=reason, message=message)


def _refuse(
    segment: Segment, route: str, body: ParsedBody, key: str, *, status: int, reason: str, message: str
) -> None:
    segment.refuse(
        route,
        body,
        status=status,
        reason=reason,
        message=without_secrets(message, [key]),
        source=segment.source_named_by(key) if key else None,
        credential=fingerprint(key),
    )


def _body(route: str) -> tuple[ParsedBody, BadRequest | None]:
    """The request's body; an empty one and the error where it cannot be read."""
    limit = limit_of(route)
    # A body that is too large gets the response of this API, not that of the server.
    request.max_content_length = None
    # One byte beyond the limit is enough to refuse it.
    raw = request.stream.read(limit + 1)
    try:
        return parse_body(route, decompress(raw, request.headers.get("Content-Encoding", ""), limit=limit)), None
    except BadRequest as error:
        return ParsedBody(), error


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


def _ingest(segment: Segment, route: str, body: ParsedBody, key: str) -> BadRequest | None:
    """The error for an unknown write key when the sandbox was deleted meanwhile."""
    try:
        segment.ingest(route, body, source=segment.source_named_by(key))
    except NotFound:
        return _unknown_source(key)
    return None


def _unknown_source(key: str) -> BadRequest:
    return BadRequest(
        "No source has this write key." if key else "The request has no write key.",
        code=_UNKNOWN_SOURCE,
        hint="Send a source's write key as the user name of Basic authentication or as writeKey in the body.",
    )


def _bad_request(error: BadRequest) -> Response:
    hint = {"hint": error.hint} if error.hint else {}
    return jsonify(success=False, message=error.message, code=error.code, **hint)
