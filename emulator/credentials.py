"""Tokens and write keys that may be neither stored nor printed: their fingerprints, and texts without them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from functools import lru_cache

_DIGITS = 8
_HIDDEN = "***"
# A shorter secret would be found in ordinary words, and protects nothing.
_SHORTEST_HIDDEN = 8


def fingerprint(secret: str | None) -> str | None:
    """`sha256:` and 8 hexadecimal digits, the same for the same secret; None when nothing was sent."""
    if not secret:
        return None
    return f"sha256:{hashlib.sha256(secret.encode('utf-8', 'surrogatepass')).hexdigest()[:_DIGITS]}"


def without_secrets(text: str, secrets: Iterable[str]) -> str:
    """The text with `***` in place of each secret of 8 or more characters, as it is or as JSON spells it."""
    for form in _spellings(frozenset(secrets)):
        text = text.replace(form, _HIDDEN)
    return text


@lru_cache(maxsize=100)
def _spellings(secrets: frozenset[str]) -> list[str]:
    """The longest first: one secret may begin with another."""
    forms = (
        (secret, json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1])
        for secret in secrets
        if len(secret) >= _SHORTEST_HIDDEN
    )
    return sorted({each for spellings in forms for each in spellings}, key=len, reverse=True)
