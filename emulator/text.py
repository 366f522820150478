"""Text that every database and every JSON reader accepts."""

from __future__ import annotations

import re

_SURROGATE = re.compile("[\ud800-\udfff]")


def whole_characters(text: str) -> str:
    """The text with U+FFFD in place of each half of a surrogate pair, which no database stores."""
    return _SURROGATE.sub("\ufffd", text)


def is_storable(text: str) -> bool:
    """False for text with U+0000 or half of a surrogate pair: JSON can spell them, databases refuse them."""
    return "\x00" not in text and (text.isascii() or _SURROGATE.search(text) is None)
