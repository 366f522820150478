"""Checks of text before it is stored."""

from __future__ import annotations


def is_storable(text: str) -> bool:
    """False for text with U+0000 or half of a surrogate pair: JSON can spell them, databases refuse them."""
    return "\x00" not in text and (text.isascii() or not any("\ud800" <= char <= "\udfff" for char in text))
