"""Who may use the control API: no page of another origin, and with a control token only callers that have it."""

from __future__ import annotations

import hmac
from typing import Final
from urllib.parse import urlsplit

from flask import Response, current_app, redirect, request

from emulator.errors import UserMistake
from emulator.protocol import CONSOLE_COOKIE, CONTROL_HEADER

# The setting of an application: its control token, or None when every caller has access.
CONFIG_KEY: Final = "STACKADAPT_EMULATOR_CONTROL"

_PREFIX = "/_emulator"
_CONSOLE = "/console"
# Monitors ask for it before anything else, and it says nothing about the data.
HEALTH = f"{_PREFIX}/health"
_READING = frozenset({"GET", "HEAD", "OPTIONS"})
# What a browser says of a request that no other page sent; other clients say nothing.
_OWN_FETCHES = frozenset({None, "same-origin", "none"})
_DEFAULT_PORTS = {"http": 80, "https": 443}


class Forbidden(UserMistake):
    """A web page of another origin sent the request: status 403."""


class Unauthenticated(UserMistake):
    """The control token is missing or wrong: status 401."""


def check_access() -> None:
    """Raises Forbidden or Unauthenticated when the current request may not use the control API."""
    control = _is_below(_PREFIX)
    if request.method not in _READING and (control or _is_below(_CONSOLE)):
        _check_origin()
    if control and request.path != HEALTH:
        _check_token()


def sign_in() -> Response:
    """Takes the token from the console's form, and sends the browser back with the cookie."""
    expected: str | None = current_app.config.get(CONFIG_KEY)
    sent = request.form.get("token", "")
    if expected is None or not hmac.compare_digest(sent.encode(), expected.encode()):
        return _to(f"{_CONSOLE}/sign-in?wrong=on")
    back = request.form.get("back", "/")
    response = _to(back if back.startswith(("/?", f"{_CONSOLE}/")) else "/")
    response.set_cookie(CONSOLE_COOKIE, _key_of(expected), httponly=True, samesite="Strict")
    return response


def _to(path: str) -> Response:
    response = redirect(path, 303)
    assert isinstance(response, Response)  # noqa: S101 - Flask's own class, which the signature leaves open
    return response


def _is_below(prefix: str) -> bool:
    return request.path == prefix or request.path.startswith(f"{prefix}/")


def _key_of(token: str) -> str:
    """What the cookie has: proves that the token was known, and does not contain it."""
    return hmac.digest(token.encode(), CONSOLE_COOKIE.encode(), "sha256").hex()


def _check_origin() -> None:
    """A browser sends a simple request, such as an empty POST, to any address that a page names."""
    origin = request.headers.get("Origin")
    own = origin is None or _authority(origin) == _authority(f"{request.scheme}://{request.host}")
    if own and request.headers.get("Sec-Fetch-Site") in _OWN_FETCHES:
        return
    raise Forbidden(
        "a web page of another origin must not change the emulator",
        where="Origin",
        found=origin,
        allowed=request.host_url.rstrip("/"),
        hint="Send control requests from a test, a script or the command line.",
    )


def _authority(url: str) -> tuple[str, int] | None:
    """Host and port of an origin; None for one that has none, such as `null`."""
    try:
        parsed = urlsplit(url)
        host, port = parsed.hostname, parsed.port or _DEFAULT_PORTS.get(parsed.scheme)
    except ValueError:
        return None
    return (host, port) if host and port else None


def _check_token() -> None:
    expected: str | None = current_app.config.get(CONFIG_KEY)
    if expected is None:
        return
    sent = request.headers.get(CONTROL_HEADER, "")
    if not sent and hmac.compare_digest(request.cookies.get(CONSOLE_COOKIE, "").encode(), _key_of(expected).encode()):
        return
    if not hmac.compare_digest(sent.encode(), expected.encode()):
        raise Unauthenticated(
            "wrong control token" if sent else "the control API of this emulator needs its control token",
            where=CONTROL_HEADER,
            hint="The command that started it was given the token or printed it; other commands take --control-token.",
        )
