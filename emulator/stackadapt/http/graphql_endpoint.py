"""`POST /graphql`, and `GET` with a query in the URL.

The order is the observed one: the body is checked before the token, then the rate limit and the faults apply, then the
document runs. Every request is written to the journal of the sandbox that its token belongs to; those whose token is
unknown, to that of a fallback.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from flask import Blueprint, Request, Response, request

from emulator.clock import stopwatch
from emulator.credentials import fingerprint, without_secrets
from emulator.errors import InputError, NotFound, UserMistake
from emulator.events import GraphQLExchanged
from emulator.faults import FaultedResponse, Interruption, ResponseChannel, channel_of, parse_header
from emulator.ids import Ids
from emulator.json_text import sent
from emulator.protocol import FAULT_HEADER, TRACE_HEADER
from emulator.stackadapt import messages
from emulator.stackadapt.graphql.document import asks_introspection
from emulator.stackadapt.graphql.executor import GraphQLRequest, GraphQLResponse
from emulator.stackadapt.graphql.request import BadBody, GraphQLParams, parse_body, parse_request, read_body
from emulator.stackadapt.http.media_types import GRAPHQL_RESPONSE, JSON, chosen, is_json
from emulator.stackadapt.http.request_in_url import body_in_url
from emulator.stackadapt.service import StackAdapt
from emulator.store_failures import StoreFailure
from emulator.workspace import Token

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]

# The statuses of what Yoga itself responds to a body that it reads.
_NEGOTIATED = (200, 400)

Find = Callable[[str], StackAdapt | None]
_LOG = logging.getLogger(__name__)
_ALLOW = {"Allow": "POST"}


@dataclass(frozen=True, slots=True)
class _Caller:
    """What a request sent as its token, and the service that it belongs to: `fallback` for the rest.

    `token` is None when it is unknown or has expired.
    """

    secret: str | None
    bearer: bool
    stackadapt: StackAdapt
    known: bool
    token: Token | None

    @classmethod
    def of(cls, received: Request, find: Find, fallback: Callable[[], StackAdapt]) -> _Caller:
        """Raises UserMistake when the sandbox of the token cannot be read."""
        secret, bearer = _secret_in(received)
        stackadapt = find(secret) if secret and bearer else None
        token = stackadapt.token(secret) if stackadapt and secret else None
        return cls(secret, bearer, stackadapt or fallback(), stackadapt is not None, token)

    @property
    def refusal(self) -> str:
        """Why the request has no access. A valid token is unknown once its sandbox is deleted."""
        if self.secret is None:
            return "no_token"
        if not self.bearer:
            return "not_bearer"
        return "expired_token" if self._workspace_token and self.token is None else "unknown_token"

    @property
    def name(self) -> str | None:
        """The name of the token, also when it has expired."""
        return self._workspace_token.name if self._workspace_token else None

    @property
    def _workspace_token(self) -> Token | None:
        return self.stackadapt.sandbox.workspace.token(self.secret) if self.known and self.secret else None

    @property
    def secrets(self) -> list[str]:
        """What the journal must not contain: the token that was sent, and the secrets of the workspace."""
        workspace = self.stackadapt.sandbox.workspace
        write_keys = (source.write_key for source in workspace.sources)
        return [self.secret or "", *(token.secret for token in workspace.tokens), *write_keys]

    def hide(self, body: bytes) -> str:
        """The journal's text of a body: of limited length, without secrets."""
        text = without_secrets(body.decode("utf-8", "replace"), self.secrets)
        return text[: self.stackadapt.limits.journal_characters]


def _secret_in(received: Request) -> tuple[str | None, bool]:
    """What the Authorization header has as its token, and whether it is a Bearer token."""
    scheme, _, text = received.headers.get("Authorization", "").strip().partition(" ")
    bearer = scheme.lower() == "bearer"
    # A token alone, a common mistake, has the fingerprint of the token.
    return (text.strip() if bearer or text else scheme) or None, bearer


def blueprint(find: Find, fallback: Callable[[], StackAdapt]) -> Blueprint:
    """The routes `/graphql` and below. `find` returns the service that a bearer token belongs to, `fallback` the one
    whose journal lists the requests that belong to none.
    """
    routes = Blueprint("graphql", __name__)
    ids_without_sandbox = Ids()

    def graphql(rest: str = "") -> Response:
        elapsed = stopwatch()
        try:
            caller = _Caller.of(request, find, fallback)
        except UserMistake as mistake:
            why = {"refusal": "unreadable_sandbox", "message": mistake.message}
            journal_refused(find, fallback, status=400, **why, read=True)
            raise
        except StoreFailure as failure:
            # It cannot be said whose token this is, so that no journal has it.
            failed = _failed(failure, ids_without_sandbox.trace_id())
            return _flask_response(_http_response(failed.response, failed.headers), channel_of(request.environ))
        ids = caller.stackadapt.sandbox.ids if caller.known else ids_without_sandbox
        trace_id = ids.trace_id()
        body, result = _result(caller, trace_id)
        response = result.response.replacement or _http_response(result.response, result.headers)
        response = result.response.faults.on_response(response)
        response = replace(response, headers={TRACE_HEADER: trace_id, **response.headers})
        if result.refusal == "unknown_token" and caller.known:
            caller = replace(caller, stackadapt=fallback(), known=False)
        exchanged = _exchanged(caller, result, response, trace_id, body, elapsed())
        try:
            caller.stackadapt.sandbox.journal.extend((*result.response.processed, exchanged))
        except StoreFailure as failure:
            failed = _failed(failure, trace_id)
            response = _http_response(failed.response, failed.headers)
        channel = channel_of(request.environ)
        if response.delay_ms and not caller.stackadapt.sandbox.clock.frozen:
            channel.delay(response.delay_ms)
        return _flask_response(response, channel)

    for rule in ("/graphql", "/graphql/", "/graphql/<path:rest>"):
        routes.add_url_rule(rule, view_func=graphql, methods=METHODS, provide_automatic_options=False)
    return routes


def journal_refused(
    find: Find, fallback: Callable[[], StackAdapt], *, status: int, refusal: str, message: str, read: bool
) -> None:
    """Journals the current request, which was meant for `/graphql` and refused before it got there.

    Its body is left unread unless `read`.
    """
    try:
        caller = _Caller.of(request, find, fallback)
    except UserMistake:
        caller = _Caller(*_secret_in(request), fallback(), known=False, token=None)
    limits = caller.stackadapt.limits
    body = request.stream.read(limits.body_bytes + 1) if read else b""
    parsed = parse_body(body, limits) if len(body) <= limits.body_bytes else None
    error = GraphQLResponse.error(status, message)
    result = _Result(replace(error, summary=parsed.summary) if parsed else error, refusal)
    response = FaultedResponse(status=status, body=message.encode(), headers={})
    caller.stackadapt.sandbox.journal.append(_exchanged(caller, result, response, Ids().trace_id(), body, 0))


@dataclass(frozen=True, slots=True)
class _Result:
    """A response, and why the request was refused before it ran; None when it ran."""

    response: GraphQLResponse
    refusal: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


def _exchanged(
    caller: _Caller, result: _Result, response: FaultedResponse, trace_id: str, body: bytes, elapsed_ms: float
) -> GraphQLExchanged:
    summary = result.response.summary
    return GraphQLExchanged(
        at=caller.stackadapt.sandbox.clock.now(),
        trace_id=trace_id,
        token_name=caller.name,
        operations=summary.operations,
        status=response.status,
        request=caller.hide(body),
        response=caller.hide(response.body),
        duration_ms=elapsed_ms + response.delay_ms,
        matched=result.response.faults.names,
        # A token may be pasted where an id belongs.
        advertiser_ids=tuple(without_secrets(each, caller.secrets) for each in summary.advertiser_ids),
        emails=summary.emails,
        method=request.method,
        path=without_secrets(request.path, caller.secrets),
        refusal=result.refusal,
        credential=fingerprint(caller.secret) if result.refusal else None,
    )


def _result(caller: _Caller, trace_id: str) -> tuple[bytes, _Result]:
    """The body of the current request, and its result."""
    limits = caller.stackadapt.limits
    if request.method == "GET" and (in_url := body_in_url(request.args)) is not None:
        return in_url, _result_of_url(caller, in_url, trace_id)
    if request.method != "POST":
        text = messages.METHOD_NOT_ALLOWED.format(request.method)
        return b"", _Result(GraphQLResponse.error(405, text, emulator=True), "method_not_allowed", _ALLOW)
    body = request.stream.read(limits.body_bytes + 1)
    if len(body) > limits.body_bytes:
        text = messages.BODY_TOO_LARGE.format(limits.body_bytes)
        return body, _Result(GraphQLResponse.error(413, text, emulator=True), "body_too_large")
    if not is_json(request.headers.get("Content-Type")):
        text = messages.NOT_JSON.format(repr(request.content_type) if request.content_type else "missing")
        return body, _Result(GraphQLResponse.error(415, text, emulator=True), "invalid_body")
    try:
        params = read_body(body)
    except BadBody as error:
        status = 200 if error.negotiable and not _strict() else 400
        return body, _Result(GraphQLResponse.error(status, str(error), emulator=error.emulator), "invalid_body")
    return body, _authorized(caller, params, trace_id)


def _result_of_url(caller: _Caller, body: bytes, trace_id: str) -> _Result:
    """The result of a GET with a request in its URL, given as `body`."""
    try:
        params = read_body(body)
    except BadBody as error:
        return _Result(GraphQLResponse.error(400, str(error), emulator=error.emulator), "invalid_body")
    if caller.token is not None:
        summary = parse_request(params, caller.stackadapt.limits).summary
        if summary.mutates:
            error_of_method = GraphQLResponse.error(405, messages.MUTATION_NEEDS_POST)
            return _Result(replace(error_of_method, summary=summary), "method_not_allowed", _ALLOW)
    return _authorized(caller, params, trace_id)


def _authorized(caller: _Caller, params: GraphQLParams, trace_id: str) -> _Result:
    stackadapt = caller.stackadapt
    if caller.token is None:
        return _unauthorized(caller, params, trace_id)
    try:
        header = request.headers.get(FAULT_HEADER)
        fault = parse_header(header, stackadapt.operations) if header is not None else None
    except InputError as error:
        return _Result(GraphQLResponse.error(400, str(error), trace_id=trace_id, emulator=True), "invalid_fault")
    accepted = GraphQLRequest(
        params=params,
        token=caller.token,
        trace_id=trace_id,
        strict=_strict(),
        fault=fault,
        host_url=request.host_url,
    )
    try:
        return _Result(stackadapt.execute(accepted))
    except NotFound:
        # The sandbox has been deleted, and its tokens with it.
        return _unauthorized(caller, params, trace_id)
    except StoreFailure as failure:
        return _failed(failure, trace_id)


def _failed(failure: StoreFailure, trace_id: str) -> _Result:
    _LOG.error("request %s: %s", trace_id, failure)
    error = GraphQLResponse.error(503, str(failure), trace_id=trace_id, emulator=True)
    return _Result(error, "store_failed", failure.headers)


def _unauthorized(caller: _Caller, params: GraphQLParams, trace_id: str) -> _Result:
    """Observed for introspection without a token only; the other text is the emulator's."""
    limits = caller.stackadapt.limits
    if caller.secret is None and asks_introspection(params.query, limits):
        error = GraphQLResponse.error(401, messages.INTROSPECTION_NEEDS_AUTHENTICATION, trace_id=trace_id)
    else:
        error = GraphQLResponse.error(401, messages.NEEDS_AUTHENTICATION, trace_id=trace_id, emulator=True)
    # Parsed so that the journal finds it by operation and email.
    return _Result(replace(error, summary=parse_request(params, limits).summary), caller.refusal)


def _accepted() -> str | None:
    return chosen(request.headers.get("Accept"))


def _strict() -> bool:
    """Whether the client gets status 400 for every request that cannot run."""
    return _accepted() == GRAPHQL_RESPONSE


def _http_response(result: GraphQLResponse, headers: Mapping[str, str]) -> FaultedResponse:
    """A response in the media type that the client accepts, before faults change it.

    The document has run also when the client accepts none: Yoga chooses the type last.
    """
    media_type = _accepted()
    if media_type is None and result.status in _NEGOTIATED:
        result = GraphQLResponse.error(406, messages.NOT_ACCEPTABLE.format(request.headers["Accept"]), emulator=True)
    media_type = media_type or JSON
    return FaultedResponse(
        status=result.status,
        body=sent(result.body),
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
