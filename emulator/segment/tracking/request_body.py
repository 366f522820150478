"""A request body of the Tracking API: unpacked, measured, parsed. What Segment refuses with 400 is refused here."""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Mapping
from math import isinf
from typing import Any, NoReturn

from emulator.errors import InputError
from emulator.schemas import is_deeper_than
from emulator.segment.tracking.calls import BATCHES

MESSAGE_LIMIT_BYTES = 32 * 1024
BATCH_LIMIT_BYTES = 500 * 1024
NESTING_LIMIT = 64

_GZIP = 16 + zlib.MAX_WBITS
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
_LONE = re.compile("[\ud800-\udfff]")


class BadRequest(InputError):
    """A body that the Tracking API answers with 400. `code` goes into the answer beside the message.

    Clients need both: older Python libraries retry a 400 that has no `code`.
    """

    def __init__(self, message: str, *, code: str = "invalid_request", hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.code = code


def limit_of(route: str) -> int:
    """The largest body, in bytes, that `/v1/<route>` takes: 500 KB for a batch, 32 KB for one call."""
    return BATCH_LIMIT_BYTES if route in BATCHES else MESSAGE_LIMIT_BYTES


def decompress(raw: bytes, encoding: str, *, limit: int) -> bytes:
    """The body without its gzip wrapping. Never holds more than the limit. Raises BadRequest."""
    if len(raw) > limit:
        raise _too_large(limit)
    if encoding.strip().lower() != "gzip":
        return raw
    unpacking = zlib.decompressobj(_GZIP)
    try:
        body = unpacking.decompress(raw, limit + 1)
    except zlib.error:
        raise BadRequest("malformed gzip", hint="The body is not gzip although Content-Encoding says so.") from None
    if len(body) > limit:
        raise _too_large(limit)
    if not unpacking.eof:
        raise BadRequest("malformed gzip", hint="The body ends before its gzip stream does.")
    return body


def parse_body(route: str, body: bytes) -> dict[str, Any]:
    """The JSON object in a body, its messages measured.

    Half of a surrogate pair becomes U+FFFD, since no database or later JSON reader takes it. Raises BadRequest for
    malformed JSON and for what is too large or nested too deeply.
    """
    if len(body) > limit_of(route):
        raise _too_large(limit_of(route))
    try:
        parsed = json.loads(body, parse_constant=_refuse_constant, parse_float=_finite)
    except (ValueError, RecursionError):
        raise BadRequest("malformed JSON") from None
    if not isinstance(parsed, dict):
        raise BadRequest("malformed JSON", hint="The body must be a JSON object.")
    if is_deeper_than(NESTING_LIMIT, parsed):
        raise BadRequest("malformed JSON", hint=f"Objects and lists may be nested {NESTING_LIMIT} deep.")
    whole: dict[str, Any] = _whole_characters(parsed) if _SURROGATE.search(body) else parsed
    if len(body) > MESSAGE_LIMIT_BYTES:
        _measure_messages(whole)
    return whole


def _measure_messages(body: Mapping[str, Any]) -> None:
    items = body.get("batch")
    for position, item in enumerate(items if isinstance(items, list) else ()):
        if len(json.dumps(item, separators=(",", ":"), ensure_ascii=False).encode()) > MESSAGE_LIMIT_BYTES:
            raise BadRequest(f"batch[{position}] is larger than {MESSAGE_LIMIT_BYTES // 1024} KB")


def _too_large(limit: int) -> BadRequest:
    return BadRequest("Exceed payload limit", hint=f"This route takes at most {limit // 1024} KB.")


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _finite(digits: str) -> float:
    number = float(digits)
    if isinf(number):
        raise ValueError(f"{digits} is too large")
    return number


def whole_characters(text: str) -> str:
    """The text with U+FFFD in place of each half of a surrogate pair."""
    return _LONE.sub("\ufffd", text)


def _whole_characters(value: Any) -> Any:
    if isinstance(value, str):
        return whole_characters(value)
    if isinstance(value, list):
        return [_whole_characters(item) for item in value]
    if isinstance(value, dict):
        return {_whole_characters(key): _whole_characters(item) for key, item in value.items()}
    return value
