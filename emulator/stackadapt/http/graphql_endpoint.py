"""`POST /graphql`: the door of StackAdapt's side.

The order is the observed one: the body is checked before the token, then the rate limit and the faults strike, then the
document runs. Every request whose token is known is journalled; others belong to no sandbox.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

from flask import Blueprint, Request, Response, request
from graphql import GraphQLError

from emulator.clock import stopwatch
from emulator.errors import InputError, NotFound
from emulator.events import GraphQLExchanged
from emulator.faults import Definition
from emulator.faults.header import parse_header
from emulator.faults.response_channel import channel_of
from emulator.ids import Ids
from emulator.protocol import FAULT_HEADER, TRACE_HEADER
from emulator.stackadapt import StackAdapt, messages
from emulator.stackadapt.graphql.document import asks_introspection, parse_document
from emulator.stackadapt.graphql.executor import GRAPHQL_RESPONSE, Reply, error_body
from emulator.stackadapt.graphql.request_body import BadBody, GraphQLParams, read_body
from emulator.stackadapt.http.fault_response import FaultedResponse, response_under
from emulator.stackadapt.limits import Limits
from emulator.workspace import Token

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]

# A token has no place in the journal, even when a client puts it into a body. One this short would be found in
# ordinary words, and protects nothing.
_HIDDEN = "***"
_SHORTEST_HIDDEN = 8

Find = Callable[[str], StackAdapt | None]


@dataclass(frozen=True, slots=True)
class _Caller:
    """Who asks: the sandbox that knows the token, and the token, unless it has expired."""

    stackadapt: StackAdapt | None
    token: Token | None


@dataclass(frozen=True, slots=True)
class _Exchange:
    """What the journal is told."""

    reply: Reply
    trace_id: str
    body: bytes
    answered: FaultedResponse
    duration_ms: float


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
        if stackadapt is None or secret is None:
            return _response(reply)
        effect, line = reply.match.effect, channel_of(request.environ)
        answered = response_under(effect, _response(reply, headers={TRACE_HEADER: trace_id}), line)
        exchange = _Exchange(reply, trace_id, body, answered, elapsed() + effect.delay_ms)
        _journal(stackadapt, caller.token, secret, exchange)
        if effect.delay_ms and not stackadapt.sandbox.clock.frozen:
            line.hold(effect.delay_ms)
        return answered.response

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
    try:
        fault = _fault_of(request, caller.stackadapt)
    except InputError as error:
        return Reply(status=400, body=error_body(str(error), trace_id=trace_id, emulator=True))
    strict = request.accept_mimetypes.best_match(["application/json", GRAPHQL_RESPONSE]) == GRAPHQL_RESPONSE
    try:
        return caller.stackadapt.execute(
            caller.token, params, trace_id=trace_id, strict=strict, fault=fault, host_url=request.host_url
        )
    except NotFound:
        # The sandbox was deleted meanwhile, and its tokens with it.
        return _unauthorized(params, limits, trace_id, anonymous=False)


def _fault_of(received: Request, stackadapt: StackAdapt) -> Definition | None:
    """The fault that a request wants for itself. Raises InputError."""
    written = received.headers.get(FAULT_HEADER)
    return parse_header(written, stackadapt.operations) if written is not None else None


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


def _journal(stackadapt: StackAdapt, token: Token | None, secret: str, exchange: _Exchange) -> None:
    most = stackadapt.limits.journal_characters
    asked = exchange.reply.asked
    stackadapt.sandbox.journal.append(
        GraphQLExchanged(
            at=stackadapt.sandbox.clock.now(),
            trace_id=exchange.trace_id,
            token_name=token.name if token else None,
            operations=asked.operations,
            status=exchange.answered.status,
            request=_without(secret, exchange.body)[:most],
            response=_without(secret, exchange.answered.body)[:most],
            duration_ms=exchange.duration_ms,
            matched=exchange.reply.match.names,
            advertiser_ids=asked.advertiser_ids,
            emails=asked.emails,
        )
    )


def _without(secret: str, body: bytes) -> str:
    text = body.decode("utf-8", "replace")
    return text.replace(secret, _HIDDEN) if len(secret) >= _SHORTEST_HIDDEN else text
