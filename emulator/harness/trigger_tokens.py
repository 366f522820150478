"""The tokens of a trigger in any spelling, and what Segment's engine does not read as written in their spelling."""

from __future__ import annotations

import re
from dataclasses import dataclass

STRING, NUMBER, WORD, OPERATOR = "string", "number", "word", "operator"
JOIN, OPEN, CLOSE, NOT, COMMA = "join", "open", "close", "not", "comma"

_CLOSING = {'"': '"”', "'": "'’", "`": "`´", "“": '”“"', "„": '“”"', "‘": "’‘'", "‚": "‘’'", "«": "»", "´": "´"}
_INVISIBLE = str.maketrans(dict.fromkeys("\u00a0\u200b\u2009\u202f\u3000\ufeff\r", " "))
_OPERATOR = re.compile(r"===?|!==?|<>|≠|<=|>=|=<|=>|≤|≥|<|>|:=|=|:")
_SPELLED = {
    "===": "=", "==": "=", ":=": "=", ":": "=", "!==": "!=", "<>": "!=", "≠": "!=",
    "=<": "<=", "≤": "<=", "=>": ">=", "≥": ">=",
}  # fmt: skip
_JOIN = re.compile(r"&&?|\|\|?|(?:and|or)(?![\w.-])", re.IGNORECASE)
_WORD = re.compile(r"[^\W\d](?:[\w.$\\-]*[\w$\\-])?|\$[\w.$\\-]*[\w$\\-]")
_NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?(?![\w.])")
_BRACKETS = {"(": OPEN, "[": OPEN, "{": OPEN, ")": CLOSE, "]": CLOSE, "}": CLOSE}
# What follows a value whose closing quote is missing: a closing parenthesis, or `and` or `or` and another condition.
_NEXT_CONDITION = re.compile(
    r"\s*(?:\)|(?:\s(?:and|or)|&&|\|\|)\s*\(?\s*[\w.$]+\s*(?:=|!|<|>|is\b|equals\b))", re.IGNORECASE
)

# Cause, a full sentence, and change, a clause.
_Correction = tuple[str, str]
_DOUBLE_QUOTES = ("Only double quotes mark a string.", "write strings in double quotes")
_MISSING_QUOTE = ("A double quote is missing.", "write the missing double quote")
_ENDS_A_STRING = frozenset(" \t\n,])")


@dataclass(frozen=True, slots=True)
class Token:
    """`text` is what it means, `written` what is in the trigger: `=` and `==`, `track` and `'track'`."""

    kind: str
    text: str
    written: str


def tokens_of(text: str) -> tuple[list[Token], list[_Correction]]:
    """The tokens of a trigger, and what has to be corrected in their spelling."""
    corrections: list[_Correction] = []
    plain = text.translate(_INVISIBLE)
    if plain != text:
        corrections.append(("A character that looks like a space is none.", "write plain spaces"))
    tokens: list[Token] = []
    at = 0
    while at < len(plain):
        at = _token(plain, at, tokens, corrections)
    return tokens, corrections


def _token(text: str, at: int, tokens: list[Token], corrections: list[_Correction]) -> int:
    """Reads the token at a position, if any, and returns the position after it."""
    character = text[at]
    if character in _CLOSING:
        return _string(text, at, tokens, corrections)
    if found := _JOIN.match(text, at):
        tokens.append(Token(JOIN, _meaning(found[0]), found[0]))
        corrections += _in_join(text, found)
        return found.end()
    if found := _OPERATOR.match(text, at):
        tokens.append(Token(OPERATOR, _SPELLED.get(found[0], found[0]), found[0]))
        if found[0][0] in "<>" and at and (text[at - 1].isalnum() or text[at - 1] == "_"):
            corrections.append(
                (f"The engine does not read `{found[0]}` right after a name.", f"write a space before `{found[0]}`")
            )
        return found.end()
    for kind, pattern in ((NUMBER, _NUMBER), (WORD, _WORD)):
        if found := pattern.match(text, at):
            tokens.append(Token(NOT if found[0].lower() == "not" else kind, found[0], found[0]))
            return found.end()
    if character in _BRACKETS:
        if character not in "()":
            corrections.append((f"`{character}` is no parenthesis.", "write round parentheses"))
        tokens.append(Token(_BRACKETS[character], character, character))
    elif character == "!":
        tokens.append(Token(NOT, "!", "!"))
    elif character == ",":
        tokens.append(Token(COMMA, ",", ","))
    elif character not in " \t\n":
        corrections.append((f"The engine does not read `{character}`.", f"remove `{character}`"))
    return at + 1


def _meaning(join: str) -> str:
    return "and" if join.lower() in ("and", "&&", "&") else "or"


def _in_join(text: str, found: re.Match[str]) -> list[_Correction]:
    written, meaning = found[0], _meaning(found[0])
    if written != meaning:
        return [(f"The engine does not read `{written}`: only `and` and `or` join conditions.",
                 f"write `{meaning}` instead of `{written}`")]  # fmt: skip
    if text[found.end() : found.end() + 1] == "(":
        return [(f"The engine does not read `{written}` without a space after it.", f"write a space after `{written}`")]
    return []


def _string(text: str, at: int, tokens: list[Token], corrections: list[_Correction]) -> int:
    opening = text[at]
    if at and (text[at - 1].isalnum() or text[at - 1] in "_.") and tokens and tokens[-1].kind in (WORD, NUMBER):
        # A closing quote whose opening quote is missing.
        corrections.append(_MISSING_QUOTE)
        return at + 1
    end = next((position for position in range(at + 1, len(text)) if text[position] in _CLOSING[opening]), len(text))
    content = text[at + 1 : end]
    following = _NEXT_CONDITION.search(content)
    if following or end == len(text):
        corrections.append(_MISSING_QUOTE)
        content = content[: following.start()] if following else content
        after = at + 1 + len(content)
    else:
        after = end + 1
        if text[after : after + 1] not in _ENDS_A_STRING and opening == '"' and after < len(text):
            corrections.append(
                ("The engine does not read a string without a space after it.", f'write a space after "{content}"')
            )
    if opening != '"' or (after == end + 1 and text[end] != '"'):
        corrections.append(_DOUBLE_QUOTES)
    tokens.append(Token(STRING, content.strip() if following else content, text[at:after]))
    return after
