"""A recording proxy: forwards requests to its `/graphql` to one endpoint and writes each exchange to a recording."""

from __future__ import annotations

from datetime import datetime

import httpx
from flask import Flask, Response, jsonify, request
from werkzeug.exceptions import BadRequest, HTTPException, MethodNotAllowed, NotFound

from emulator.clock import Clock
from emulator.errors import EmulatorError, UserMistake
from emulator.harness.recordings import KEPT_HEADERS, Recording
from emulator.server.app import BODY_LIMIT_BYTES
from emulator.server.host_names import check_hosts

_FORWARDED = ("Authorization", "Content-Type", "Accept")


def create_recorder(client: httpx.Client, upstream: str, recording: Recording) -> Flask:
    """The application. A request that `client` refuses to send gets status 403, one without a response 502, one with
    a header that cannot be forwarded 400; none of these is recorded.
    """
    app = Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = BODY_LIMIT_BYTES
    check_hosts(app)
    clock = Clock()

    @app.post("/graphql")
    def exchange() -> Response:
        at, body = clock.now(), request.get_data()
        headers = {name: request.headers[name] for name in _FORWARDED if name in request.headers}
        for name, value in headers.items():
            if not value.isascii():
                # The value may be a token and is not printed.
                raise BadRequest(f"The header {name} cannot be forwarded: it is not ASCII.")
        response = client.post(upstream, content=body, headers=headers)
        _keep(recording, at, body, response)
        kept = {name: value for name, value in response.headers.items() if KEPT_HEADERS.fullmatch(name)}
        return Response(response.content, status=response.status_code, headers=kept)

    app.register_error_handler(EmulatorError, _refused)
    app.register_error_handler(httpx.HTTPError, _no_response)
    app.register_error_handler(BadRequest, _unreadable)
    app.register_error_handler(NotFound, _only_graphql)
    app.register_error_handler(MethodNotAllowed, _only_graphql)
    return app


def _keep(recording: Recording, at: datetime, body: bytes, response: httpx.Response) -> None:
    scheme, _, token = request.headers.get("Authorization", "").strip().partition(" ")
    recording.keep(
        at=at,
        token=(token.strip() or None) if scheme.lower() == "bearer" else None,
        accept=request.headers.get("Accept", "*/*"),
        request=body.decode("utf-8", "replace"),
        status=response.status_code,
        headers=response.headers,
        response=response.text,
    )


def _refused(error: EmulatorError) -> tuple[Response, int]:
    return _error_response(str(error)), 403 if isinstance(error, UserMistake) else 500


def _no_response(error: httpx.HTTPError) -> tuple[Response, int]:
    return _error_response(f"No response from the endpoint: {error}"), 502


def _unreadable(error: BadRequest) -> tuple[Response, int]:
    return _error_response(error.description or error.name), 400


def _only_graphql(error: HTTPException) -> tuple[Response, int, list[tuple[str, str]]]:
    # Such as Allow, which a 405 response must have.
    headers = [(name, value) for name, value in error.get_headers() if name != "Content-Type"]
    message = f"The recorder forwards POST /graphql only, not {request.method} {request.path}."
    return _error_response(message), error.code or 500, headers


def _error_response(message: str) -> Response:
    return jsonify(errors=[{"message": message, "extensions": {"emulator": True}}])
