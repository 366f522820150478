"""Found beside expected, in words: the sentences that checks are made of."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

LONGEST = 400


def listed(names: Iterable[object]) -> str:
    """`ada, grace`, in alphabetical order; `none` for nothing."""
    return ", ".join(sorted(map(str, names))) or "none"


def counted(numbers: Mapping[str, int]) -> str:
    """`2 MISSING_EMAIL, 1 INVALID_EMAIL`."""
    return ", ".join(f"{number} {name}" for name, number in sorted(numbers.items())) or "none"


def described(wanted: Mapping[str, Any]) -> str:
    """`outcome sent, type track`."""
    return ", ".join(f"{name} {value}" for name, value in wanted.items()) or "of any kind"


def says(text: object, part: str | None) -> bool:
    """Whether a text contains a part, where one is given."""
    return part is None or part in str(text or "")


def agrees(found: Any, expected: Any) -> bool:
    """Whether the members that are given are there with these values. Of lists every item must agree, in order."""
    if isinstance(expected, Mapping):
        return isinstance(found, Mapping) and all(agrees(found.get(key), value) for key, value in expected.items())
    if isinstance(expected, list):
        return isinstance(found, list) and len(found) == len(expected) and all(map(agrees, found, expected))
    return bool(found == expected) and isinstance(found, bool) == isinstance(expected, bool)


def all_say(texts: list[str], parts: list[str]) -> bool:
    """Whether there are as many texts as parts, each containing its own."""
    return len(texts) == len(parts) and all(map(says, texts, parts))


def short(value: Any) -> str:
    """A value as JSON, cut where it gets long."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
