"""Where a measurement is: a line on standard error every few seconds."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from time import monotonic
from typing import TypeVar

_PAUSE_SECONDS = 5.0

T = TypeVar("T")


def steps(work: str, items: Sequence[T]) -> Iterator[T]:
    """The items, with a line before one of them when the last line was some time ago."""
    said = monotonic()
    for number, item in enumerate(items, 1):
        if monotonic() - said >= _PAUSE_SECONDS:
            said = monotonic()
            print(f"  {work}: {number:,} of {len(items):,}", file=sys.stderr, flush=True)
        yield item
