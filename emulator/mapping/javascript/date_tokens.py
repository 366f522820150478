"""The tokens of V8's date parser: runs of digits, words known by their first three letters, punctuation."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto

from emulator.mapping.javascript.values import WHITESPACE

_SIGNIFICANT_DIGITS = 9
_MILLISECOND_DIGITS = 3
_KEYWORD_LETTERS = 3
# The line and paragraph separators count as letters here.
_SPACES = WHITESPACE.replace("\u2028\u2029", "")
_TOKEN = re.compile(f"([0-9]+)|([:+.)-])|([{_SPACES}])|([^\0-@{_SPACES}]+)|.", re.DOTALL)
_PARENTHESIS = re.compile("[()]")


class Kind(Enum):
    """What a token is."""

    NUMBER = auto()
    SYMBOL = auto()
    SPACE = auto()
    MONTH = auto()
    HALF_DAY = auto()
    ZONE = auto()
    TIME_SEPARATOR = auto()
    UNKNOWN_WORD = auto()
    UNKNOWN = auto()
    END = auto()


_WORD_KINDS = frozenset({Kind.MONTH, Kind.HALF_DAY, Kind.ZONE, Kind.TIME_SEPARATOR, Kind.UNKNOWN_WORD})
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_ZONES = {"edt": -4, "cdt": -5, "est": -5, "cst": -6, "mdt": -6, "mst": -7, "pdt": -7, "pst": -8}
_KEYWORDS = {
    **{name: (Kind.MONTH, number) for number, name in enumerate(_MONTHS, start=1)},
    **{name: (Kind.ZONE, hours) for name, hours in _ZONES.items()},
    **dict.fromkeys(("ut", "utc", "z", "gmt"), (Kind.ZONE, 0)),
    "am": (Kind.HALF_DAY, 0),
    "pm": (Kind.HALF_DAY, 12),
    "t": (Kind.TIME_SEPARATOR, 0),
}


@dataclass(frozen=True, slots=True)
class Token:
    """A token; `number` is the value of the digits, the month, or the hours of AM/PM and of a zone."""

    kind: Kind
    text: str = ""
    number: int = 0

    def is_digits(self, length: int) -> bool:
        return self.kind is Kind.NUMBER and len(self.text) == length

    def is_sign(self) -> bool:
        return self.kind is Kind.SYMBOL and self.text in "+-"

    def is_word(self) -> bool:
        return self.kind in _WORD_KINDS

    def is_z(self) -> bool:
        """Whether it is the zone `Z`, the only one of a single letter."""
        return self.kind is Kind.ZONE and len(self.text) == 1

    def milliseconds(self) -> int:
        """The digits as a fraction of a second."""
        return int(self.text[:_MILLISECOND_DIGITS].ljust(_MILLISECOND_DIGITS, "0"))


class Tokens:
    """The tokens of a string, with one token of lookahead. A NUL ends the string."""

    def __init__(self, text: str) -> None:
        self._rest = _tokens(text.partition("\0")[0])
        self._ahead = next(self._rest, _END)

    def peek(self) -> Token:
        return self._ahead

    def next(self) -> Token:
        token = self._ahead
        self._ahead = next(self._rest, _END)
        return token

    def skip(self, symbol: str) -> bool:
        """Consumes the next token if it is this symbol."""
        if self._ahead.kind is Kind.SYMBOL and self._ahead.text == symbol:
            self.next()
            return True
        return False


_END = Token(Kind.END)


def _tokens(text: str) -> Iterator[Token]:
    at = 0
    while match := _TOKEN.match(text, at):
        at = match.end()
        digits, symbol, space, word = match.groups()
        if digits:
            yield Token(Kind.NUMBER, digits, int(digits.lstrip("0")[:_SIGNIFICANT_DIGITS] or "0"))
        elif word:
            yield _word(word)
        elif symbol or space:
            yield Token(Kind.SYMBOL if symbol else Kind.SPACE, match.group())
        else:
            at = _end_of_comment(text, at) if match.group() == "(" else at
            yield Token(Kind.UNKNOWN, match.group())


def _word(word: str) -> Token:
    kind, number = _KEYWORDS.get(word[:_KEYWORD_LETTERS].lower(), (Kind.UNKNOWN_WORD, 0))
    is_known = len(word) <= _KEYWORD_LETTERS or kind is Kind.MONTH
    return Token(kind if is_known else Kind.UNKNOWN_WORD, word, number)


def _end_of_comment(text: str, at: int) -> int:
    """The end of a comment in parentheses, which may be nested or unclosed."""
    depth = 1
    for parenthesis in _PARENTHESIS.finditer(text, at):
        depth += 1 if parenthesis.group() == "(" else -1
        if not depth:
            return parenthesis.end()
    return len(text)
