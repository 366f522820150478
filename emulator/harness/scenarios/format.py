"""Text of the expected and found values of checks."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

LONGEST = 400


def listed(names: Iterable[object]) -> str:
    """`ada, grace`, in alphabetical order; `none` when empty."""
    return ", ".join(sorted(map(str, names))) or "none"


def counted(numbers: Mapping[str, int]) -> str:
    """`2 MISSING_EMAIL, 1 INVALID_EMAIL`."""
    return ", ".join(f"{number} {name}" for name, number in sorted(numbers.items())) or "none"


def described(wanted: Mapping[str, Any]) -> str:
    """`outcome sent, type track`."""
    return ", ".join(f"{name} {value}" for name, value in wanted.items()) or "of any kind"


def says(text: object, part: str | None) -> bool:
    """Whether `text` contains `part`; true without a part."""
    return part is None or part in str(text or "")


def short(value: Any) -> str:
    """A value as JSON, truncated when it is long."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
