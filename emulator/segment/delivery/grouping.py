"""Batches that are sent in one request: one alone, or a retried one together with others that wait.

"Destinations Overview" in Segment's documentation: streamed batches "might contain different events between retry
attempts". Which is not published: here those of whole batches that fit in one request, in the order of the queue.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from operator import attrgetter

from emulator.mapping import PreparedEvent
from emulator.segment.delivery.queue import BATCH_BYTES, Batch
from emulator.segment.delivery.queued_events import QueuedEvent

Group = tuple[Batch, ...]


def grouped(batches: Iterable[Batch], most: int) -> Iterator[Group]:
    """The batches in groups of at most so many events, and as many bytes as fit in one request."""
    group: list[Batch] = []
    for batch in batches:
        together = [*group, batch]
        fits = sum(len(each.events) for each in together) <= most
        if group and not (fits and sum(each.size for each in together) <= BATCH_BYTES):
            yield tuple(group)
            together = [batch]
        group = together
    if group:
        yield tuple(group)


def in_order(group: Group) -> Sequence[QueuedEvent]:
    """The events of a group in the order in which they were queued."""
    if len(group) == 1:
        return group[0].events
    return sorted((queued for batch in group for queued in batch.events), key=attrgetter("id"))


def checks_by_batch(
    group: Group, events: Sequence[QueuedEvent], checks: Sequence[PreparedEvent]
) -> list[Sequence[PreparedEvent]]:
    """What the mapping made of the events, for each batch in the order of its events."""
    if len(group) == 1:
        return [checks]
    of = {queued.id: check for queued, check in zip(events, checks, strict=True)}
    return [[of[queued.id] for queued in batch.events] for batch in group]
