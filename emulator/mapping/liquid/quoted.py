"""Text in quotes: the escapes of JavaScript, as LiquidJS reads them."""

from __future__ import annotations

import re

from emulator.mapping.liquid.template_errors import LiquidFailure

_ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{0,4})|([0-7]{1,3})|(.))", re.DOTALL)
_HEX_DIGITS = 4


def unquoted(source: str) -> str:
    """The content of a quoted text, which is everything between its first and its last character.

    `\\n` and the like, `\\uXXXX` with up to four hexadecimal and `\\NNN` with up to three octal digits have their
    meaning; any other character after a backslash is taken as it is. Without a closing quote the last character is
    lost, but counts among the digits of an escape.
    """
    content = []
    position, last = 1, len(source) - 1
    while position < last:
        escape = _ESCAPE.match(source, position)
        if escape is None:
            content.append(source[position])
            position += 1
            continue
        content.append(_unescaped(escape, source))
        position = escape.end()
    return "".join(content)


def _unescaped(escape: re.Match[str], source: str) -> str:
    digits, octal, other = escape.groups()
    if octal is not None:
        return chr(int(octal, 8))
    if digits is None:
        return _ESCAPES.get(other, other)
    if len(digits) < _HEX_DIGITS and escape.end() == len(source):
        # LiquidJS looks for the next digit behind the end.
        raise LiquidFailure("Cannot read properties of undefined (reading 'charCodeAt')")
    return chr(int(digits or "0", 16))
