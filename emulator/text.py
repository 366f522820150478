"""Text that every database and every JSON reader accepts."""

from __future__ import annotations

import re

_SURROGATE = re.compile("[\ud800-\udfff]")


def whole_characters(text: str) -> str:
    """The text with U+FFFD in place of each half of a surrogate pair, which no database stores."""
    return _SURROGATE.sub("\ufffd", text)
