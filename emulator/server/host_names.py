"""The Host headers that a server accepts.

A web page can resolve its own host name to this machine and so reach a server here; its requests still carry that
name (DNS rebinding). A server on a loopback address therefore accepts loopback names only; one on another address
was opened on purpose and accepts every name. What is not a host name at all gets 400 from both (RFC 9112, 3.2).
"""

from __future__ import annotations

import re
import socket
from ipaddress import IPv6Address

from flask import Flask, current_app, request
from werkzeug.exceptions import BadRequest

from emulator.addresses import LOOPBACK_HOSTS, is_loopback
from emulator.errors import InputError, UserMistake

# Whether every host name is accepted, and one that is accepted beside the loopback names.
ANY_HOST = "ANY_HOST"
_OWN_NAME = "OWN_HOST_NAME"

# Underscores are not in the standard, but in the names of services in container networks.
_LABEL = r"[a-z0-9_~-]{1,63}"
_HOST = re.compile(rf"(\[[0-9a-f:.]+]|{_LABEL}(?:\.{_LABEL})*\.?)(?::([0-9]{{0,5}}))?", re.ASCII | re.IGNORECASE)
_HIGHEST_PORT = 65535


class UntrustedHost(BadRequest):
    """A request whose Host header is refused."""

    def __init__(self, explained: UserMistake) -> None:
        super().__init__(str(explained))
        self.explained = explained


def check_hosts(app: Flask) -> None:
    """Makes `app` refuse requests by their Host header, with UntrustedHost."""
    app.before_request(_check)


def open_to(app: Flask, host: str, listening: socket.socket) -> None:
    """Makes `app` accept the names for a socket that was bound to `host`."""
    app.config[ANY_HOST] = not is_loopback(listening.getsockname()[0])
    app.config[_OWN_NAME] = host


def _check() -> None:
    given = request.headers.get("Host")
    if given is None:
        # Before HTTP/1.1 a request needs none. Browsers send one always.
        if request.environ.get("SERVER_PROTOCOL") == "HTTP/1.1":
            raise UntrustedHost(_refused("the request has no Host header", None))
        return
    name, port = _split(given)
    own = current_app.config.get(_OWN_NAME, "")
    if not (current_app.config.get(ANY_HOST) or is_loopback(name) or name.lower() == own.lower()):
        raise UntrustedHost(_untrusted(given))
    # Flask leaves out what it considers no host name: underscores, an empty port.
    request.host = name if port in ("", "80") else f"{name}:{port}"


def _split(given: str) -> tuple[str, str]:
    """Host name and port of a Host header; the port is empty when absent."""
    match = _HOST.fullmatch(given)
    if match is None or int(match[2] or 1) not in range(1, _HIGHEST_PORT + 1) or not _is_literal(match[1]):
        raise UntrustedHost(_refused("the Host header is not a host name with an optional port", given))
    return match[1], match[2] or ""


def _is_literal(name: str) -> bool:
    """Whether what is in brackets is an IPv6 address; True for a name."""
    if not name.startswith("["):
        return True
    try:
        IPv6Address(name[1:-1])
    except ValueError:
        return False
    return True


def _refused(message: str, found: str | None) -> UserMistake:
    allowed = "a name or address, such as 127.0.0.1:8585, localhost or [::1]:8585"
    return InputError(message, where="Host", found=found, allowed=allowed, hint=f"Use {_address()}.")


def _untrusted(host: str) -> UserMistake:
    return InputError(
        f"the host name {host!r} is not accepted",
        where="Host",
        found=host,
        allowed=", ".join(LOOPBACK_HOSTS),
        hint=f"Use {_address()}. For clients on other machines or in other containers, start the server with "
        "serve --host 0.0.0.0, which accepts every host name.",
    )


def _address() -> str:
    """The server's own URL."""
    name, port = request.environ["SERVER_NAME"], request.environ["SERVER_PORT"]
    return f"http://{name}" if port == "80" else f"http://{name}:{port}"
