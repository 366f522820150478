"""Tokens of FQL, with every quirk of the lexer that Segment's engine uses (fql-ts 1.10).

A word, string or two-character operator ends only before a terminator: white space, a comma, a closing bracket or the
end. A closing quote before anything else is not consumed, so it opens the next string.
"""

from __future__ import annotations

from dataclasses import dataclass

from emulator.mapping.javascript.values import joined_units, utf16_units

MAX_TOKEN_LENGTH = 100_000

_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
_DIGITS = frozenset("0123456789")
_WHITESPACE = frozenset(" \t\n")
_END = ""
_TERMINATORS = _WHITESPACE | frozenset((",", "]", ")", _END))
_WORD_STARTS = _LETTERS | {"\\", "_"}
_WORD_PARTS = _LETTERS | _DIGITS | {"_", "-", "\\"}
_AFTER_WORD = _TERMINATORS | {".", "(", "=", "!"}
_PUNCTUATION = {".": "dot", "[": "brackleft", "]": "brackright", ",": "comma", "(": "parenleft", ")": "parenright"}
_KEYWORDS = {"a": ("nd", "conditional"), "o": ("r", "conditional"), "n": ("ull", "null")}


@dataclass(frozen=True, slots=True)
class Token:
    """`kind`: ident, operator, conditional, string (with quotes), number, null, eos, or a name in `_PUNCTUATION`."""

    kind: str
    value: str


END = Token("eos", "eos")


class LexError(Exception):
    """Invalid FQL."""


def lex(text: str) -> list[Token]:
    """The tokens, the last one `eos`. Raises LexError."""
    return _Lexer(text).tokens()


class _Lexer:
    """Reads UTF-16 units, as JavaScript does: an escaped emoji is two characters."""

    def __init__(self, text: str) -> None:
        self._units = utf16_units(text)
        self._at = 0

    def tokens(self) -> list[Token]:
        found = []
        while self._peek() != _END:
            character = self._next()
            if character not in _WHITESPACE:
                found.append(self._token(character))
        return [*found, END]

    def _token(self, character: str) -> Token:
        if character in "!=<>":
            return Token("operator", self._operator(character))
        if character in _WORD_STARTS:
            return self._keyword_or_word(character)
        if character in _DIGITS or character in "+-":
            return self._number(character)
        if character in "\"'":
            return self._string(character)
        if character in _PUNCTUATION:
            return Token(_PUNCTUATION[character], character)
        raise LexError(f'invalid character "{character}"')

    def _operator(self, character: str) -> str:
        if character == "!" and (self._peek() in _LETTERS or self._peek() == "("):
            return character
        if character == "=":
            return character
        if self._accept("="):
            return f"{character}="
        if character == "!":
            raise LexError(f"expected '=' after '!', got '{self._peek()}'")
        return character

    def _keyword_or_word(self, character: str) -> Token:
        rest, kind = _KEYWORDS.get(character, (_END, ""))
        if rest and self._accept(rest):
            return Token(kind, character + rest)
        return self._word(character)

    def _word(self, character: str) -> Token:
        word = []
        while True:
            if character == "\\":
                if self._peek() == _END:
                    raise LexError("expected character after escape character, got EOS")
                character = self._next()
            word.append(character)
            self._limit(word)
            if self._peek() not in _WORD_PARTS:
                break
            character = self._next()
        if self._peek() not in _AFTER_WORD:
            raise LexError(f"expected termination character after identifier, got {self._peek()}")
        return Token("ident", joined_units("".join(word)))

    def _number(self, character: str) -> Token:
        number = [character]
        while self._peek() in _DIGITS or self._peek() == ".":
            digit = self._next()
            if digit == "." and (self._peek() in _TERMINATORS or "." in number):
                raise LexError("misplaced decimal point")
            number.append(digit)
            self._limit(number)
        return Token("number", "".join(number))

    def _string(self, quote: str) -> Token:
        string = []
        while self._peek() != quote:
            if self._peek() == _END:
                raise LexError("unterminated string")
            string.append(self._next())
            self._limit(string)
        self._accept(quote)
        return Token("string", joined_units(f"{quote}{''.join(string)}{quote}"))

    def _accept(self, expected: str) -> bool:
        """Consumes the expected characters if a terminator follows them.

        Otherwise nothing is consumed, except for a defect of the original: if the input ends too early, the characters
        read so far are lost, so a final `traits.an` is read as `traits.a`.
        """
        start = self._at
        for wanted in expected:
            if self._peek() == _END:
                return False
            if self._next() != wanted and self._units[self._at - 1] in _TERMINATORS:
                break
        if "".join(self._units[start : self._at]) == expected and self._peek() in _TERMINATORS:
            return True
        self._at = start
        return False

    def _peek(self) -> str:
        return self._units[self._at] if self._at < len(self._units) else _END

    def _next(self) -> str:
        self._at += 1
        return self._units[self._at - 1]

    def _limit(self, characters: list[str]) -> None:
        if len(characters) >= MAX_TOKEN_LENGTH:
            raise LexError("unreasonable length")
