"""Reading what a control request says; what cannot be read is refused with its place."""

from __future__ import annotations

import json
from collections.abc import Callable
from math import isfinite
from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias

from flask import request

from emulator.errors import InputError, nearest
from emulator.schemas import is_deeper_than

if TYPE_CHECKING:
    from emulator.server.services import SandboxServices

# Finds the world that the request under way speaks to.
Chosen: TypeAlias = "Callable[[], SandboxServices]"

PAGE = ("limit", "offset")
_NESTING_LIMIT = 64
_PAGE_SIZE = 100
_LARGEST_PAGE = 10_000
_LARGEST_OFFSET = 2**53
_MOST_DIGITS = 16
_FLAGS = {"true": True, "false": False}


def json_body(*, required: tuple[str, ...] = ()) -> dict[str, Any]:
    """The request's body, a JSON object with the required keys. Raises InputError."""
    if not request.is_json:
        raise InputError(
            "the body must be a JSON object",
            where=request.path,
            found=request.mimetype or "no content type",
            hint="Send it with Content-Type: application/json.",
        )
    body = _parsed(request.get_data())
    if not isinstance(body, dict):
        raise InputError("the body must be a JSON object", where=request.path, found=body)
    for key in required:
        if key not in body:
            raise InputError(f"the key {key!r} is missing", where=request.path, allowed=", ".join(required))
    return body


def text(body: dict[str, Any], key: str) -> str:
    """A member that must be a text and not empty. Raises InputError."""
    value = body[key]
    if not isinstance(value, str) or not value:
        raise InputError("this is not a text", where=key, found=value)
    return value


def refuse_unknown(body: dict[str, Any], known: tuple[str, ...], message: str) -> None:
    """Raises InputError with `message` for a member that is not known: a slip would be without effect."""
    for key in body:
        if key not in known:
            raise InputError(message, where=key, allowed=", ".join(known), hint=nearest(key, known))


def filters(*names: str, others: tuple[str, ...] = PAGE) -> dict[str, str | None]:
    """The filters of the query string, None where one is absent. `others` are the arguments that are no filters.

    Raises InputError for any further argument: a filter with a slip in its name would find everything.
    """
    known = (*names, *others)
    for name in request.args:
        if name not in known:
            raise InputError(
                "there is no such filter", where=name, allowed=", ".join(known) or "none", hint=nearest(name, known)
            )
    return {name: request.args.get(name) for name in names}


def flag(name: str) -> bool | None:
    """`true` or `false` of the query string, None when absent. Raises InputError."""
    text = request.args.get(name)
    if text is None:
        return None
    if text not in _FLAGS:
        raise InputError("this is neither true nor false", where=name, found=text, allowed=", ".join(_FLAGS))
    return _FLAGS[text]


def page() -> dict[str, int]:
    """`limit` and `offset` of the query string. Raises InputError."""
    return {"limit": _number("limit", _PAGE_SIZE, _LARGEST_PAGE), "offset": _number("offset", 0, _LARGEST_OFFSET)}


def _number(name: str, default: int, most: int) -> int:
    text = request.args.get(name, str(default))
    if not text.isascii() or not text.isdigit() or len(text) > _MOST_DIGITS or int(text) > most:
        raise InputError("this is not a number in range", where=name, found=text, allowed=f"0 to {most}")
    return int(text)


def _parsed(body: bytes) -> Any:
    """The JSON in a body. Raises InputError for what is none, or could be neither stored nor sent on."""
    try:
        parsed = json.loads(body, parse_constant=_refuse_constant, parse_float=_finite)
    except RecursionError:
        raise _too_deep() from None
    except ValueError as error:
        raise InputError(f"the body is not JSON: {error}", where=request.path) from None
    if is_deeper_than(_NESTING_LIMIT, parsed):
        raise _too_deep()
    try:
        json.dumps(parsed, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise InputError("the body holds half of a surrogate pair", where=request.path) from None
    return parsed


def _too_deep() -> InputError:
    return InputError("the body is nested too deeply", where=request.path, allowed=f"{_NESTING_LIMIT} levels")


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")


def _finite(digits: str) -> float:
    number = float(digits)
    if not isfinite(number):
        raise ValueError("a number is too large")
    return number
