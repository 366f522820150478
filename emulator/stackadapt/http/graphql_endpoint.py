"""`POST /graphql`.

The order is the observed one: the body is checked before the token, then the rate limit and the faults apply, then the
document runs. Every request with a known token is written to the journal; others belong to no sandbox.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from flask import Blueprint, Request, Response, request

from emulator.clock import stopwatch
from emulator.errors import InputError, NotFound
from emulator.events import GraphQLExchanged
from emulator.faults import FaultedResponse, Interruption, ResponseChannel, channel_of, parse_header
from emulator.ids import Ids
from emulator.protocol import FAULT_HEADER, TRACE_HEADER
from emulator.stackadapt import messages
from emulator.stackadapt.graphql.document import asks_introspection
from emulator.stackadapt.graphql.executor import GraphQLRequest, GraphQLResponse
from emulator.stackadapt.graphql.request import BadBody, GraphQLParams, read_body
from emulator.stackadapt.limits import Limits
from emulator.stackadapt.service import StackAdapt
from emulator.workspace import Token

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
JSON = "application/json"
GRAPHQL_RESPONSE = "application/graphql-response+json"

# A token must not be in the journal, even if a client puts it into a body. One shorter than this would be found in
# ordinary words, and protects nothing.
_HIDDEN = "***"
_SHORTEST_HIDDEN = 8

Find = Callable[[str], StackAdapt | None]


@dataclass(frozen=True, slots=True)
class _Caller:
    """The bearer token of a request, the service that it belongs to, and the token, unless it has expired."""

    secret: str | None
    stackadapt: StackAdapt | None
    token: Token | None
    limits: Limits

    @classmethod
    def of(cls, received: Request, find: Find) -> _Caller:
        scheme, _, text = received.headers.get("Authorization", "").strip().partition(" ")
        secret = text.strip() or None if scheme.lower() == "bearer" else None
        stackadapt = find(secret) if secret else None
        token = stackadapt.token(secret) if stackadapt and secret else None
        return cls(secret, stackadapt, token, stackadapt.limits if stackadapt else Limits())

    def hide(self, body: bytes) -> str:
        """The journal's text of a body: of limited length, and without the token."""
        text = body.decode("utf-8", "replace")
        if self.secret is not None and len(self.secret) >= _SHORTEST_HIDDEN:
            text = text.replace(self.secret, _HIDDEN)
        return text[: self.limits.journal_characters]


def blueprint(find: Find) -> Blueprint:
    """The routes `/graphql` and below. `find` returns the service that a bearer token belongs to."""
    routes = Blueprint("graphql", __name__)
    ids_without_sandbox = Ids()

    def graphql(rest: str = "") -> Response:
        elapsed = stopwatch()
        if request.method != "POST":
            refused = GraphQLResponse.error(405, messages.METHOD_NOT_ALLOWED.format(request.method), emulator=True)
            return _flask_response(_http_response(refused, Allow="POST"), channel_of(request.environ))
        caller = _Caller.of(request, find)
        stackadapt, channel = caller.stackadapt, channel_of(request.environ)
        trace_id = (stackadapt.sandbox.ids if stackadapt else ids_without_sandbox).trace_id()
        body = request.stream.read(caller.limits.body_bytes + 1)
        result = _respond(body, caller, trace_id=trace_id)
        if stackadapt is None:
            return _flask_response(_http_response(result), channel)
        response = result.replacement or _http_response(result, **{TRACE_HEADER: trace_id})
        response = result.faults.on_response(response)
        stackadapt.sandbox.journal.append(
            GraphQLExchanged(
                at=stackadapt.sandbox.clock.now(),
                trace_id=trace_id,
                token_name=caller.token.name if caller.token else None,
                operations=result.summary.operations,
                status=response.status,
                request=caller.hide(body),
                response=caller.hide(response.body),
                duration_ms=elapsed() + response.delay_ms,
                matched=result.faults.names,
                advertiser_ids=result.summary.advertiser_ids,
                emails=result.summary.emails,
            )
        )
        if response.delay_ms and not stackadapt.sandbox.clock.frozen:
            channel.hold(response.delay_ms)
        return _flask_response(response, channel)

    for rule in ("/graphql", "/graphql/", "/graphql/<path:rest>"):
        routes.add_url_rule(rule, view_func=graphql, methods=METHODS, provide_automatic_options=False)
    return routes


def _respond(body: bytes, caller: _Caller, *, trace_id: str) -> GraphQLResponse:
    limits = caller.limits
    if len(body) > limits.body_bytes:
        return GraphQLResponse.error(413, messages.BODY_TOO_LARGE.format(limits.body_bytes), emulator=True)
    try:
        params = read_body(body)
    except BadBody as error:
        return GraphQLResponse.error(400, str(error), emulator=error.emulator)
    if caller.stackadapt is None or caller.token is None:
        return _unauthorized(params, limits, trace_id, anonymous=caller.secret is None)
    try:
        header = request.headers.get(FAULT_HEADER)
        fault = parse_header(header, caller.stackadapt.operations) if header is not None else None
    except InputError as error:
        return GraphQLResponse.error(400, str(error), trace_id=trace_id, emulator=True)
    accepted = GraphQLRequest(
        params=params,
        token=caller.token,
        trace_id=trace_id,
        strict=request.accept_mimetypes.best_match([JSON, GRAPHQL_RESPONSE]) == GRAPHQL_RESPONSE,
        fault=fault,
        host_url=request.host_url,
    )
    try:
        return caller.stackadapt.execute(accepted)
    except NotFound:
        # The sandbox has been deleted, and its tokens with it.
        return _unauthorized(params, limits, trace_id, anonymous=False)


def _unauthorized(params: GraphQLParams, limits: Limits, trace_id: str, *, anonymous: bool) -> GraphQLResponse:
    """Observed for introspection without a token only; the other text is the emulator's."""
    if anonymous and asks_introspection(params.query, limits):
        return GraphQLResponse.error(401, messages.INTROSPECTION_NEEDS_AUTHENTICATION, trace_id=trace_id)
    return GraphQLResponse.error(401, messages.NEEDS_AUTHENTICATION, trace_id=trace_id, emulator=True)


def _http_response(result: GraphQLResponse, **headers: str) -> FaultedResponse:
    """A response in the media type that the client accepts, before faults change it."""
    media_type = request.accept_mimetypes.best_match([JSON, GRAPHQL_RESPONSE], JSON)
    text = json.dumps(result.body, ensure_ascii=False, separators=(",", ":"))
    return FaultedResponse(
        status=result.status,
        body=text.encode("utf-8", "replace"),
        headers={**headers, "Content-Type": f"{media_type}; charset=utf-8"},
    )


def _flask_response(response: FaultedResponse, channel: ResponseChannel) -> Response:
    def body(interruption: Interruption) -> Iterator[bytes]:
        # A connection can only fail where the body is read.
        if response.body:
            yield response.body
        channel.interrupt(interruption)

    shown = response.body if response.interruption is None else body(response.interruption)
    return Response(shown, status=response.status, headers=dict(response.headers))
