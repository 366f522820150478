"""The tokens of V8's date parser: runs of digits, words known by their first three letters, punctuation."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

_SIGNIFICANT_DIGITS = 9
_MILLISECOND_DIGITS = 3
_KEYWORD_LETTERS = 3
_WHITESPACE = frozenset(
    "\t\n\v\f\r \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u202f\u205f\u3000\ufeff"  # the line and paragraph separators count as letters here
)


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
_KEYWORDS = {
    **{name: (Kind.MONTH, number) for number, name in enumerate(_MONTHS, start=1)},
    "am": (Kind.HALF_DAY, 0),
    "pm": (Kind.HALF_DAY, 12),
    **dict.fromkeys(("ut", "utc", "z", "gmt"), (Kind.ZONE, 0)),
    "edt": (Kind.ZONE, -4),
    **dict.fromkeys(("cdt", "est"), (Kind.ZONE, -5)),
    **dict.fromkeys(("cst", "mdt"), (Kind.ZONE, -6)),
    **dict.fromkeys(("mst", "pdt"), (Kind.ZONE, -7)),
    "pst": (Kind.ZONE, -8),
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
        self._text = text.partition("\0")[0]
        self._at = 0
        self._ahead = self._scan()

    def peek(self) -> Token:
        return self._ahead

    def next(self) -> Token:
        token = self._ahead
        self._ahead = self._scan()
        return token

    def skip(self, symbol: str) -> bool:
        """Consumes the next token if it is this symbol."""
        if self._ahead.kind is Kind.SYMBOL and self._ahead.text == symbol:
            self.next()
            return True
        return False

    def _scan(self) -> Token:
        if self._at >= len(self._text):
            return Token(Kind.END)
        start, character = self._at, self._text[self._at]
        if "0" <= character <= "9":
            return self._number(start)
        self._at += 1
        if character in ":-+.)":
            return Token(Kind.SYMBOL, character)
        if character in _WHITESPACE:
            return Token(Kind.SPACE, character)
        if character >= "A":
            return self._word(start)
        if character == "(":
            self._skip_parentheses()
        return Token(Kind.UNKNOWN, character)

    def _number(self, start: int) -> Token:
        while self._at < len(self._text) and "0" <= self._text[self._at] <= "9":
            self._at += 1
        digits = self._text[start : self._at]
        return Token(Kind.NUMBER, digits, int(digits.lstrip("0")[:_SIGNIFICANT_DIGITS] or "0"))

    def _word(self, start: int) -> Token:
        while self._at < len(self._text) and self._text[self._at] >= "A" and self._text[self._at] not in _WHITESPACE:
            self._at += 1
        word = self._text[start : self._at]
        kind, number = _KEYWORDS.get(_ascii_lower(word[:_KEYWORD_LETTERS]), (Kind.UNKNOWN_WORD, 0))
        if len(word) > _KEYWORD_LETTERS and kind is not Kind.MONTH:
            kind = Kind.UNKNOWN_WORD
        return Token(kind, word, number)

    def _skip_parentheses(self) -> None:
        """A comment in parentheses, nested or unclosed."""
        depth = 1
        while depth and self._at < len(self._text):
            depth += {"(": 1, ")": -1}.get(self._text[self._at], 0)
            self._at += 1


def _ascii_lower(text: str) -> str:
    return "".join(chr(ord(character) + 32) if "A" <= character <= "Z" else character for character in text)
