"""`/` and `/console/…`: the console for browsers. Nothing of it is imported before a page is opened."""

from __future__ import annotations

from collections.abc import Callable

from flask import Flask, Response, request
from flask.typing import ResponseReturnValue

from emulator.server.access import sign_in

PREFIX = "/console"


def add(app: Flask, about: Callable[[], Response]) -> None:
    """Adds the routes. `about` is the answer at `/` for clients that are no browser."""

    @app.get("/")
    def index() -> ResponseReturnValue:
        accepted = request.accept_mimetypes
        response = _page("") if accepted["text/html"] > accepted["application/json"] else about()
        response.vary.add("Accept")
        return response

    @app.get(f"{PREFIX}/<path:path>")
    def console(path: str) -> ResponseReturnValue:
        return _page(path)

    app.add_url_rule(f"{PREFIX}/token", view_func=sign_in, methods=["POST"])


def _page(path: str) -> Response:
    from emulator.console import respond  # imported at first use: most emulators are never looked at

    return respond(path)
