"""A request body of the Tracking API: decompressed, measured, parsed; refused where Segment answers 400."""

from __future__ import annotations

import gzip
import io
import json
import re
import zlib
from collections.abc import Mapping
from typing import Any

from emulator.errors import InputError
from emulator.json_text import compact
from emulator.schemas import is_deeper_than
from emulator.segment.tracking.calls import BATCHES
from emulator.strict_json import parse
from emulator.text import whole_characters

MESSAGE_LIMIT_BYTES = 32 * 1024
BATCH_LIMIT_BYTES = 500 * 1024
NESTING_LIMIT = 64

_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


class BadRequest(InputError):
    """A body that the Tracking API answers with 400. `code` is sent beside the message.

    Clients need both: older Python libraries retry a 400 without a `code`.
    """

    def __init__(self, message: str, *, code: str = "invalid_request", hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.code = code


class ParsedBody(dict[str, Any]):
    """The JSON object of a body that `parse_body` has checked."""


def limit_of(route: str) -> int:
    """The largest body of `/v1/<route>`, in bytes: 500 KB for a batch, 32 KB for one call."""
    return BATCH_LIMIT_BYTES if route in BATCHES else MESSAGE_LIMIT_BYTES


def decompress(raw: bytes, encoding: str, *, limit: int) -> bytes:
    """The body without gzip, never expanded beyond the limit. Raises BadRequest."""
    if len(raw) > limit:
        raise _too_large(limit)
    if encoding.strip().lower() != "gzip":
        return raw
    try:
        # To the last member: some clients compress each call for itself.
        body = gzip.GzipFile(fileobj=io.BytesIO(raw)).read(limit + 1)
    except EOFError:
        raise BadRequest("malformed gzip", hint="The gzip stream is incomplete.") from None
    except (OSError, zlib.error):
        raise BadRequest("malformed gzip", hint="Content-Encoding says gzip, but the body is not gzip.") from None
    if len(body) > limit:
        raise _too_large(limit)
    return body


def parse_body(route: str, body: bytes | Mapping[str, Any]) -> ParsedBody:
    """The JSON object in a body posted to `/v1/<route>`; a mapping is checked as if it had been posted.

    Each half of a surrogate pair becomes U+FFFD. Raises BadRequest for malformed JSON, for a body that is too large or
    nested too deeply, and InputError for a mapping that is not JSON.
    """
    raw = body if isinstance(body, bytes) else _as_json(body)
    if len(raw) > limit_of(route):
        raise _too_large(limit_of(route))
    try:
        parsed = parse(raw)
    except (ValueError, RecursionError):
        raise BadRequest("malformed JSON") from None
    if not isinstance(parsed, dict):
        raise BadRequest("malformed JSON", hint="The body must be a JSON object.")
    if is_deeper_than(NESTING_LIMIT, parsed):
        raise BadRequest("malformed JSON", hint=f"Objects and arrays may be nested {NESTING_LIMIT} deep.")
    if _SURROGATE.search(raw):
        parsed = _without_surrogates(parsed)
    if len(raw) > MESSAGE_LIMIT_BYTES:
        _check_message_sizes(parsed)
    return ParsedBody(parsed)


def _as_json(body: Mapping[str, Any]) -> bytes:
    try:
        return json.dumps(body).encode()
    except (TypeError, ValueError) as error:
        raise InputError(f"the body is not JSON: {error}", where="body") from None


def _check_message_sizes(body: Mapping[str, Any]) -> None:
    items = body.get("batch")
    for position, item in enumerate(items if isinstance(items, list) else ()):
        # Numbers may be written otherwise, never at twice the length.
        if len(compact(item)) <= MESSAGE_LIMIT_BYTES // 8:
            continue
        if len(json.dumps(item, separators=(",", ":"), ensure_ascii=False).encode()) > MESSAGE_LIMIT_BYTES:
            raise BadRequest(f"batch[{position}] is larger than {MESSAGE_LIMIT_BYTES // 1024} KB")


def _too_large(limit: int) -> BadRequest:
    return BadRequest("Exceed payload limit", hint=f"This endpoint takes at most {limit // 1024} KB.")


def _without_surrogates(value: Any) -> Any:
    if isinstance(value, str):
        return whole_characters(value)
    if isinstance(value, list):
        return [_without_surrogates(item) for item in value]
    if isinstance(value, dict):
        return {_without_surrogates(key): _without_surrogates(item) for key, item in value.items()}
    return value
