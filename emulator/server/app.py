"""The WSGI application: StackAdapt at `/graphql`, Segment at `/v1`, the control API at `/_emulator`."""

from __future__ import annotations

from copy import copy
from functools import cache
from typing import TYPE_CHECKING, Final

from flask import Flask, Response, current_app, jsonify
from werkzeug.exceptions import HTTPException

from emulator import __version__
from emulator.errors import EmulatorError, NotFound, UserMistake
from emulator.segment import Segment
from emulator.segment.http import blueprint as tracking
from emulator.server.control import blueprint as control
from emulator.server.control.sandboxes import blueprint as sandboxes
from emulator.server.control.sandboxes import chosen_services
from emulator.stackadapt import StackAdapt
from emulator.stackadapt.http import graphql_blueprint as graphql
from emulator.stackadapt.http import uploads_blueprint as uploads

if TYPE_CHECKING:
    from emulator.server.emulator import Emulator
    from emulator.server.sandboxes import Sandboxes

LOOPBACK_HOSTS = ["127.0.0.1", "localhost", "[::1]"]
BODY_LIMIT_BYTES = 16 * 1024 * 1024
_EMULATOR: Final = "stackadapt_emulator"


def create_app(emulator: Emulator) -> Flask:
    """The application of one emulator. It answers loopback host names only, until the server opens it wider."""
    app = copy(_application())
    app.config = copy(app.config)
    app.extensions = {_EMULATOR: emulator}
    return app


@cache
def _application() -> Flask:
    """The application as all emulators have it; it belongs to none and answers nobody.

    Made once per process: compiling the routes takes longer than everything else that an emulator in memory needs.
    """
    app = Flask("stackadapt-emulator", static_folder=None)
    app.json.sort_keys = False  # type: ignore[attr-defined]  # the default provider has it, its base class does not
    # A page in a browser must not reach the emulator under another name than its own.
    app.config["TRUSTED_HOSTS"] = LOOPBACK_HOSTS
    app.config["MAX_CONTENT_LENGTH"] = BODY_LIMIT_BYTES

    def stackadapt_of(token: str) -> StackAdapt | None:
        world = _sandboxes().services_of_token(token)
        return world.stackadapt if world else None

    def segment_of(write_key: str) -> Segment | None:
        world = _sandboxes().services_of_write_key(write_key)
        return world.segment if world else None

    app.register_blueprint(graphql(stackadapt_of))
    app.register_blueprint(tracking(segment_of))
    app.register_blueprint(uploads(lambda name: _sandboxes().world(name).stackadapt))
    app.register_blueprint(control(lambda: chosen_services(_sandboxes())), url_prefix="/_emulator")
    app.register_blueprint(sandboxes(_sandboxes), url_prefix="/_emulator/sandboxes")
    app.add_url_rule("/", view_func=_index)
    app.register_error_handler(EmulatorError, _emulator_error)
    app.register_error_handler(HTTPException, _http_error)
    return app


def _sandboxes() -> Sandboxes:
    """Those of the emulator that the request under way speaks to."""
    emulator: Emulator = current_app.extensions[_EMULATOR]
    return emulator.sandboxes


def _index() -> Response:
    return jsonify(
        name="stackadapt-emulator",
        version=__version__,
        stackadapt="/graphql",
        segment=["/v1/identify", "/v1/track", "/v1/batch"],
        control="/_emulator/health",
    )


def _emulator_error(error: EmulatorError) -> tuple[Response, int]:
    status = 404 if isinstance(error, NotFound) else 400 if isinstance(error, UserMistake) else 500
    return jsonify(error.as_dict()), status


def _http_error(error: HTTPException) -> tuple[Response, int, list[tuple[str, str]]]:
    # Such as Allow, which an answer 405 must have.
    headers = [(name, value) for name, value in error.get_headers() if name != "Content-Type"]
    return jsonify(error=error.name, message=error.description), error.code or 500, headers
