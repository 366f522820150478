"""One exchange with the provider as node-fetch 2 carries it out: legal headers, redirects, JSON of an answer."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from urllib.parse import urljoin, urlsplit

from emulator.mapping.engine_errors import EngineTypeError, HTTPError, SendError
from emulator.mapping.javascript.values import parse_json, stringify
from emulator.mapping.wire import OutgoingRequest, Reply, Send

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_METHOD_KEPT = frozenset({307, 308})
_MAX_REDIRECTS = 20
_LEFT_AT_THE_BORDER = frozenset({"authorization"})
_ILLEGAL_IN_HEADER = re.compile(r"[^\t\x20-\x7e\x80-\xff]")
_SHOWN_AROUND = 10


def graphql_request(endpoint: str, token: str, document: str) -> OutgoingRequest:
    """A GraphQL document on its way to the provider: no variables, everything inlined in `query`.

    Raises EngineTypeError for a token that cannot stand in a header.
    """
    authorization = f"Bearer {token}"
    if _ILLEGAL_IN_HEADER.search(authorization):
        raise EngineTypeError(f"{authorization} is not a legal HTTP header value")
    headers = {
        "content-type": "application/json",
        "authorization": authorization.strip(" \t"),
        "user-agent": "Segment (Actions)",
        "accept": "*/*",
        "accept-encoding": "gzip,deflate",
    }
    return OutgoingRequest(method="POST", url=endpoint, headers=headers, body=f'{{"query":{stringify(document)}}}')


def exchange(request: OutgoingRequest, send: Send) -> Reply:
    """Sends a request and follows redirects: a POST sent elsewhere by 301, 302 or 303 goes on as a GET without body.

    Raises what `send` raises, and SendError after twenty redirects.
    """
    reply = send(request)
    for _ in range(_MAX_REDIRECTS):
        location = reply.header("location")
        if reply.status not in _REDIRECTS or not location:
            return replace(reply, url=request.url)
        request = _redirected(request, urljoin(request.url, location), keeps_method=reply.status in _METHOD_KEPT)
        reply = send(request)
    if reply.status in _REDIRECTS and reply.header("location"):
        raise SendError("FetchError", f"maximum redirect reached at: {request.url}", None)
    return replace(reply, url=request.url)


def accepted(request: OutgoingRequest, send: Send) -> Reply:
    """The answer to a request when its status is 200-299; raises HTTPError for any other."""
    reply = exchange(request, send)
    if not reply.ok:
        raise HTTPError(reply)
    return reply


def _redirected(request: OutgoingRequest, url: str, *, keeps_method: bool) -> OutgoingRequest:
    crosses = urlsplit(url).hostname != urlsplit(request.url).hostname
    headers = {name: value for name, value in request.headers.items() if not (crosses and name in _LEFT_AT_THE_BORDER)}
    if keeps_method:
        return replace(request, url=url, headers=headers)
    return replace(request, url=url, headers=headers, method="GET", body="")


def required_json(reply: Reply) -> object:
    """The answer parsed as JSON, whatever type it declares. Raises SendError when it is none."""
    try:
        return parse_json(reply.body)
    except json.JSONDecodeError as error:
        reason = _reason(reply.body, error.pos)
    except ValueError:
        reason = "the document is nested too deeply"
    raise SendError("FetchError", f"invalid json response body at {reply.url} reason: {reason}", None)


def _reason(text: str, at: int) -> str:
    """V8's words for the place where JSON stops making sense."""
    if at >= len(text):
        return "Unexpected end of JSON input"
    start, end = max(at - _SHOWN_AROUND, 0), at + _SHOWN_AROUND
    before, after = ("..." if start else ""), ("..." if end < len(text) else "")
    if len(text) <= 2 * _SHOWN_AROUND:
        start, end, before, after = 0, len(text), "", ""
    return f"Unexpected token '{text[at]}', {before}\"{text[start:end]}\"{after} is not valid JSON"
