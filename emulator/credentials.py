"""Tokens and write keys that may be neither stored nor printed: their fingerprints, and texts without them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

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
    """The text with `***` in place of each secret of 8 or more characters."""
    # The longest first: one secret may begin with another.
    for secret in sorted(set(secrets), key=len, reverse=True):
        if len(secret) >= _SHORTEST_HIDDEN:
            text = text.replace(secret, _HIDDEN)
    return text
