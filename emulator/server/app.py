"""The WSGI application: StackAdapt at `/graphql`, Segment at `/v1`, the control API at `/_emulator`."""

from __future__ import annotations

import logging
from contextlib import suppress
from copy import copy
from functools import cache
from typing import Final

from flask import Flask, Response, current_app, jsonify, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed
from werkzeug.exceptions import NotFound as HTTPNotFound

from emulator import __version__
from emulator.control_token import check_control_token
from emulator.errors import EmulatorError, NotFound, PreconditionFailed, TooLarge, UserMistake
from emulator.protocol import DEFAULT_SANDBOX, SANDBOX_HEADER
from emulator.request_limits import LimitedRequest
from emulator.segment import Segment
from emulator.segment.http import blueprint as tracking
from emulator.segment.http import journal_refused as journal_refused_calls
from emulator.server import console_routes
from emulator.server.access import CONFIG_KEY, Forbidden, Unauthenticated, check_access
from emulator.server.control import blueprint as control
from emulator.server.control.sandboxes import blueprint as sandboxes
from emulator.server.control.sandboxes import requested_services
from emulator.server.control.scenarios import ANOTHER, Another
from emulator.server.control.workspace import blueprint as workspace
from emulator.server.host_names import UntrustedHost, check_hosts
from emulator.server.json_provider import StrictJSONProvider
from emulator.server.name_paths import CONVERTER, NameConverter
from emulator.server.sandboxes import Sandboxes
from emulator.server.services import SandboxServices
from emulator.server.wrong_paths import meant_by, unknown_path, wrong_method
from emulator.stackadapt import StackAdapt
from emulator.stackadapt.http import graphql_blueprint as graphql
from emulator.stackadapt.http import journal_refused as journal_refused_request
from emulator.stackadapt.http import uploads_blueprint as uploads
from emulator.store_failures import StoreFailure

_LOG = logging.getLogger(__name__)
BODY_LIMIT_BYTES = 16 * 1024 * 1024
# The first kind that an error is.
_STATUSES = {
    NotFound: 404,
    PreconditionFailed: 412,
    TooLarge: 413,
    Forbidden: 403,
    Unauthenticated: 401,
    UserMistake: 400,
}
_SANDBOXES: Final = "stackadapt_emulator"


def create_app(control_token: str | None = None) -> Flask:
    """An application for one emulator; `bind` gives it its sandboxes. It accepts loopback host names only.

    With a control token, the control API needs it. Raises InputError for one that no request could send.
    """
    app = copy(_application())
    app.config = copy(app.config)
    app.config[CONFIG_KEY] = None if control_token is None else check_control_token(control_token)
    app.extensions = {}
    return app


def bind(app: Flask, sandboxes: Sandboxes, another: Another) -> None:
    """Makes `app` serve these sandboxes. `another` opens an emulator that shares nothing with this one."""
    app.extensions[_SANDBOXES] = sandboxes
    app.extensions[ANOTHER] = another


@cache
def _application() -> Flask:
    """The application that all emulators copy; it has no sandboxes.

    Built once per process: compiling the routes takes longer than the rest of an emulator in memory.
    """
    # By the name of a module: Flask looks for any other one in the current folder, which may have been deleted.
    app = Flask(__name__, static_folder=None)
    app.request_class = LimitedRequest
    app.json = StrictJSONProvider(app)
    app.config["MAX_CONTENT_LENGTH"] = BODY_LIMIT_BYTES
    check_hosts(app)
    app.url_map.converters[CONVERTER] = NameConverter

    app.register_blueprint(graphql(_stackadapt_of, lambda: _fallback().stackadapt))
    app.register_blueprint(tracking(_segment_of, lambda: _fallback().segment))
    app.register_blueprint(uploads(lambda name: _sandboxes().services(name).stackadapt))
    app.register_blueprint(control(lambda: requested_services(_sandboxes())), url_prefix="/_emulator")
    app.register_blueprint(sandboxes(_sandboxes), url_prefix="/_emulator/sandboxes")
    app.register_blueprint(workspace(_sandboxes), url_prefix="/_emulator/workspace")
    console_routes.add(app, _about)
    app.before_request(check_access)
    app.after_request(_forbid_guessing)
    app.register_error_handler(EmulatorError, _emulator_error)
    app.register_error_handler(StoreFailure, _store_failure)
    app.register_error_handler(HTTPException, _http_error)
    return app


def _forbid_guessing(response: Response) -> Response:
    """Keeps browsers from taking data for a page or a script, whatever is in it."""
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def _sandboxes() -> Sandboxes:
    """The sandboxes of the application that handles the current request."""
    sandboxes: Sandboxes = current_app.extensions[_SANDBOXES]
    return sandboxes


def _stackadapt_of(token: str) -> StackAdapt | None:
    services = _sandboxes().services_of_token(token)
    return services.stackadapt if services else None


def _segment_of(write_key: str) -> Segment | None:
    services = _sandboxes().services_of_write_key(write_key)
    return services.segment if services else None


def _fallback() -> SandboxServices:
    """The services whose journal lists a request that belongs to no sandbox: those that it names, else the default."""
    with suppress(UserMistake):
        return _sandboxes().services(request.headers.get(SANDBOX_HEADER, DEFAULT_SANDBOX))
    return _sandboxes().services(DEFAULT_SANDBOX)


def _about() -> Response:
    return jsonify(
        name="stackadapt-emulator",
        version=__version__,
        stackadapt="/graphql",
        segment=["/v1/identify", "/v1/track", "/v1/batch"],
        control="/_emulator/health",
    )


def _emulator_error(error: EmulatorError) -> tuple[Response, int]:
    status = next((status for kind, status in _STATUSES.items() if isinstance(error, kind)), 500)
    return jsonify(error.as_dict()), status


def _store_failure(failure: StoreFailure) -> tuple[Response, int, dict[str, str]]:
    _LOG.error("%s %s: %s", request.method, request.path, failure)
    return jsonify(failure.as_dict()), 503, failure.headers


def _http_error(error: HTTPException) -> tuple[Response, int, list[tuple[str, str]]]:
    # Such as Allow, which a 405 response must have.
    headers = [(name, value) for name, value in error.get_headers() if name != "Content-Type"]
    status = error.code or 500
    explained = _explained(error)
    if explained is None:
        return jsonify(error=error.name, message=error.description), status, headers
    _journal(explained, status)
    return jsonify({**explained.as_dict(), "error": error.name}), status, headers


def _explained(error: HTTPException) -> UserMistake | None:
    """What is wrong with the path, the method or the host name of the current request."""
    if isinstance(error, UntrustedHost):
        return error.explained
    if isinstance(error, HTTPNotFound):
        return unknown_path(request.path, current_app.url_map, request.host_url.rstrip("/"))
    if isinstance(error, MethodNotAllowed):
        return wrong_method(request.method, request.path, error.valid_methods or ())
    return None


def _journal(error: UserMistake, status: int) -> None:
    """Journals the current request where it was meant for one of the two APIs. A GET of another path is a page."""
    meant = meant_by(request.path)
    # A browser sends no POST after a preflight request that failed.
    method = request.headers.get("Access-Control-Request-Method", request.method)
    if meant is None or (method != "POST" and status != MethodNotAllowed.code):
        return
    # A page of another origin may have sent a body to an untrusted host name.
    reason, message, read = "untrusted_host", error.message, False
    if status == HTTPNotFound.code:
        reason, message, read = "unknown_path", f"{error.message}, instead of {meant.path!r}", True
    elif status == MethodNotAllowed.code:
        reason, message = "method_not_allowed", error.message
    if meant.route is None:
        why = {"refusal": reason, "message": message}
        journal_refused_request(_stackadapt_of, lambda: _fallback().stackadapt, status=status, **why, read=read)
    else:
        why = {"reason": reason, "message": message}
        journal_refused_calls(_segment_of, lambda: _fallback().segment, meant.route, status=status, **why, read=read)
