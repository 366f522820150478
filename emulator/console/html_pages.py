"""Answers the requests to the console: its screens in their frame, the form for the control token, its own files."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from itertools import groupby
from pathlib import Path
from typing import Any, Final

from flask import Response, request, send_from_directory

from emulator.console.control_api import ControlAPI, Refused
from emulator.console.screens import SCREENS
from emulator.console.screens.screen import Screen
from emulator.console.templating import render
from emulator.console.view import View
from emulator.protocol import CONSOLE_COOKIE

_STATIC: Final = Path(__file__).resolve().parent / "static"
_FILES: Final = "static/"
_SIGN_IN: Final = "sign-in"
_BY_PATH: Final[Mapping[str, Screen]] = {screen.path: screen for screen in SCREENS}
_UNAUTHENTICATED = 401
_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; "
    "base-uri 'none'; form-action 'self'; object-src 'none'",
    "X-Frame-Options": "DENY",
    # Addresses name people. A form needs its origin, which `no-referrer` would leave out.
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def respond(path: str) -> Response:
    """The answer at `/console/{path}`; the overview has the empty path."""
    if path.startswith(_FILES):
        return send_from_directory(_STATIC, path.removeprefix(_FILES), conditional=True)
    view = View.read(path, request.args, request.host_url, control_token=CONSOLE_COOKIE in request.cookies)
    if path == _SIGN_IN:
        return _page("sign_in.html", view, {"wrong": view.get("wrong"), "back": "/"}, _UNAUTHENTICATED)
    if path not in _BY_PATH:
        return _page("refused.html", view, _unknown(path, view), 404)
    return _screen(_BY_PATH[path], view)


def _screen(screen: Screen, view: View) -> Response:
    api = ControlAPI(view.sandbox)
    try:
        frame = _frame(api, screen, view)
    except Refused as refused:
        if refused.status == _UNAUTHENTICATED:
            return _page("sign_in.html", view, {"wrong": None, "back": view.here()}, _UNAUTHENTICATED)
        return _page("refused.html", view, {"error": refused.error, "title": "Not found"}, refused.status)
    try:
        return _page(f"{screen.template}.html", view, {**frame, **screen.values(api, view)}, 200)
    except Refused as refused:
        return _page("refused.html", view, {**frame, "error": refused.error}, refused.status)


def _unknown(path: str, view: View) -> dict[str, Any]:
    """What to say about an address that no screen has."""
    names = {name: screen for screen in SCREENS for name in (screen.path, screen.name.lower()) if name}
    near = dict.fromkeys(names[name] for name in get_close_matches(path.lower(), names, n=3))
    return {
        "title": "This page does not exist",
        "error": {"message": "The console has no page at this address.", "found": f"/console/{path}"},
        "near": [(screen.name, view.link(screen.path)) for screen in near],
    }


def _frame(api: ControlAPI, screen: Screen, view: View) -> dict[str, Any]:
    """What every page shows around its screen."""
    shown = [each for each in SCREENS if not each.under]
    # The newest cursor, from which the page counts what is new to it.
    newest = api.response("events", limit=1).get_etag()[0]
    return {
        "screen": screen,
        "current": screen.under or screen.path,
        "navigation": [(group, [*screens]) for group, screens in groupby(shown, key=lambda each: each.group)],
        "clock": api.get("clock"),
        "sandboxes": [each["name"] for each in api.get("sandboxes")["sandboxes"]],
        "cursor": newest,
    }


def _page(template: str, view: View, values: Mapping[str, Any], status: int) -> Response:
    html = render(template, masked=view.masked, **{"view": view, "screen": None, "near": (), **values})
    return Response(html, status=status, mimetype="text/html", headers=_HEADERS)
