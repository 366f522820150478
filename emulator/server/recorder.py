"""A proxy that records: what comes to its `/graphql` goes to one other endpoint, and the exchange into a recording."""

from __future__ import annotations

from datetime import datetime

import httpx
from flask import Flask, Response, jsonify, request
from werkzeug.exceptions import BadRequest

from emulator.clock import Clock
from emulator.errors import EmulatorError, UserMistake
from emulator.harness.recordings import KEPT_HEADERS, Recording
from emulator.server.app import BODY_LIMIT_BYTES, LOOPBACK_HOSTS

_FORWARDED = ("Authorization", "Content-Type", "Accept")


def create_recorder(client: httpx.Client, upstream: str, recording: Recording) -> Flask:
    """The application. `client` guards what is sent; what it holds back is answered 403 and recorded nowhere, as is a
    request that got no answer (502) or has a header that cannot be passed on (400).
    """
    app = Flask("stackadapt-emulator-recorder", static_folder=None)
    app.config["TRUSTED_HOSTS"] = LOOPBACK_HOSTS
    app.config["MAX_CONTENT_LENGTH"] = BODY_LIMIT_BYTES
    clock = Clock()

    @app.post("/graphql")
    def exchange() -> Response:
        at, body = clock.now(), request.get_data()
        headers = {name: request.headers[name] for name in _FORWARDED if name in request.headers}
        for name, value in headers.items():
            if not value.isascii():
                # The value may be a token, and stays unsaid.
                raise BadRequest(f"The header {name} cannot be passed on: it is not ASCII throughout.")
        answer = client.post(upstream, content=body, headers=headers)
        _keep(recording, at, body, answer)
        kept = {name: value for name, value in answer.headers.items() if KEPT_HEADERS.fullmatch(name)}
        return Response(answer.content, status=answer.status_code, headers=kept)

    app.register_error_handler(EmulatorError, _refused)
    app.register_error_handler(httpx.HTTPError, _unanswered)
    app.register_error_handler(BadRequest, _unreadable)
    return app


def _keep(recording: Recording, at: datetime, body: bytes, answer: httpx.Response) -> None:
    scheme, _, token = request.headers.get("Authorization", "").strip().partition(" ")
    recording.keep(
        at=at,
        token=(token.strip() or None) if scheme.lower() == "bearer" else None,
        accept=request.headers.get("Accept", "*/*"),
        request=body.decode("utf-8", "replace"),
        status=answer.status_code,
        headers=answer.headers,
        response=answer.text,
    )


def _refused(error: EmulatorError) -> tuple[Response, int]:
    return _said(str(error)), 403 if isinstance(error, UserMistake) else 500


def _unanswered(error: httpx.HTTPError) -> tuple[Response, int]:
    return _said(f"The endpoint gave no answer: {error}."), 502


def _unreadable(error: BadRequest) -> tuple[Response, int]:
    return _said(error.description or error.name), 400


def _said(message: str) -> Response:
    return jsonify(errors=[{"message": message, "extensions": {"emulator": True}}])
