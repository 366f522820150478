"""The known name that is closest to a mistyped one, whatever their letter case."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def closest(name: str, known: Iterable[str]) -> str | None:
    """The known name with the same letters in another case, else the most similar one; None when none is similar."""
    folded: dict[str, str] = {}
    for each in known:
        folded.setdefault(each.strip().casefold(), each)
    matches = get_close_matches(name.strip().casefold(), folded, n=1, cutoff=0.6)
    return folded[matches[0]] if matches else None
