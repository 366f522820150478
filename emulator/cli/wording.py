"""Numbers in sentences."""

from __future__ import annotations


def counted(number: int, one: str, many: str | None = None) -> str:
    """`1 error`, `2,000 errors`; `many` is for a word that does not take an s."""
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"
