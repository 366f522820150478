"""Glob patterns of FQL's `match`: `*`, `?`, `[abc]`, `[a-z]` and a backslash before a literal character.

A star also matches a slash ("Destination Filter Query Language"). As in Segment's published evaluator (@segment/tsub
2.0.1), `[^a]` is any other character, and a pattern with a class that is not closed matches nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache


@lru_cache(maxsize=256)
def compile_glob(pattern: str) -> Callable[[str], bool]:
    """Whether a whole string matches the pattern."""
    try:
        chunks = _chunks(pattern)
    except _Malformed:
        return lambda _text: False
    first, *others = [(re.compile("".join(chunk), re.DOTALL), len(chunk)) for chunk in chunks]
    if not others:
        return lambda text: first[0].fullmatch(text) is not None
    *inner, last = others

    def matches(text: str) -> bool:
        # Each chunk has a fixed length, so that the leftmost place is always right and nothing is tried twice.
        found = first[0].match(text)
        for chunk, _ in inner:
            found = found and chunk.search(text, found.end())
        if found is None:
            return False
        start = len(text) - last[1]
        return start >= found.end() and last[0].match(text, start) is not None

    return matches


class _Malformed(Exception):
    """A pattern that matches nothing."""


def _chunks(pattern: str) -> list[list[str]]:
    """The parts between stars, each a list of regular expressions for one character."""
    chunks: list[list[str]] = [[]]
    at = 0
    while at < len(pattern):
        character = pattern[at]
        at += 1
        if character == "*":
            chunks.append([])
        elif character == "?":
            chunks[-1].append(".")
        elif character == "[":
            expression, at = _class(pattern, at)
            chunks[-1].append(expression)
        else:
            if character == "\\":
                character, at = _literal(pattern, at)
            chunks[-1].append(re.escape(character))
    return chunks


def _class(pattern: str, at: int) -> tuple[str, int]:
    """The expression for a class whose bracket is before `at`, and where it ends."""
    negated = pattern[at : at + 1] == "^"
    at += negated
    members: list[str] = []
    while not (members and pattern[at : at + 1] == "]"):
        low, at = _member(pattern, at)
        high = low
        if pattern[at : at + 1] == "-":
            high, at = _member(pattern, at + 1)
        members.append(f"{re.escape(low)}-{re.escape(high)}" if low <= high else "")
    inside = "".join(members)
    if not inside:
        return ("." if negated else "(?!.).", at + 1)
    return f"[{'^' if negated else ''}{inside}]", at + 1


def _member(pattern: str, at: int) -> tuple[str, int]:
    """The character at `at` in a class, and where it ends."""
    if pattern[at : at + 1] in ("-", "]"):
        raise _Malformed
    return _literal(pattern, at + (pattern[at : at + 1] == "\\"))


def _literal(pattern: str, at: int) -> tuple[str, int]:
    if at >= len(pattern):
        raise _Malformed
    return pattern[at], at + 1
