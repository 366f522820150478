"""Cuts a sequence into batches of so many items and so many bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

_Item = TypeVar("_Item")


def sized_batches(
    items: Iterable[_Item], size_of: Callable[[_Item], int], *, most: int, most_bytes: int
) -> Iterator[list[_Item]]:
    """Batches of as many items as fit, in order; an item that is larger than a batch is alone."""
    batch: list[_Item] = []
    size = 0
    for item in items:
        own = size_of(item)
        if batch and (len(batch) == most or size + own > most_bytes):
            yield batch
            batch, size = [], 0
        batch.append(item)
        size += own
    if batch:
        yield batch
