"""The `profiles` argument: a JSON array of flat objects, or the same as text, as the published client sends it."""

from __future__ import annotations

import json
from typing import Any, NoReturn

from emulator.stackadapt import messages
from emulator.stackadapt.rules.user_errors import refusal

_PATH = ("input", "profiles")


def read_profiles(value: Any, *, limit: int) -> list[dict[str, Any]]:
    """The records. Raises Refusal for malformed text, another shape, or more than `limit` of them."""
    if isinstance(value, str):
        try:
            value = json.loads(value, parse_constant=_no_number)
        except (ValueError, RecursionError):
            raise refusal(messages.MALFORMED_PROFILES, *_PATH) from None
    if not isinstance(value, list) or not all(isinstance(record, dict) for record in value):
        raise refusal(messages.MALFORMED_PROFILES, *_PATH)
    if len(value) > limit:
        raise refusal(messages.too_many_profiles(len(value), limit), *_PATH)
    return value


def _no_number(name: str) -> NoReturn:
    # Python reads NaN and Infinity; JSON has no such numbers.
    raise ValueError(name)
