"""Reading what a control request says; what cannot be read is refused with its place."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

from flask import request

from emulator.errors import InputError

if TYPE_CHECKING:
    from emulator.server.world import World

# Finds the world that the request under way speaks to.
Chosen: TypeAlias = "Callable[[], World]"

_PAGE = 100
_LARGEST_PAGE = 10_000
_LARGEST_OFFSET = 2**53


def json_body(*, required: tuple[str, ...] = ()) -> dict[str, Any]:
    """The request's body, a JSON object with the required keys. Raises InputError."""
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        raise InputError(
            "the body must be a JSON object.",
            where=request.path,
            found=request.mimetype or "no content type",
            hint="Send it with Content-Type: application/json.",
        )
    for key in required:
        if key not in body:
            raise InputError(f"the key {key!r} is missing.", where=request.path, allowed=", ".join(required))
    return body


def text(body: dict[str, Any], key: str) -> str:
    """A member that must be a text and not empty. Raises InputError."""
    value = body[key]
    if not isinstance(value, str) or not value:
        raise InputError("this is not a text.", where=key, found=value)
    return value


def page() -> dict[str, int]:
    """`limit` and `offset` of the query string. Raises InputError."""
    return {"limit": _number("limit", _PAGE, _LARGEST_PAGE), "offset": _number("offset", 0, _LARGEST_OFFSET)}


def _number(name: str, default: int, most: int) -> int:
    text = request.args.get(name, str(default))
    if not text.isascii() or not text.isdigit() or int(text) > most:
        raise InputError("this is not a number in range.", where=name, found=text, allowed=f"0 to {most}")
    return int(text)
