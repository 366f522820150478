"""`POST /graphql`: the door of StackAdapt's side.

The order is the observed one: the body is checked before the token, then faults strike, then the document runs. Every
request whose token is known is journalled; others belong to no sandbox.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

from flask import Blueprint, Request, Response, request
from graphql import GraphQLError

from emulator.clock import stopwatch
from emulator.events import GraphQLExchanged
from emulator.ids import Ids
from emulator.stackadapt import StackAdapt, messages
from emulator.stackadapt.body import BadBody, GraphQLParams, read_body
from emulator.stackadapt.document import asks_introspection, parse_document
from emulator.stackadapt.execution import GRAPHQL_RESPONSE, Reply, error_body
from emulator.stackadapt.limits import Limits
from emulator.workspace import Token

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]

Find = Callable[[str], StackAdapt | None]


@dataclass(frozen=True, slots=True)
class _Caller:
    """Who asks: the sandbox that knows the token, and the token, unless it has expired."""

    stackadapt: StackAdapt | None
    token: Token | None


def blueprint(find: Find) -> Blueprint:
    """The routes `/graphql` and below. `find` gives the sandbox that owns a bearer token."""
    routes = Blueprint("graphql", __name__)
    strangers = Ids()

    def answer(rest: str = "") -> Response:
        elapsed = stopwatch()
        if request.method != "POST":
            refused = Reply(status=405, body=error_body(messages.method_not_allowed(request.method), emulator=True))
            return _response(refused, headers={"Allow": "POST"})
        secret = _bearer(request)
        stackadapt = find(secret) if secret else None
        limits = stackadapt.limits if stackadapt else Limits()
        caller = _Caller(stackadapt, stackadapt.token(secret) if stackadapt and secret else None)
        trace_id = (stackadapt.sandbox.ids if stackadapt else strangers).trace_id()
        body = request.stream.read(limits.body_bytes + 1)
        reply = _reply(body, caller, limits, trace_id=trace_id, anonymous=secret is None)
        response = _response(reply)
        if stackadapt is not None:
            _journal(stackadapt, caller.token, reply, trace_id, body, response, elapsed())
        return response

    for rule in ("/graphql", "/graphql/", "/graphql/<path:rest>"):
        routes.add_url_rule(rule, view_func=answer, methods=METHODS, provide_automatic_options=False)
    return routes


def _reply(body: bytes, caller: _Caller, limits: Limits, *, trace_id: str, anonymous: bool) -> Reply:
    if len(body) > limits.body_bytes:
        return Reply(status=413, body=error_body(messages.body_too_large(limits.body_bytes), emulator=True))
    try:
        params = read_body(body)
    except BadBody as error:
        return Reply(status=error.status, body=error_body(error.message, emulator=error.emulator))
    if caller.stackadapt is None or caller.token is None:
        return _unauthorized(params, limits, trace_id, anonymous=anonymous)
    strict = request.accept_mimetypes.best_match(["application/json", GRAPHQL_RESPONSE]) == GRAPHQL_RESPONSE
    return caller.stackadapt.execute(caller.token, params, trace_id=trace_id, strict=strict)


def _unauthorized(params: GraphQLParams, limits: Limits, trace_id: str, *, anonymous: bool) -> Reply:
    """Observed for introspection without a token only; the other text is ours."""
    if anonymous and _asks_introspection(params, limits):
        body = error_body(messages.INTROSPECTION_NEEDS_AUTHENTICATION, trace_id=trace_id)
    else:
        body = error_body(messages.NEEDS_AUTHENTICATION, trace_id=trace_id, emulator=True)
    return Reply(status=401, body=body)


def _asks_introspection(params: GraphQLParams, limits: Limits) -> bool:
    try:
        return asks_introspection(parse_document(params.query, limits))
    except GraphQLError:
        return False


def _bearer(received: Request) -> str | None:
    """The bearer token of the Authorization header; None without one."""
    scheme, _, secret = received.headers.get("Authorization", "").strip().partition(" ")
    return secret.strip() or None if scheme.lower() == "bearer" else None


def _response(reply: Reply, headers: dict[str, str] | None = None) -> Response:
    best = request.accept_mimetypes.best_match(["application/json", GRAPHQL_RESPONSE], "application/json")
    text = json.dumps(reply.body, ensure_ascii=False, separators=(",", ":"))
    content = text.encode("utf-8", "replace")
    return Response(content, status=reply.status, headers=headers, content_type=f"{best}; charset=utf-8")


def _journal(
    stackadapt: StackAdapt,
    token: Token | None,
    reply: Reply,
    trace_id: str,
    body: bytes,
    response: Response,
    duration_ms: float,
) -> None:
    most = stackadapt.limits.journal_characters
    stackadapt.sandbox.journal.append(
        GraphQLExchanged(
            at=stackadapt.sandbox.clock.now(),
            trace_id=trace_id,
            token_name=token.name if token else None,
            operations=reply.operations,
            status=reply.status,
            request=body.decode("utf-8", "replace")[:most],
            response=response.get_data(as_text=True)[:most],
            duration_ms=duration_ms,
        )
    )
