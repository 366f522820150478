"""Edge cases: strings, numbers, keys and structures on which ports of JavaScript often fail."""

from __future__ import annotations

from random import Random
from typing import Any

TEXTS = (
    "", " ", "a", "x", "vip", "Hello World", "HELLO", "true", "false", "null", "undefined", "0", "5", "-0", "1e3",
    "1.50",
    "0x10", " 5 ", "007", "12345678901234567890", "2024-01-15", "2024-13-45", "2024-02-30", "2024-01-15T10:00:00Z",
    "01/15/2024", "1-2-2024", "13/01/2020", "May 5", "gold 1", "user 7", "a,b;c", "A-B-C", "a.b", "$.a", "{{a}}",
    "{{{a}}}",
    "$&", "$1", "$$", "O'Brien", 'say "hi"', "C:\\new",
    "back\\", "line\nbreak", "tab\there", "\r\n", "\u0007", "\u0000",
    "straße", "İstanbul", "ünïcödé", "日本語", "😀", "\u2028", "\u00a0", "\ufeff", "e\u0301", "ﬁ", "Σίσυφος", "\ud800",
    "<b>&amp;</b>", "a@b.com", "%41", "a\\u0041", "{}", "[]", "[1,2]", '{"b":"\\u00e9"}', '{"a":1,"0":2}', "{bad",
    '"q"', "3",
    "camelCase", "snake_case", "HTMLParser", "x" * 40, "long " * 12,
)  # fmt: skip

NUMBERS = (
    0, 1, -1, 5, 7, 42, 94105, 0.1, -0.0, 1.0, 1.5, 12.5, 0.30000000000000004, 1e21, 1e20, 123456789012345680000, 1e-7,
    0.000001, 1.5e300, 9007199254740993, -9007199254740993, 12345678901234567890, 15551234567,
)  # fmt: skip

KEYS = (
    "a", "b", "vip", "plan", "email", "first_name", "last_name", "name", "id", "snake_case", "camelCase",
    "with space", "x",
    "0", "1", "10", "01", "-1", "é", "ke'y",
    'ke"y', "a.b", "k-1", "", "length", "$", "audience_tier", "HTMLParser", "[0]",
)  # fmt: skip


def scalar(rng: Random) -> Any:
    """A string, number, boolean or null."""
    kind = rng.random()
    if kind < 0.6:
        return rng.choice(TEXTS)
    if kind < 0.8:
        return rng.choice(NUMBERS)
    return rng.choice((True, False, None))


def value(rng: Random, depth: int = 2) -> Any:
    """Any JSON value, nested at most `depth` levels."""
    kind = rng.random()
    if depth == 0 or kind < 0.65:
        return scalar(rng)
    if kind < 0.8:
        return [value(rng, depth - 1) for _ in range(rng.randrange(4))]
    return members(rng, depth - 1)


def members(rng: Random, depth: int = 1) -> dict[str, Any]:
    """An object with up to four edge-case keys."""
    return {rng.choice(KEYS): value(rng, depth) for _ in range(rng.randrange(5))}


def often(rng: Random, chance: float) -> bool:
    """True with the given probability."""
    return rng.random() < chance
