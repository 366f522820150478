"""Requests to the provider as node-fetch 2 sends them: legal headers, redirects, JSON bodies."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from urllib.parse import urljoin, urlsplit

from emulator.mapping.engine_errors import EngineTypeError, HTTPError, SendError
from emulator.mapping.javascript.values import parse_json, stringify
from emulator.mapping.wire import OutgoingRequest, Response, Send

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_METHOD_KEPT = frozenset({307, 308})
_MAX_REDIRECTS = 20
_ILLEGAL_IN_HEADER = re.compile(r"[^\t\x20-\x7e\x80-\xff]")
_SHOWN_AROUND = 10


def graphql_request(endpoint: str, token: str, document: str) -> OutgoingRequest:
    """The request for a GraphQL document without variables. Raises EngineTypeError for a token illegal in a header."""
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


def fetch(request: OutgoingRequest, send: Send) -> Response:
    """Follows redirects; after 301, 302 or 303 a POST becomes a GET. Raises SendError after twenty of them."""
    for _ in range(_MAX_REDIRECTS + 1):
        response = replace(send(request), url=request.url)
        location = response.header("location")
        if response.status not in _REDIRECTS or not location:
            return response
        request = _redirected(request, urljoin(request.url, location), keeps_method=response.status in _METHOD_KEPT)
    raise SendError("FetchError", f"maximum redirect reached at: {response.url}", None)


def fetch_ok(request: OutgoingRequest, send: Send) -> Response:
    """The response to a request. Raises HTTPError for a status outside 200-299."""
    response = fetch(request, send)
    if not response.ok:
        raise HTTPError(response)
    return response


def _redirected(request: OutgoingRequest, url: str, *, keeps_method: bool) -> OutgoingRequest:
    leaves = urlsplit(url).hostname != urlsplit(request.url).hostname
    headers = {name: value for name, value in request.headers.items() if not (leaves and name == "authorization")}
    if keeps_method:
        return replace(request, url=url, headers=headers)
    return replace(request, url=url, headers=headers, method="GET", body="")


def required_json(response: Response) -> object:
    """The body parsed as JSON, whatever its content type. Raises SendError for invalid JSON."""
    try:
        return parse_json(response.body)
    except json.JSONDecodeError as error:
        reason = _reason(response.body, error.pos)
    except ValueError:
        reason = "the document is nested too deeply"
    raise SendError("FetchError", f"invalid json response body at {response.url} reason: {reason}", None)


def _reason(text: str, at: int) -> str:
    """V8's message for invalid JSON."""
    if at >= len(text):
        return "Unexpected end of JSON input"
    start, end = max(at - _SHOWN_AROUND, 0), at + _SHOWN_AROUND
    before, after = ("..." if start else ""), ("..." if end < len(text) else "")
    if len(text) <= 2 * _SHOWN_AROUND:
        start, end, before, after = 0, len(text), "", ""
    return f"Unexpected token '{text[at]}', {before}\"{text[start:end]}\"{after} is not valid JSON"
